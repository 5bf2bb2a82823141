"""lambda/retrain: each trigger starts one training, with its reason, and invalid messages start none."""

import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from botocore.exceptions import EndpointConnectionError

from .cloud import message
from .trainings import started


@pytest.mark.parametrize("kind", ["schedule", "drift_alarm", "quality_alarm", "manual"])
def test_first_training_starts_for_every_trigger(retrain, training, cloud, kind):
    training.data()
    parameters = started(retrain, training, cloud.message(kind))
    assert parameters["Trigger"] == kind.removesuffix("_alarm")


def test_alarm_reason_becomes_training_parameter(retrain, training, cloud):
    training.data()
    parameters = started(retrain, training, cloud.message("drift_alarm"))
    assert parameters["Reason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [3.0")


def test_reason_is_made_printable_and_fits_pipeline_parameter(retrain, training, cloud):
    training.data()
    body = cloud.event("manual", reason="two\nlines\x00\u2028 " + "x" * 990)
    parameters = started(retrain, training, message(body))
    assert parameters["Reason"] == "two lines " + "x" * 790


@pytest.mark.parametrize("kind", ["manual", "quality_alarm"])
def test_longest_reason_fits_description_of_version(retrain, training, cloud, kind):
    """A version has `<trigger>: <reason>; <measured>`: SageMaker allows 1,024 characters, and Evaluate measures in 200."""
    training.data()
    if kind == "manual":
        body = cloud.event("manual", reason="x" * 1024)
    else:
        body = cloud.event(kind)
        body["detail"]["state"]["reason"] = "x" * 2000
    parameters = started(retrain, training, message(body))
    assert len(f"{parameters['Trigger']}: {parameters['Reason']}; ") <= 824
    assert parameters["Reason"].startswith("x" * 700)


def test_started_training_resets_retrain_not_started(retrain, training, cloud):
    training.data()
    retrain(cloud.message("manual"))
    (put,) = [parameters["MetricData"] for name, parameters in retrain.calls if name == "PutMetricData"]
    assert {each["MetricName"]: each["Value"] for each in put} == {"RetrainStarted": 1, "RetrainNotStarted": 0}


def test_execution_name_starts_with_trigger(retrain, training, cloud):
    training.data()
    retrain(cloud.message("drift_alarm"))
    (summary,) = training.sagemaker.list_pipeline_executions(PipelineName=training.pipeline)[
        "PipelineExecutionSummaries"
    ]
    assert summary["PipelineExecutionDisplayName"].startswith("drift-retrain-")


def test_duplicate_message_starts_one_training(retrain, training, cloud):
    training.data()
    record = cloud.message("manual")
    assert retrain(record) == retrain(record) == []
    assert len(training.executions()) == 1


def test_retry_after_start_does_not_start_again(retrain, training, cloud, monkeypatch):
    training.data()
    record = cloud.message("manual")

    def fails(*_):
        raise EndpointConnectionError(endpoint_url="monitoring")

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["aws"], "put_counts", fails)
        assert retrain(record) == [record["messageId"]]
    training.cloud.state.executions[training.executions()[0]].record["PipelineExecutionStatus"] = "Succeeded"
    assert retrain(record) == []
    assert len(training.executions()) == 1


def test_request_token_has_valid_length(retrain, training, cloud):
    training.data()
    retrain(cloud.message("manual"))
    (token,) = [p["ClientRequestToken"] for name, p in retrain.calls if name == "StartPipelineExecution"]
    assert 32 <= len(token) <= 128


def test_invalid_message_does_not_block_batch(retrain, training, cloud):
    training.data()
    bad, good, unknown = message("{"), cloud.message("manual"), message(cloud.event("manual", model="nobody"))
    assert retrain(bad, good, unknown) == []
    assert len(training.executions()) == 1
    refusals = [line for line in retrain.logged() if line["message"] == "message refused"]
    assert [line["message_id"] for line in refusals] == [bad["messageId"], unknown["messageId"]]
    assert "nobody" in refusals[1]["reason"]
    assert "model" not in refusals[1]


def test_data_listing_stops_at_first_newer_object(retrain, monkeypatch):
    """ListObjectsV2 returns a thousand objects per call."""
    calls = []

    class Pages:
        def paginate(self, **_):
            for number in range(100):
                calls.append(number)
                yield {"Contents": [{"Key": f"{number}", "LastModified": datetime(2026, 1, 1, tzinfo=UTC)}] * 1000}

    aws, uri = sys.modules["aws"], "s3://data/churn/raw/"
    monkeypatch.setattr(aws, "client", lambda _: SimpleNamespace(get_paginator=lambda _: Pages()))
    assert aws.newest_data(uri, None) == datetime(2026, 1, 1, tzinfo=UTC)
    assert calls == [0]
    calls.clear()
    assert aws.newest_data(uri, datetime(2026, 1, 2, tzinfo=UTC)) > datetime(2026, 11, 1, tzinfo=UTC)
    assert len(calls) == 50


def test_data_listing_stops_after_its_time(retrain, monkeypatch):
    """S3 throttles, or its pages are slow: one message must not take the function's time."""

    class Pages:
        def paginate(self, **_):
            while True:
                yield {"Contents": [{"Key": "1", "LastModified": datetime(2026, 1, 1, tzinfo=UTC)}]}

    aws, seconds = sys.modules["aws"], iter(range(0, 1000, 6))
    monkeypatch.setattr(aws, "client", lambda _: SimpleNamespace(get_paginator=lambda _: Pages()))
    monkeypatch.setattr(aws.time, "monotonic", lambda: next(seconds))
    assert aws.newest_data("s3://data/churn/raw/", datetime(2026, 1, 2, tzinfo=UTC)) > datetime(2026, 11, 1, tzinfo=UTC)


def test_invalid_settings_parameter_is_not_a_refused_message(retrain, training, cloud):
    del cloud.settings["retrain"]
    cloud.configure()
    record = cloud.message("manual")
    assert retrain(record) == [record["messageId"]]
    assert [line for line in retrain.logged() if line["message"] == "message refused"] == []
