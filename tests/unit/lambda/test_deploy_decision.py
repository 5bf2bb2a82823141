"""lambda/deploy: the decision what to do with an endpoint, without AWS."""

import pytest

LIVE = {
    "status": "InService",
    "target": "v1",
    "wanted": "v1",
    "wanted_version": 1,
    "wanted_exists": True,
    "live_version": 1,
}
WANTED = LIVE | {"wanted": "v2", "wanted_version": 2, "wanted_exists": False}
ROLLED_BACK = WANTED | {"wanted_exists": True, "failure_reason": "alarm"}
FAILED = LIVE | {"status": "Failed", "failure_reason": "no capacity"}
WITHDRAWN = LIVE | {"target": "v2", "live_version": 2}


@pytest.fixture
def decide(modules):
    """The decision for an endpoint's state, as text."""
    module = modules("deploy", "decision")["decision"]

    def decide(state, update_ended=False, is_retry=False):
        endpoint = module.EndpointState(**state) if state else None
        decision = module.decide(endpoint, update_ended=update_ended, is_retry=is_retry)
        return getattr(decision, "reason", type(decision).__name__)

    return decide


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, "Deploy"),
        (LIVE, "already live"),
        (WANTED, "Deploy"),
        (ROLLED_BACK, "Deploy"),
        (WITHDRAWN, "Deploy"),
        (FAILED, "Delete"),
        (LIVE | {"status": "Deleting"}, "Retry"),
        (LIVE | {"status": "Updating"}, "already on its way"),
        (WANTED | {"status": "RollingBack"}, "waits until the endpoint is in service"),
    ],
)
def test_approval_or_manual_request_deploys_whatever_is_not_live(decide, state, expected):
    assert decide(state) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, "the endpoint is no longer there"),
        (LIVE, "already live"),
        (WANTED, "Deploy"),
        (ROLLED_BACK, "the deployment was rolled back"),
        (WITHDRAWN, "Deploy"),
        (WITHDRAWN | {"failure_reason": "alarm"}, "the deployment was rolled back"),
        (WITHDRAWN | {"live_version": None}, "the deployment was rolled back"),
        (FAILED, "the endpoint could not be created"),
        (FAILED | {"wanted": "v2", "wanted_version": 2, "wanted_exists": False}, "Delete"),
    ],
)
def test_end_of_update_does_not_repeat_a_failed_deployment(decide, state, expected):
    assert decide(state, update_ended=True) == expected


def test_retry_creates_endpoint_that_first_attempt_deleted(decide):
    assert decide(None, update_ended=True, is_retry=True) == "Deploy"


@pytest.mark.parametrize(
    ("status", "stable"), [("InService", True), ("OutOfService", True), ("Updating", False), ("Failed", False)]
)
def test_only_stable_endpoint_can_be_scaled(modules, status, stable):
    module = modules("deploy", "decision")["decision"]
    assert module.EndpointState(**LIVE | {"status": status}).stable is stable
