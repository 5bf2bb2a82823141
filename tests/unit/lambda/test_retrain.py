"""lambda/retrain: each trigger starts one training, with its reason, and invalid messages start none."""

import json
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from botocore.exceptions import EndpointConnectionError

from .cloud import ACCOUNT, event, message
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

    aws, seconds, pages = (
        sys.modules["aws"],
        iter(range(100, 1000, 10)),
        written(*[datetime(2026, 1, 1, tzinfo=UTC)] * 9),
    )
    monkeypatch.setattr(aws, "client", lambda _: pages)
    monkeypatch.setattr(aws.time, "monotonic", lambda: next(seconds))
    assert aws.newest_data("s3://data/churn/raw/", datetime(2026, 1, 2, tzinfo=UTC)) > datetime(2026, 11, 1, tzinfo=UTC)
    assert next(seconds) == 140, "the third page comes after 30 of 20 seconds"


def test_data_listing_goes_on_after_object_that_is_not_newer(retrain, monkeypatch):
    last, newer = datetime(2026, 1, 1, 3, tzinfo=UTC), datetime(2026, 1, 1, 4, tzinfo=UTC)
    aws = sys.modules["aws"]
    monkeypatch.setattr(aws, "client", lambda _: written(last, newer))
    assert aws.newest_data("s3://data/churn/raw/", last) == newer


def written(*times):
    """A client of S3 whose ListObjectsV2 has a page with one object for each time."""
    pages = [{"Contents": [{"Key": "1", "LastModified": time}]} for time in times]
    return SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: iter(pages)))


def test_refused_start_returns_to_queue_and_is_recorded(retrain, training, cloud, dies):
    training.data()
    record = cloud.message("manual", SentTimestamp="1795497689050")
    with dies("StartPipelineExecution", False, "the pipeline is being updated"):
        assert retrain(record) == [record["messageId"]]
    announced, refused = cloud.records("retrain")
    assert announced["time"] == "2026-11-24T05:21:29.050000+00:00"
    assert (refused["facts"]["refused"], refused["facts"]["what"]) == (announced["id"], "the training was not started")
    started(retrain, training, record)


def test_log_of_failed_message_names_model_and_trigger(retrain, training, cloud, dies):
    training.data()
    with dies("StartPipelineExecution", False):
        retrain(cloud.message("manual"))
    (line,) = [line for line in retrain.logged() if line["message"] == "message failed"]
    assert (line["model"], line["trigger"]) == (cloud.model, "manual")


@pytest.mark.parametrize(
    ("kind", "changes", "is_valid"),
    [
        ("manual", {"reason": "r", "id": "i"}, True),
        ("manual", {"reason": "r" * 1024, "id": "i" * 128}, True),
        ("manual", {"reason": ""}, False),
        ("manual", {"reason": "r" * 1025}, False),
        ("manual", {"id": ""}, False),
        ("manual", {"id": "i" * 129}, False),
        ("drift_alarm", {"id": "i"}, True),
        ("drift_alarm", {"id": "i" * 128}, True),
        ("drift_alarm", {"id": "i" * 129}, False),
        ("drift_alarm", {"detail": {"alarmName": "acme-prod-churn-drift", "state": {"value": "ALARM", "reason": "r"}}}, True),
        ("drift_alarm", {"detail": {"alarmName": "acme-prod-churn-drift", "state": {"value": "ALARM", "reason": ""}}}, False),
    ],
)  # fmt: skip
def test_texts_of_message_have_limits(modules, kind, changes, is_valid):
    loaded = modules("retrain", "messages", "shared.messages")
    origin = loaded["shared.messages"].Origin(ACCOUNT, "acme-prod")
    body = json.dumps(event(kind) | changes)
    if is_valid:
        assert loaded["messages"].parse(body, origin).model == "churn"
        return
    with pytest.raises(loaded["shared.messages"].InvalidMessageError):
        loaded["messages"].parse(body, origin)


def test_invalid_settings_parameter_is_not_a_refused_message(retrain, training, cloud):
    del cloud.settings["retrain"]
    cloud.configure()
    record = cloud.message("manual")
    assert retrain(record) == [record["messageId"]]
    assert [line for line in retrain.logged() if line["message"] == "message refused"] == []
