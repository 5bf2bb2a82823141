"""Messages and events that are not ours: refused with a log line, handed back for the dead letters, and nothing is started.

Real events are mutated, and whatever else JSON can be is tried. `ours` says by itself, from what the contracts promise,
whether a case is to be taken; the function has to agree in both directions.
"""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace

import botocore.client
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import ACCOUNT, READS, event, message

EXAMPLES = 1000
CASES = Counter()
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SETTINGS = {
    "model": "churn",
    "model_package_group": "acme-prod-churn",
    "training_pipeline": "acme-prod-churn-train",
    "endpoint": "acme-prod-churn",
    "raw_uri": "s3://data/churn/raw/",
    "records_uri": "s3://records/churn/",
    "retrain": {"on_drift": True, "cooldown_seconds": 0.0},
}
ANSWERS = {
    "ListPipelineExecutions": {"PipelineExecutionSummaries": []},
    "ListObjectsV2": {"Contents": [{"Key": "churn/raw/a", "LastModified": datetime(2026, 11, 24, tzinfo=UTC)}]},
    "StartPipelineExecution": {"PipelineExecutionArn": "arn"},
    "ListEndpointConfigs": {"EndpointConfigs": []},
    "ListModels": {"Models": []},
    "ListModelPackages": {"ModelPackageSummaryList": []},
}


class Recorded:
    """AWS that knows one model and notes every call; quick enough for thousands of cases."""

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
        return ANSWERS.get(operation, {})

    def changes(self):
        return [name for name, _ in self.calls if not name.startswith(READS)]

    def handle(self, body):
        """One message: (it goes back to the queue, it was logged as refused, it reached what acts on it)."""
        self.calls.clear()
        record = message(body)
        back = self.function(record) == [record["messageId"]]
        refused = any(line["message"] == "message refused" for line in self.function.logged())
        return back, refused


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
    def reconcile(settings, request, delivery):
        made.calls.append(("Reconcile", settings.model))
        return SimpleNamespace(message="reconciled", facts={})

    return reconcile


def text(value, most, pattern=None):
    return isinstance(value, str) and 1 <= len(value) <= most and (pattern is None or re.fullmatch(pattern, value))


def at(content, *path):
    for key in path:
        content = content.get(key) if isinstance(content, dict) else None
    return content


def of_aws(content, source, kind, identifier):
    return (
        text(at(content, "id"), 128, identifier)
        and at(content, "source") == source
        and at(content, "detail-type") == kind
        and at(content, "account") == ACCOUNT
    )


def ours_to_retrain(content):
    """Whether the retrain queue's contract has such a message, about the one model that there is."""
    if isinstance(content, dict) and set(content) == {"model", "trigger", "reason", "id"}:
        known = content["model"] == "churn" and content["trigger"] in ("schedule", "manual", "code")
        return known and text(content["reason"], 1024) and text(content["id"], 128)
    return (
        of_aws(content, "aws.cloudwatch", "CloudWatch Alarm State Change", None)
        and at(content, "detail", "alarmName") == "acme-prod-churn-drift"
        and at(content, "detail", "state", "value") == "ALARM"
        and text(at(content, "detail", "state", "reason"), 10**6)
    )


def ours_to_deploy(content):
    """Whether the deploy queue's contract has such a message, about the one model that there is."""
    identifier = r"[!-~]+"
    if isinstance(content, dict) and set(content) == {"model", "trigger", "reason", "id"}:
        known = content["model"] == "churn" and content["trigger"] == "manual"
        reason = content["reason"]
        return known and text(content["id"], 128, identifier) and isinstance(reason, str) and len(reason) <= 1024
    if of_aws(content, "aws.sagemaker", "SageMaker Model Package State Change", identifier):
        detail = at(content, "detail", "ModelPackageGroupName"), at(content, "detail", "ModelApprovalStatus")
        return detail == ("acme-prod-churn", "Approved")
    return (
        of_aws(content, "aws.sagemaker", "SageMaker Endpoint State Change", identifier)
        and at(content, "detail", "EndpointName") == "acme-prod-churn"
        and at(content, "detail", "EndpointStatus") in ("IN_SERVICE", "FAILED")
    )


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
NEIGHBOURS = st.sampled_from(
    [
        "acme-dev-churn", "acme-prod-", "acme-prod-churn-drift", "acme-prod-churn-dev-drift", "other-acme-prod-churn-drift",
        "acme-prod-Churn-drift", "acme-prod-churn\n", "acme-prod-../../x-drift", "acme-prod--drift",
        "acme-prod-churn-endpoint-errors",
        "acme-prod-" + "x" * 30, "churn", "churn\n", "CHURN", "churn/../loan", "nobody", "drift", "code", "999999999999",
        ACCOUNT, f"{ACCOUNT} ", "aws.cloudwatch", "aws.sagemaker", "com.acme", "Rejected", "OK", "Approved", "UPDATING", "",
    ]
)  # fmt: skip


def paths(content, path=()):
    """Every place in a document."""
    yield path
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        yield from paths(value, (*path, key))


@st.composite
def mutated(draw, names):
    """A real event with one to three of its places taken away or put to something else."""
    content = event(draw(st.sampled_from(names)))
    for _ in range(draw(st.integers(1, 3))):
        places = [path for path in paths(content) if path]
        if not places:
            break
        *way, last = draw(st.sampled_from(places))
        parent = content
        for key in way:
            parent = parent[key]
        if draw(st.booleans()):
            parent[last] = draw(NEIGHBOURS | ANYTHING)
        else:
            del parent[last]
    return content


def agree(function, ours, content):
    """The function takes what is ours, and refuses all else without having started anything."""
    back, refused = function.handle(json.dumps(content))
    wanted = bool(ours(content))
    CASES["taken" if wanted else "refused"] += 1
    assert back is refused is not wanted, content
    acted = "StartPipelineExecution" in function.changes() or "Reconcile" in function.changes()
    assert acted is wanted
    if not wanted:
        assert function.changes() == []


RETRAIN_EVENTS = ["schedule", "manual", "drift_alarm"]
DEPLOY_EVENTS = ["manual", "version_approved", "endpoint_in_service"]


@pytest.mark.parametrize("name", RETRAIN_EVENTS)
def test_retrain_takes_what_the_contract_has(retrain, name):
    assert retrain.handle(json.dumps(event(name))) == (False, False)
    assert retrain.changes() == ["StartPipelineExecution", "PutMetricData"]


@pytest.mark.parametrize("name", DEPLOY_EVENTS)
def test_deploy_takes_what_the_contract_has(deploy, name):
    assert deploy.handle(json.dumps(event(name))) == (False, False)
    assert deploy.changes() == ["Reconcile"]


@FUZZ
@given(content=mutated(RETRAIN_EVENTS))
def test_retrain_refuses_mutated_events(retrain, content):
    agree(retrain, ours_to_retrain, content)


@FUZZ
@given(content=mutated(DEPLOY_EVENTS))
def test_deploy_refuses_mutated_events(deploy, content):
    agree(deploy, ours_to_deploy, content)


@pytest.mark.parametrize("name", ["retrain", "deploy"])
@FUZZ
@given(body=ANYTHING.map(json.dumps) | st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_whatever_else_stands_in_a_message_is_refused(request, name, body):
    function = request.getfixturevalue(name)
    CASES["refused"] += 1
    assert function.handle(body) == (True, True)
    assert function.changes() == []


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
@pytest.mark.parametrize(("name", "known"), [("retrain", "drift_alarm"), ("deploy", "version_approved")])
def test_a_real_event_that_is_wrong_in_one_way_is_refused(request, name, known, wrong):
    function = request.getfixturevalue(name)
    assert function.handle(WRONG[wrong](json.dumps(event(known)))) == (True, True)
    assert function.changes() == []


def test_a_refusal_says_why_but_not_what_the_message_held(retrain):
    record = message({"model": "churn", "trigger": "manual", "reason": "secret", "id": "1", "password": "secret"})
    retrain.function(record)
    (line,) = [line for line in retrain.function.logged() if line["message"] == "message refused"]
    assert line["message_id"] == record["messageId"]
    assert "Extra inputs are not permitted" in line["reason"]
    assert "secret" not in line["reason"]


@pytest.fixture
def clean_up(recorded, monkeypatch):
    made = recorded("endpoint_cleanup")
    made.sent = []
    monkeypatch.setattr(made.function.module, "respond", lambda request, status, reason: made.sent.append(status))
    return made


@FUZZ
@given(content=mutated(["stack_deleted"]) | ANYTHING)
def test_the_clean_up_removes_nothing_for_what_is_no_request_and_answers_what_is_one(clean_up, content):
    clean_up.calls.clear()
    clean_up.sent.clear()
    try:
        clean_up.function.invoke(content)
    except clean_up.function.module.InvalidMessageError:
        assert clean_up.sent == clean_up.changes() == []
        CASES["refused"] += 1
        return
    CASES["taken"] += 1
    endpoint, group = (at(content, "ResourceProperties", key) for key in ("EndpointName", "ModelPackageGroupName"))
    assert content["StackId"].split(":")[4] == ACCOUNT
    if content["RequestType"] != "Delete":
        assert (clean_up.sent, clean_up.changes()) == (["SUCCESS"], [])
    elif clean_up.sent == ["SUCCESS"]:
        assert all(text(name, 63, NAME) for name in (endpoint, group))
        assert clean_up.changes() == ["DeregisterScalableTarget"]
    else:
        assert (clean_up.sent, clean_up.changes()) == (["FAILED"], [])
