"""What the recorder reads in a message: records of senders, and events of AWS about models of the environment alone."""

import json
from datetime import UTC, datetime

import pytest

from .cloud import ACCOUNT, event

OTHER = "999999999999"


@pytest.fixture
def read(recorder_modules, modules):
    """What a body says; an event is given as its content."""
    loaded = modules("recorder", "messages", "events", "shared.messages")
    messages, origin = loaded["messages"], loaded["shared.messages"].Origin(ACCOUNT, "acme-prod")

    def read(body):
        text = body if isinstance(body, str) else json.dumps(body)
        return messages.parse(messages.Received(text, "sender"), origin)

    read.events, read.error = loaded["events"], loaded["shared.messages"].InvalidMessageError
    return read


def changed(event_name, **detail):
    made = event(event_name)
    made["detail"] |= detail
    return made


def execution(pipeline, account=ACCOUNT, status="Failed"):
    arn = f"arn:aws:sagemaker:eu-west-1:{account}:pipeline/{pipeline}/execution/4r8"
    return changed("training_ended", pipelineExecutionArn=arn, currentPipelineExecutionStatus=status)


@pytest.mark.parametrize(
    ("pipeline", "is_scoring"), [("acme-prod-churn-train", False), ("acme-prod-churn-score", True)]
)
def test_execution_is_of_the_training_or_the_scoring(read, pipeline, is_scoring):
    found = read(execution(pipeline))
    assert (found.model, found.status, found.is_scoring) == ("churn", "Failed", is_scoring)


@pytest.mark.parametrize(
    "made",
    [
        execution("acme-prod-churn-monitor"),
        execution("acme-dev-churn-train"),
        execution("acme-prod-churn-train", OTHER),
        changed("settings_changed", name="/acme/dev/models/churn"),
        changed("settings_changed", name="/acme/prod/models/Churn"),
        changed("version_approved", ModelPackageArn=f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model-package/acme-dev-churn/2"),
        changed("version_approved", ModelPackageArn=f"arn:aws:sagemaker:eu-west-1:{OTHER}:model-package/acme-prod-churn/2"),
        changed("drift_alarm", alarmName="acme-prod-churn-latency"),
    ],
)  # fmt: skip
def test_event_about_no_model_of_environment_is_none(read, made):
    assert read(made) is None


def test_new_version_has_the_time_of_its_creation(read):
    arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model-package/acme-prod-churn/2"
    made = changed("version_approved", ModelPackageArn=arn, CreationTime="2026-11-25T05:00:00Z")
    made["detail"] |= {"LastModifiedTime": None, "UpdatedModelPackageFields": None}
    found = read(made)
    created = datetime(2026, 11, 25, 5, tzinfo=UTC)
    assert (found.model, found.arn, found.created, found.change.time) == ("churn", arn, created, created)
    del made["detail"]["CreationTime"]
    assert read(made).created is None


def test_event_without_resources_has_no_arn(read):
    for name in ("settings_changed", "drift_alarm"):
        assert read(event(name) | {"resources": []}).arn == ""


@pytest.mark.parametrize("body", ["no JSON", "[1]", '"text"', "{}"])
def test_message_that_is_no_record_is_refused(read, body):
    with pytest.raises(read.error):
        read(body)


@pytest.mark.parametrize("status", ["Executing", "Stopping"])
def test_execution_that_has_not_ended_is_refused(read, status):
    with pytest.raises(read.error, match="currentPipelineExecutionStatus"):
        read(execution("acme-prod-churn-train", status=status))
