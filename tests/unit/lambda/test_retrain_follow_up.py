"""lambda/retrain: a request during a training waits for its end, and starts one training then."""

import sys
import uuid

import pytest
from botocore.exceptions import EndpointConnectionError

from .cloud import message
from .trainings import HOUR, alerts, ended, remembered, skipped, started


def parameters_of(training, arn):
    found = training.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    return {each["Name"]: each["Value"] for each in found}


@pytest.fixture
def running(training):
    """ARN of a training that a schedule started, with data that came since."""
    arn = training.earlier(5 * HOUR, "Executing")
    training.data()
    return arn


def only_new(training, *known):
    """The one execution that is not among the known ones."""
    (arn,) = set(training.executions()) - set(known)
    return arn


@pytest.mark.parametrize("kind", ["schedule", "drift_alarm", "manual"])
@pytest.mark.parametrize("status", ["Executing", "Stopping"])
def test_request_during_training_starts_when_it_ends(retrain, training, cloud, running, kind, status):
    training.finish(running, status)
    reason = remembered(retrain, training, cloud.message(kind))
    assert reason.startswith("a training is in flight since 20")
    assert reason.endswith("the request is remembered, and decided when that training ends")

    training.finish(running, "Failed")
    parameters = started(retrain, training, ended(cloud, running, "Failed"))
    assert parameters["Trigger"] == kind.removesuffix("_alarm")


def test_repeated_end_of_training_starts_follow_up_once(retrain, training, cloud, running):
    remembered(retrain, training, cloud.message("manual"))
    training.finish(running)
    assert retrain(ended(cloud, running)) == retrain(ended(cloud, running)) == []
    training.finish(only_new(training, running))
    assert retrain(ended(cloud, running)) == []
    assert len(training.executions()) == 2


def test_follow_up_starts_once_when_function_dies_after_start(retrain, training, cloud, running, monkeypatch):
    remembered(retrain, training, cloud.message("manual"))
    training.finish(running)
    record = ended(cloud, running)

    def dies(*_):
        raise EndpointConnectionError(endpoint_url="monitoring")

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["aws"], "put_counts", dies)
        assert retrain(record) == [record["messageId"]]
    training.finish(only_new(training, running))
    assert retrain(record) == []
    assert len(training.executions()) == 2


def test_request_that_is_delivered_again_while_remembered_has_no_effect(retrain, training, cloud, running):
    record = cloud.message("manual")
    remembered(retrain, training, record)
    retrain.calls.clear()
    assert retrain(record) == []
    assert retrain.changes == []


def test_requests_during_one_training_start_one_training(retrain, training, cloud, running):
    records = [
        message(cloud.event("manual", reason="new labels"), cloud.model),
        cloud.message("drift_alarm"),
        message(cloud.event("manual", trigger="code", reason="delivery e1"), cloud.model),
    ]
    for record in records:
        remembered(retrain, training, record)
    training.finish(running)
    parameters = started(retrain, training, ended(cloud, running))
    assert parameters["Trigger"] == "code"
    assert "new labels" in parameters["Reason"]
    assert "delivery e1" in parameters["Reason"]
    training.finish(only_new(training, running))
    for record in records:  # each was answered
        assert retrain(record) == []
    assert len(training.executions()) == 2


def test_request_after_training_takes_waiting_one_with_it(retrain, training, cloud, running):
    """The event about the end comes behind another request."""
    remembered(retrain, training, cloud.message("manual"))
    training.finish(running)
    started(retrain, training, message(cloud.event("manual", reason="second"), cloud.model))
    assert retrain(ended(cloud, running)) == []
    assert len(training.executions()) == 2


def test_end_of_training_without_follow_up_starts_none(retrain, training, cloud, running):
    training.finish(running)
    assert retrain(ended(cloud, running)) == []
    assert retrain.changes == []


def test_follow_up_moves_to_training_that_a_person_started(retrain, training, cloud, running):
    remembered(retrain, training, cloud.message("manual"))
    studio = training.earlier(HOUR, "Executing", kind=None)
    training.finish(running)
    remembered(retrain, training, ended(cloud, running))
    training.finish(studio)
    assert started(retrain, training, ended(cloud, studio))["Trigger"] == "manual"
    assert len(training.executions()) == 3
    first, second, _ = cloud.records()
    assert [each["facts"]["execution"] for each in (first, second)] == [running, studio]
    assert first["id"] != second["id"]  # with the same one the recorder would take both for one event


def test_request_is_recorded_before_it_is_remembered(retrain, training, cloud, running):
    """An attempt that ends between the two would leave no record: the next one finds the request remembered already."""
    remembered(retrain, training, cloud.message("manual"))
    names = [name for name, _ in retrain.calls]
    assert names.index("SendMessage") < names.index("UpdatePipelineExecution")


def test_older_running_training_counts_behind_newer_one(retrain, training, cloud, running):
    training.earlier(HOUR, "Failed", kind=None)
    assert remembered(retrain, training, cloud.message("manual")).startswith("a training is in flight since 20")


def test_alarm_without_new_data_is_answered_by_succeeded_training(retrain, training, cloud):
    training.data()
    running = training.earlier(-HOUR, "Executing")
    remembered(retrain, training, cloud.message("drift_alarm"))
    training.finish(running)
    assert skipped(retrain, training, ended(cloud, running)).startswith("no new data since the training of 20")
    assert alerts(retrain) == []
    retrain.calls.clear()
    assert retrain(ended(cloud, running)) == []
    assert retrain.changes == []


def test_alarm_without_new_data_alerts_when_training_failed(retrain, training, cloud):
    training.data()
    running = training.earlier(-HOUR, "Executing")
    remembered(retrain, training, cloud.message("drift_alarm"))
    training.finish(running, "Failed")
    skipped(retrain, training, ended(cloud, running, "Failed"))
    (alert,) = alerts(retrain)
    assert alert["why"].startswith("no new data since the training of 20")


def test_training_that_ends_during_the_request_is_followed_at_once(retrain, training, cloud, running, monkeypatch):
    """Its event was handled before, while the list of executions was older than the event."""
    aws = sys.modules["aws"]
    write = aws.set_follow_up

    def ends(*arguments):
        write(*arguments)
        training.finish(running)

    monkeypatch.setattr(aws, "set_follow_up", ends)
    assert started(retrain, training, cloud.message("manual"))["Trigger"] == "manual"


def test_refused_note_of_request_returns_to_queue_and_is_recorded(retrain, training, cloud, running, dies):
    record = cloud.message("manual")
    with dies("UpdatePipelineExecution", False, "the execution cannot be updated"):
        assert retrain(record) == [record["messageId"]]
    announced, refused = cloud.records("retrain")
    assert (refused["facts"]["refused"], refused["facts"]["what"]) == (
        announced["id"],
        "the request was not remembered",
    )
    remembered(retrain, training, record)


def test_two_trainings_in_flight_alert(retrain, training, cloud, running):
    studio = training.earlier(HOUR / 60, "Executing", kind=None)
    assert retrain(ended(cloud, studio, "Executing")) == []
    (alert,) = alerts(retrain)
    assert alert["cause"] == "two-trainings-in-flight"
    assert running in alert["why"]
    assert studio in alert["command"]


def test_start_of_only_training_in_flight_does_not_alert(retrain, training, cloud, running):
    assert retrain(ended(cloud, running, "Executing")) == []
    training.finish(running)
    assert retrain(ended(cloud, training.earlier(HOUR, "Executing"), "Executing")) == []
    assert retrain.changes == []


def test_end_of_removed_models_training_is_ignored(retrain, cloud):
    record = message(cloud.event("training_ended"), cloud.model)
    cloud.client("ssm").delete_parameter(Name=f"/acme/prod/models/{cloud.model}")
    assert retrain(record) == []
    assert retrain.changes == []


def test_description_keeps_its_parts_within_sagemakers_limit(modules):
    executions = modules("retrain", "shared.executions")["shared.executions"]
    ids = tuple(str(uuid.UUID(int=number)) for number in range(20))
    request = executions.Request("manual", "y" * 2000, ids)
    text = str(executions.Description("x | follow-up code 1: z" + "x" * 2000, ids, request))
    assert len(text) <= 3072
    parsed = executions.Description.parse(text)
    assert (parsed.reason[:26], parsed.answers) == ("x; follow-up code 1: zxxxx", ids[:12])
    assert parsed.follow_up == executions.Request("manual", "y" * 800, ids[:12])
