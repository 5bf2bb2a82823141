"""lambda/retrain: which trigger starts a training, which is skipped and why, and that none starts two."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from botocore.exceptions import EndpointConnectionError

from .conftest import ROLE, message

DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": n, "Type": "String", "DefaultValue": ""} for n in ("Trigger", "Reason")],
    "Steps": [{"Name": "Reject", "Type": "Fail", "Arguments": {"ErrorMessage": "as every training of this test"}}],
}
HOUR = timedelta(hours=1)


@pytest.fixture
def retrain(load):
    return load("retrain")


class Training:
    """The model's pipeline and its data."""

    def __init__(self, cloud):
        self.cloud, self.pipeline = cloud, f"{cloud.name}-train"
        self.sagemaker = cloud.client("sagemaker")
        self.sagemaker.create_pipeline(
            PipelineName=self.pipeline,
            PipelineDefinition=json.dumps(DEFINITION),
            RoleArn=ROLE,
            ClientRequestToken="0" * 32,
        )

    def data(self, key="dt=2026-11-24/records.csv"):
        self.cloud.client("s3").put_object(Bucket=self.cloud.bucket, Key=f"{self.cloud.model}/raw/{key}", Body=b"1")

    def executions(self):
        found = self.sagemaker.list_pipeline_executions(PipelineName=self.pipeline)["PipelineExecutionSummaries"]
        return [e["PipelineExecutionArn"] for e in found]

    def earlier(self, ago, status="Succeeded", kind="schedule"):
        """A training that was started some time ago."""
        before = set(self.executions())
        self.sagemaker.start_pipeline_execution(
            PipelineName=self.pipeline,
            PipelineExecutionDisplayName=f"{kind}-before",
            ClientRequestToken=f"{ago.total_seconds():032}",
        )
        (arn,) = set(self.executions()) - before
        execution = self.cloud.state.executions[arn]
        while execution.record["PipelineExecutionStatus"] == "Executing":
            pass
        execution.record["PipelineExecutionStatus"] = status
        for key in ("StartTime", "CreationTime"):
            if key in execution.record:
                execution.record[key] = datetime.now(UTC) - ago
        return arn

    def counted(self, metric):
        found = self.cloud.client("cloudwatch").get_metric_statistics(
            Namespace="ModelFactory",
            MetricName=metric,
            Dimensions=[{"Name": "Environment", "Value": "prod"}, {"Name": "Model", "Value": self.cloud.model}],
            StartTime=datetime.now(UTC) - HOUR,
            EndTime=datetime.now(UTC) + HOUR,
            Period=86400,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in found)


@pytest.fixture
def training(cloud):
    return Training(cloud)


def skipped(retrain, training, record):
    """Handle a record that must be skipped; the reason in the log."""
    before = training.executions()
    assert retrain(record) == []
    assert training.executions() == before
    assert (training.counted("RetrainSkipped"), training.counted("RetrainStarted")) == (1, 0)
    (line,) = [line for line in retrain.logged() if line["message"] == "training skipped"]
    assert line["model"] == training.cloud.model
    return line["reason"]


def started(retrain, training, record):
    """Handle a record that must start a training; what it was started with."""
    before = set(training.executions())
    assert retrain(record) == []
    (arn,) = set(training.executions()) - before
    assert (training.counted("RetrainSkipped"), training.counted("RetrainStarted")) == (0, 1)
    (line,) = [line for line in retrain.logged() if line["message"] == "training started"]
    assert line["execution"] == arn
    parameters = training.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    return {p["Name"]: p["Value"] for p in parameters["PipelineParameters"]}


@pytest.mark.parametrize("kind", ["schedule", "drift_alarm", "quality_alarm", "manual"])
def test_the_first_training_starts_for_every_trigger(retrain, training, cloud, kind):
    training.data()
    given = started(retrain, training, cloud.message(kind))
    assert given["Trigger"] == kind.removesuffix("_alarm")


def test_the_reason_of_the_alarm_goes_with_the_training(retrain, training, cloud):
    training.data()
    given = started(retrain, training, cloud.message("drift_alarm"))
    assert given["Reason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [3.0")


def test_a_reason_is_made_printable_and_fits_a_pipeline_parameter(retrain, training, cloud):
    training.data()
    body = cloud.event("manual", reason="two\nlines\x00\u2028 " + "x" * 990)
    given = started(retrain, training, message(body))
    assert given["Reason"] == "two lines " + "x" * 990


@pytest.mark.parametrize("status", ["Executing", "Stopping"])
@pytest.mark.parametrize("kind", ["schedule", "drift_alarm", "manual"])
def test_a_training_in_flight_stops_every_trigger(retrain, training, cloud, kind, status):
    training.data()
    training.earlier(5 * HOUR, status)
    assert skipped(retrain, training, cloud.message(kind)).startswith("a training is in flight since 20")


@pytest.mark.parametrize("kind", ["schedule", "drift_alarm", "quality_alarm"])
def test_an_automatic_trigger_waits_for_the_cool_down(retrain, training, cloud, kind):
    training.earlier(HOUR / 2)
    training.data()
    assert skipped(retrain, training, cloud.message(kind)).startswith("cooling down for another 1")


@pytest.mark.parametrize("kind", ["schedule", "drift_alarm", "quality_alarm"])
def test_an_automatic_trigger_needs_new_data(retrain, training, cloud, kind):
    training.data()
    # Started after the data came: an hour from now, for nobody can write to S3 in the past.
    training.earlier(-HOUR)
    cloud.settings["retrain"]["cooldown_seconds"] = -2 * HOUR.total_seconds()
    cloud.configure()
    assert skipped(retrain, training, cloud.message(kind)).startswith("no new data since the training of 20")


def test_after_the_cool_down_new_data_is_trained_on(retrain, training, cloud):
    training.earlier(2 * HOUR)
    training.data()
    assert started(retrain, training, cloud.message("schedule"))["Trigger"] == "schedule"


def test_a_person_waits_for_neither(retrain, training, cloud):
    training.data()
    training.earlier(timedelta(seconds=-60))
    assert started(retrain, training, cloud.message("manual"))["Trigger"] == "manual"


@pytest.mark.parametrize("kind", ["schedule", "drift_alarm", "manual"])
def test_without_data_nothing_can_be_trained(retrain, training, cloud, kind):
    training.data("")  # the folder itself, as the S3 console makes it
    assert skipped(retrain, training, cloud.message(kind)) == "there is no data yet"


@pytest.mark.parametrize("kind", ["drift", "quality"])
def test_an_alarm_only_asks_where_model_yaml_says_so(retrain, training, cloud, kind):
    training.data()
    cloud.settings["retrain"][f"on_{kind}"] = False
    cloud.configure()
    assert skipped(retrain, training, cloud.message(f"{kind}_alarm")) == f"retrain.on_{kind} is off"


FAILED = "the last training that drift or quality started failed; they start no more until a training succeeds"


@pytest.mark.parametrize("kind", ["drift_alarm", "quality_alarm"])
@pytest.mark.parametrize("asked", ["drift", "quality"])
def test_what_a_training_did_not_mend_is_not_trained_on_again(retrain, training, cloud, asked, kind):
    training.earlier(9 * HOUR, "Failed", asked)
    training.earlier(8 * HOUR, "Failed", "schedule")
    training.data()
    assert skipped(retrain, training, cloud.message(kind)).startswith(FAILED)
    assert training.counted("RetrainNotStarted") == 1


@pytest.mark.parametrize(
    "after", [("Succeeded", "schedule"), ("Succeeded", "manual"), ("Succeeded", "drift")], ids=" by ".join
)
def test_a_training_that_succeeds_lets_alarms_ask_again(retrain, training, cloud, after):
    training.earlier(9 * HOUR, "Failed", "drift")
    training.earlier(8 * HOUR, *after)
    training.data()
    assert started(retrain, training, cloud.message("drift_alarm"))["Trigger"] == "drift"


@pytest.mark.parametrize("kind", ["schedule", "manual"])
def test_the_night_and_people_train_after_a_drift_that_failed(retrain, training, cloud, kind):
    training.earlier(9 * HOUR, "Failed", "drift")
    training.data()
    assert started(retrain, training, cloud.message(kind))["Trigger"] == kind


def test_a_training_that_starts_answers_what_alarms_asked_before(retrain, training, cloud):
    training.data()
    retrain(cloud.message("manual"))
    (put,) = [parameters["MetricData"] for name, parameters in retrain.calls if name == "PutMetricData"]
    assert {each["MetricName"]: each["Value"] for each in put} == {"RetrainStarted": 1, "RetrainNotStarted": 0}


def test_how_many_may_fail_is_the_models_own(retrain, training, cloud):
    cloud.settings["retrain"]["max_failures"] = 2
    cloud.configure()
    training.earlier(9 * HOUR, "Failed", "drift")
    training.data()
    assert started(retrain, training, cloud.message("drift_alarm"))["Trigger"] == "drift"


def test_a_training_is_named_after_what_asked_for_it(retrain, training, cloud):
    training.data()
    retrain(cloud.message("drift_alarm"))
    (summary,) = training.sagemaker.list_pipeline_executions(PipelineName=training.pipeline)[
        "PipelineExecutionSummaries"
    ]
    assert summary["PipelineExecutionDisplayName"].startswith("drift-retrain-")


@pytest.mark.parametrize(
    ("kind", "status", "told"),
    [
        ("drift_alarm", "Succeeded", 1),
        ("quality_alarm", "Succeeded", 1),
        ("schedule", "Succeeded", 0),
        ("drift_alarm", "Executing", 0),
    ],
)
def test_an_alarm_that_asked_in_vain_is_told_unless_a_training_is_at_it(retrain, training, cloud, kind, status, told):
    training.earlier(HOUR / 2, status)
    training.data()
    skipped(retrain, training, cloud.message(kind))
    assert training.counted("RetrainNotStarted") == told


def test_the_same_message_twice_starts_one_training(retrain, training, cloud):
    training.data()
    record = cloud.message("manual")
    assert retrain(record) == retrain(record) == []
    assert len(training.executions()) == 1


def test_a_function_that_dies_after_the_start_does_not_start_again(retrain, training, cloud, monkeypatch):
    training.data()
    record = cloud.message("manual")

    def dies(*_):
        raise EndpointConnectionError(endpoint_url="monitoring")

    with monkeypatch.context() as patch:
        patch.setattr(retrain.module.aws, "put_counts", dies)
        assert retrain(record) == [record["messageId"]]
    training.cloud.state.executions[training.executions()[0]].record["PipelineExecutionStatus"] = "Succeeded"
    assert retrain(record) == []
    assert len(training.executions()) == 1


def test_the_token_has_the_length_that_sagemaker_takes(retrain, training, cloud):
    training.data()
    retrain(cloud.message("manual"))
    (token,) = [p["ClientRequestToken"] for name, p in retrain.calls if name == "StartPipelineExecution"]
    assert 32 <= len(token) <= 128


def test_a_bad_message_holds_back_no_other(retrain, training, cloud):
    training.data()
    bad, good, unknown = message("{"), cloud.message("manual"), message(cloud.event("manual", model="nobody"))
    assert retrain(bad, good, unknown) == [bad["messageId"], unknown["messageId"]]
    assert len(training.executions()) == 1
    refusals = [line for line in retrain.logged() if line["message"] == "message refused"]
    assert [line["message_id"] for line in refusals] == [bad["messageId"], unknown["messageId"]]
    assert "nobody" in refusals[1]["reason"]
    assert "model" not in refusals[1]


def test_the_data_bucket_is_read_only_as_far_as_needed(retrain, monkeypatch):
    """ListObjectsV2 has a thousand objects a call: any object newer than the last training ends the search."""
    calls = []

    class Pages:
        def paginate(self, **_):
            for number in range(100):
                calls.append(number)
                yield {"Contents": [{"Key": f"{number}", "LastModified": datetime(2026, 1, 1, tzinfo=UTC)}] * 1000}

    aws, uri = retrain.module.aws, "s3://data/churn/raw/"
    monkeypatch.setattr(aws, "client", lambda _: SimpleNamespace(get_paginator=lambda _: Pages()))
    assert aws.newest_data(uri, None) == datetime(2026, 1, 1, tzinfo=UTC)
    assert calls == [0]
    calls.clear()
    assert aws.newest_data(uri, datetime(2026, 1, 2, tzinfo=UTC)) > datetime(2026, 11, 1, tzinfo=UTC)
    assert len(calls) == 50


def test_a_broken_settings_parameter_is_no_refused_message(retrain, training, cloud):
    del cloud.settings["retrain"]
    cloud.configure()
    record = cloud.message("manual")
    assert retrain(record) == [record["messageId"]]
    assert [line for line in retrain.logged() if line["message"] == "message refused"] == []


@pytest.mark.parametrize("trigger", ["schedule", "manual", "code"])
def test_nothing_trains_where_versions_are_promoted_to(cloud, retrain, trigger):
    training = Training(cloud)
    training.data()
    cloud.settings["promoted_from"] = "staging"
    cloud.configure()
    body = {"model": cloud.model, "trigger": trigger, "reason": "now", "id": "1"}
    assert retrain(message(body, cloud.model)) == []
    assert training.executions() == []
    reasons = [line["reason"] for line in retrain.logged() if line["message"] == "training skipped"]
    assert reasons == ["promote is `model`: versions come from staging, and none is trained here"]
