"""lambda/deploy: the decision what to do with an endpoint, without AWS."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LIVE = {"status": "InService", "target": "v2", "live_version": 2}
OLDER = {"status": "InService", "target": "v1", "live_version": 1}
NEWER = {"status": "InService", "target": "v3", "live_version": 3}
UPDATING = OLDER | {"status": "Updating"}
FAILED = LIVE | {"status": "Failed"}
NONE = None


@pytest.fixture
def decide(modules):
    """The decision about version 2 as text; `last` is how its last deployment ended, `requested` when somebody asked for it."""
    loaded = modules("deploy", "decision", "deployment")
    decision, deployment = loaded["decision"], loaded["deployment"]

    def decide(endpoint, kind, last=None, requested="before", request="new"):
        state = decision.EndpointState(**endpoint) if endpoint else None
        ended = deployment.Deployment("v2", "arn/2", "old", "ann", NOON, "v1", "", last) if last else None
        hours = {"before": -1, "after": 1}[requested]
        wanted = decision.Wanted(("v2",), 2, NOON + timedelta(hours=hours), ended)
        decided = decision.decide(state, wanted, kind, request)
        return getattr(decided, "reason", type(decided).__name__)

    return decide


@pytest.mark.parametrize("kind", ["approved", "rejected", "settled", "changed", "created", "manual"])
@pytest.mark.parametrize(
    ("endpoint", "last", "expected"),
    [
        (LIVE, "succeeded", "already live"),
        (LIVE, None, "already live"),
        (OLDER, None, "Deploy"),
        (OLDER, "waiting", "Deploy"),
        (OLDER, "started", "Deploy"),
        (NEWER, "succeeded", "Deploy"),
        (UPDATING, None, "waits until the endpoint is in service"),
        (LIVE | {"status": "Updating"}, "started", "already on its way"),
        (LIVE | {"status": "Deleting"}, "succeeded", "Retry"),
    ],
)
def test_every_message_deploys_what_was_never_deployed(decide, kind, endpoint, last, expected):
    assert decide(endpoint, kind, last) == expected


@pytest.mark.parametrize("kind", ["approved", "rejected", "settled", "changed", "created"])
@pytest.mark.parametrize(
    ("endpoint", "last", "expected"),
    [
        (OLDER, "rolled back", "the deployment was rolled back"),
        (NEWER, "rolled back", "the deployment was rolled back"),
        (OLDER, "succeeded", "the endpoint was changed by hand"),
        (LIVE | {"target": "foreign", "live_version": None}, "succeeded", "the endpoint was changed by hand"),
        (FAILED, "failed", "the endpoint could not be created"),
        (NONE, "succeeded", "the endpoint is no longer there"),
        (NONE, "deleted", "the endpoint is no longer there"),
    ],
)
def test_ended_deployment_is_repeated_by_new_request_only(decide, kind, endpoint, last, expected):
    assert decide(endpoint, kind, last) == expected
    for new in ("manual", "approved"):
        assert decide(endpoint, new, last, requested="after") == ("Delete" if endpoint is FAILED else "Deploy")
    assert decide(endpoint, "manual", last, requested="after", request="old") == expected


def test_request_that_waited_during_deployment_is_not_repeated(decide):
    assert decide(OLDER, "manual", "rolled back", requested="before") == "the deployment was rolled back"


def test_changed_settings_deploy_the_live_version_again(decide):
    assert decide(LIVE | {"target": "v2-other-settings"}, "changed", "succeeded") == "Deploy"
    assert decide(LIVE | {"target": "v2-other-settings"}, "settled", "succeeded") == "Deploy"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("approved", "Deploy"),
        ("manual", "Deploy"),
        ("created", "Deploy"),
        ("changed", "the endpoint is no longer there"),
        ("settled", "the endpoint is no longer there"),
        ("rejected", "the endpoint is no longer there"),
    ],
)
def test_endpoint_is_created_for_request_only(decide, kind, expected):
    assert decide(NONE, kind) == expected


def test_retry_creates_endpoint_that_first_attempt_deleted(decide):
    assert decide(NONE, "settled", "waiting", request="old") == "Deploy"


def test_only_request_that_events_cannot_tell_is_remembered(modules):
    loaded = modules("deploy", "decision", "deployment")
    decision, deployment = loaded["decision"], loaded["deployment"]
    rolled_back = deployment.Deployment("v2", "arn/2", "old", "ann", NOON, "v1", "", "rolled back")

    def remembered(kind, last, request="new", requested=NOON):
        wanted = decision.Wanted(("v2",), 2, requested, last)
        return decision.decide(decision.EndpointState(**UPDATING), wanted, kind, request).remember

    later = NOON + timedelta(hours=1)
    assert remembered("manual", rolled_back, requested=later)
    assert remembered("changed", None)
    assert not remembered("manual", rolled_back, request="old", requested=later)
    assert not remembered("manual", None)
    assert not remembered("approved", rolled_back)
    assert remembered("approved", rolled_back, requested=later)


@pytest.mark.parametrize(
    ("status", "stable"), [("InService", True), ("OutOfService", True), ("Updating", False), ("Failed", False)]
)
def test_only_stable_endpoint_can_be_scaled(modules, status, stable):
    module = modules("deploy", "decision")["decision"]
    assert module.EndpointState(**LIVE | {"status": status}).stable is stable


ENDPOINT = {"EndpointStatus": "InService", "EndpointConfigName": "v1", "LastModifiedTime": NOON + timedelta(minutes=9)}


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ({"EndpointConfigName": "v2"}, ("succeeded", None)),
        ({"EndpointConfigName": "v2", "FailureReason": "of an earlier deployment"}, ("succeeded", None)),
        ({"FailureReason": "alarm"}, ("rolled back", "alarm")),
        ({}, ("rolled back", None)),
        ({"EndpointStatus": "Updating"}, None),
        ({"LastModifiedTime": NOON}, None),
        ({"EndpointStatus": "Failed", "FailureReason": "quota"}, ("failed", "quota")),
        ({"EndpointStatus": "UpdateRollbackFailed"}, ("failed", None)),
        (
            {"EndpointConfigName": "foreign"},
            ("failed", "the endpoint has the configuration foreign, which another principal deployed"),
        ),
    ],
)
def test_end_of_deployment_is_what_sagemaker_describes(modules, endpoint, expected):
    module = modules("deploy", "deployment")["deployment"]
    started = module.Deployment("v2", "arn/2", "id", "ann", NOON, "v1", NOON.isoformat(), "started")
    end = module.end_of(started, ENDPOINT | endpoint)
    assert (end and (end.outcome, end.reason)) == expected
    assert end is None or end.time == (ENDPOINT | endpoint)["LastModifiedTime"]


ROLLED_BACK = ENDPOINT | {"LastDeploymentConfig": {"BlueGreenUpdatePolicy": {"MaximumExecutionTimeoutInSeconds": 4860}}}


@pytest.mark.parametrize(
    ("endpoint", "previous", "timeout", "expected"),
    [
        (ROLLED_BACK, "v1", 4860, "rolled back"),
        (ROLLED_BACK, "v1", 4861, None),
        (ENDPOINT, "v1", 4860, None),
        (ENDPOINT | {"EndpointConfigName": "v2"}, "v1", 4860, "succeeded"),
        (ENDPOINT | {"EndpointConfigName": "v2", "EndpointStatus": "Failed"}, "", 0, "failed"),
        (ENDPOINT | {"EndpointConfigName": "v2", "EndpointStatus": "Failed"}, "v2", 0, None),
        (ROLLED_BACK, "v1", 0, None),
    ],
)
def test_end_of_prepared_deployment_needs_proof_of_its_start(modules, endpoint, previous, timeout, expected):
    module = modules("deploy", "deployment")["deployment"]
    prepared = module.Deployment("v2", "arn/2", "id", "ann", NOON, previous, NOON.isoformat(), "waiting", timeout)
    end = module.end_of(prepared, endpoint)
    assert (end and end.outcome) == expected


@pytest.mark.parametrize(
    ("started", "outcome", "expected"),
    [(NOON, "started", "started"), (NOON, "waiting", "waiting"), (NOON + timedelta(hours=1), "started", "waiting")],
)
def test_tags_of_endpoint_confirm_start_of_same_deployment(modules, started, outcome, expected):
    module = modules("deploy", "deployment")["deployment"]
    prepared = module.Deployment("v2", "arn/2", "id", "ann", NOON, "v1", NOON.isoformat(), "waiting", 4860)
    tagged = replace(prepared, started=started, outcome=outcome)
    tags = {tag["Key"]: tag["Value"] for tag in tagged.endpoint_tags()}
    assert prepared.confirmed_by(module.Deployment.from_endpoint_tags(tags)).outcome == expected
    assert replace(prepared, outcome="failed").confirmed_by(tagged).outcome == "failed"


def test_timeout_differs_from_that_of_last_deployment(modules):
    loaded = modules("deploy", "api_requests", "deployment")
    settings = SimpleNamespace(serving=SimpleNamespace(canary=SimpleNamespace(bake=600)))
    first = loaded["api_requests"].timeout_seconds(settings, None)
    second = loaded["api_requests"].timeout_seconds(settings, first)
    assert (second, loaded["api_requests"].timeout_seconds(settings, second)) == (first + 1, first)
    assert loaded["deployment"].timeout_of(ROLLED_BACK) == 4860
    assert loaded["deployment"].timeout_of(ENDPOINT) is None


def test_deployment_is_read_from_its_own_tags(modules):
    module = modules("deploy", "deployment")["deployment"]
    made = module.Deployment("v2", "arn:aws:x/2", "id!", "ann's, " + "x" * 300, NOON, "v1", NOON.isoformat(), "started")
    tags = {tag["Key"]: tag["Value"] for tag in made.tags()}
    read = module.Deployment.from_tags("v2", tags)
    assert (read.model_package, read.started, read.previous, read.version) == ("arn:aws:x/2", NOON, "v1", 2)
    assert (read.request, read.requested_by) == ("id ", ("ann s  " + "x" * 300)[:256])
    assert module.Deployment.from_tags("v2", {"model-factory:model": "churn"}) is None
