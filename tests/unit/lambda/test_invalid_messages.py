"""Invalid messages and events: refused with an alert, moved to the dead-letter queue, and without any other effect.

Real events are mutated, and other JSON is generated. `generated_messages` decides independently, from the contracts, whether a
message is valid; the function has to agree in both directions.
"""

import json
import os
import sys
from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace

import botocore.client
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .cloud import ACCOUNT, READS, event, message
from .generated_messages import (
    ANYTHING,
    CHARACTERS,
    NAME,
    at,
    dropped_by_deploy,
    mutated,
    text,
    valid_end_of_training,
    valid_for_deploy,
    valid_for_retrain,
)

# The same examples each time; `FUZZ_EXAMPLES=1000 pytest tests/unit/lambda/test_invalid_messages.py` runs more.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
CASES = Counter()
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
SETTINGS = {
    "model": "churn",
    "model_package_group": "acme-prod-churn",
    "training_pipeline": "acme-prod-churn-train",
    "endpoint": "acme-prod-churn",
    "raw_uri": "s3://data/churn/raw/",
    "retrain": {"on_drift": True, "cooldown_seconds": 0.0},
}
RESPONSES = {
    "ListPipelineExecutions": {"PipelineExecutionSummaries": []},
    "ListObjectsV2": {"Contents": [{"Key": "churn/raw/a", "LastModified": datetime(2026, 11, 24, tzinfo=UTC)}]},
    "StartPipelineExecution": {"PipelineExecutionArn": "arn"},
    "ListEndpointConfigs": {"EndpointConfigs": []},
    "ListModels": {"Models": []},
    "ListModelPackages": {"ModelPackageSummaryList": []},
    "PutEvents": {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]},
}


REFUSED = ["PutEvents", "SendMessage"]
"""The calls that refuse a message: the alert, and the dead letter."""


class Recorded:
    """Stub of AWS with one model that records every call; fast enough for thousands of cases."""

    def __init__(self, function):
        self.function, self.calls = function, []

    def __call__(self, client, operation, parameters):
        self.calls.append((operation, parameters))
        if operation == "GetParameter" and parameters["Name"] != "/acme/prod/models/churn":
            raise client.exceptions.ParameterNotFound({"Error": {"Code": "ParameterNotFound"}}, operation)
        if operation == "GetParameter":
            return {"Parameter": {"Value": json.dumps(SETTINGS)}}
        if operation == "DescribeEndpoint":
            raise client.exceptions.ClientError({"Error": {"Message": "Could not find endpoint"}}, operation)
        return RESPONSES.get(operation, {})

    def changes(self):
        return [name for name, _ in self.calls if not name.startswith(READS)]

    def handle(self, body):
        """Handle one message; whether it was logged as refused, which has to move it to the dead-letter queue."""
        self.calls.clear()
        assert self.function(message(body)) == []
        refused = any(line["message"] == "message refused" for line in self.function.logged())
        assert (self.changes() == REFUSED) is refused
        return refused


@pytest.fixture
def recorded(load, monkeypatch):
    def start(name):
        made = Recorded(load(name))
        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", lambda *call: made(*call))
        return made

    return start


@pytest.fixture
def retrain(recorded):
    return recorded("retrain")


@pytest.fixture
def deploy(recorded, monkeypatch):
    made = recorded("deploy")
    monkeypatch.setattr("shared.queue.read_settings", read_settings)
    monkeypatch.setattr(made.function.module, "handle_version", lambda *_: None)
    monkeypatch.setattr(made.function.module, "reconcile", _reconcile(made))
    return made


def read_settings(model, _):
    """Read the parameter as usual; its content does not matter here."""
    from shared.clients import client

    try:
        client("ssm").get_parameter(Name=f"/acme/prod/models/{model}")
    except client("ssm").exceptions.ParameterNotFound:
        raise LookupError(model) from None
    return SimpleNamespace(model=model)


def _reconcile(made):
    def reconcile(settings, request, *_):
        made.calls.append(("Reconcile", settings.model))
        return SimpleNamespace(message="reconciled", facts={})

    return reconcile


def agree(function, valid, content):
    """The function accepts valid messages, and refuses others without any effect."""
    refused = function.handle(json.dumps(content))
    expected = bool(valid(content))
    CASES["accepted" if expected else "refused"] += 1
    assert refused is not expected, content
    acted = "StartPipelineExecution" in function.changes() or "Reconcile" in function.changes()
    assert acted is expected


RETRAIN_EVENTS = ["schedule", "manual", "drift_alarm"]
DEPLOY_EVENTS = ["manual", "version_approved", "endpoint_in_service", "endpoint_deleting", "settings_changed"]


@pytest.mark.parametrize("name", RETRAIN_EVENTS)
def test_retrain_accepts_contract_messages(retrain, name):
    assert not retrain.handle(json.dumps(event(name)))
    assert retrain.changes() == ["SendMessage", "StartPipelineExecution", "PutMetricData"]


@pytest.mark.parametrize("name", DEPLOY_EVENTS)
def test_deploy_accepts_contract_messages(deploy, name):
    assert not deploy.handle(json.dumps(event(name)))
    assert deploy.changes() == ["Reconcile"]


@FUZZ
@given(content=mutated(RETRAIN_EVENTS))
def test_retrain_refuses_mutated_events(retrain, content):
    agree(retrain, valid_for_retrain, content)


@FUZZ
@given(content=mutated(["training_ended"]))
def test_retrain_refuses_mutated_ends_of_trainings(retrain, content):
    assert retrain.handle(json.dumps(content)) is not bool(valid_end_of_training(content)), content


@FUZZ
@given(content=mutated(DEPLOY_EVENTS))
def test_deploy_refuses_mutated_events(deploy, content):
    if dropped_by_deploy(content):
        assert not deploy.handle(json.dumps(content))
        assert deploy.changes() == []
    else:
        agree(deploy, valid_for_deploy, content)


@pytest.mark.parametrize("name", ["retrain", "deploy"])
@FUZZ
@given(body=ANYTHING.map(json.dumps) | st.text(CHARACTERS) | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_other_body_is_refused(request, name, body):
    function = request.getfixturevalue(name)
    CASES["refused"] += 1
    assert function.handle(body)


WRONG = {
    "cut off": lambda body: body[:-1],
    "too large": lambda body: body[:-1] + ',"more":"' + "x" * 256 * 1024 + '"}',
    "nested too deeply": lambda body: body[:-1] + ',"more":' + "[" * 100_000 + "]" * 100_000 + "}",
    "half a character": lambda body: body.replace("churn", "churn\\ud800"),
    "not a number": lambda body: "NaN",
    "another account": lambda body: body.replace(ACCOUNT, "999999999999"),
    "another source": lambda body: body.replace("aws.", "com.acme."),
    "another environment": lambda body: body.replace("acme-prod", "acme-dev"),
    "a model that does not exist": lambda body: body.replace("churn", "nobody"),
    "a path for a model": lambda body: body.replace("churn", "../../acme/dev/models/x"),
    "a model's name of a kilobyte": lambda body: body.replace("churn", "c" * 1024),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    ("name", "known"), [("retrain", "drift_alarm"), ("retrain", "training_ended"), ("deploy", "version_approved")]
)
def test_event_with_one_invalid_value_is_refused(request, name, known, wrong):
    if (known, wrong) == ("training_ended", "a model that does not exist"):
        pytest.skip("the training of a model that was removed")
    function = request.getfixturevalue(name)
    assert function.handle(WRONG[wrong](json.dumps(event(known))))


def test_refusal_names_reason_without_message_content(retrain):
    record = message({"model": "churn", "trigger": "manual", "reason": "secret", "id": "1", "password": "secret"})
    retrain.function(record)
    (line,) = [line for line in retrain.function.logged() if line["message"] == "message refused"]
    assert line["message_id"] == record["messageId"]
    assert "Extra inputs are not permitted" in line["reason"]
    assert "secret" not in line["reason"]
    (attributes,) = [sent["MessageAttributes"] for name, sent in retrain.calls if name == "SendMessage"]
    assert attributes["Reason"]["StringValue"] == line["reason"]


@pytest.fixture
def clean_up(recorded, monkeypatch):
    made = recorded("endpoint_cleanup")
    made.sent = []
    monkeypatch.setattr("shared.custom_resource.respond", lambda request, status, reason, **_: made.sent.append(status))
    return made


@FUZZ
@given(content=mutated(["stack_deleted"]) | ANYTHING)
def test_clean_up_responds_to_requests_and_refuses_other_events(clean_up, content):
    clean_up.calls.clear()
    clean_up.sent.clear()
    try:
        clean_up.function.invoke(content)
    except sys.modules["shared.messages"].InvalidMessageError:
        assert clean_up.sent == clean_up.changes() == []
        CASES["refused"] += 1
        return
    CASES["accepted"] += 1
    endpoint, group = (at(content, "ResourceProperties", key) for key in ("EndpointName", "ModelPackageGroupName"))
    assert content["StackId"].split(":")[4] == ACCOUNT
    if content["RequestType"] != "Delete":
        assert (clean_up.sent, clean_up.changes()) == (["SUCCESS"], [])
    elif clean_up.sent == ["SUCCESS"]:
        assert all(text(name, 63, NAME) for name in (endpoint, group))
        assert clean_up.changes() == ["SendMessage", "DeleteAlarms", *["DeregisterScalableTarget"] * 2]
    else:
        assert (clean_up.sent, clean_up.changes()) == (["FAILED"], [])
