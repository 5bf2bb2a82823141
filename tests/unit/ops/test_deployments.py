"""`model-factory redeploy` and `rollback`: what they send and reject, and what they say about the end."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from model_factory.core.names import EnvironmentNames
from model_factory.functions.shared import chain
from model_factory.ops.operations import deployments
from model_factory.ops.project import UsageError

NAMES = EnvironmentNames("acme", "prod", "123456789012", "eu-west-1")
NAME, ADA = "acme-prod-churn", "arn:aws:sts::123456789012:assumed-role/operators/ada"
SETTINGS = {"endpoint": NAME, "model_package_group": NAME, "serving": {"canary": {"bake": 600.0}}}


class Clock:
    """Time that passes only while something waits."""

    def __init__(self):
        self.seconds, self.later = 0.0, []

    def monotonic(self):
        return self.seconds

    def pause(self, _):
        self.seconds += 10
        if self.later:
            self.later.pop(0)()


class Prod:
    """Session of an environment with versions, an endpoint and records; all services are this object."""

    environment = SimpleNamespace(name="prod")
    names, caller_arn = NAMES, ADA

    def __init__(self, live=None, approved=(), deployed=True):
        self.statuses = dict.fromkeys(approved, "Approved")
        self.endpoint_status, self.live = "InService", live
        self.deployed, self.objects, self.sent, self.calls, self.records = deployed, {}, [], [], []
        self.exceptions = SimpleNamespace(ParameterNotFound=KeyError, QueueDoesNotExist=KeyError)

    def client(self, service):
        return self

    def not_deployed(self, resource):
        return UsageError(f"no {resource}")

    def get_parameter(self, Name):
        if not self.deployed:
            raise KeyError(Name)
        return {"Parameter": {"Value": json.dumps(SETTINGS)}}

    def list_model_packages(self, **_):
        approved = [number for number, status in self.statuses.items() if status == "Approved"]
        return {"ModelPackageSummaryList": [{"ModelPackageVersion": number} for number in approved]}

    def list_objects_v2(self, **_):
        return {"Contents": [{"Key": key} for key in sorted(self.objects) if "/index/deployment/" in key]}

    def get_paginator(self, operation):
        return SimpleNamespace(paginate=lambda **options: [getattr(self, operation)(**options)])

    def describe_endpoint(self, **_):
        if self.live is None:
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "Could not find it"}}, "x")
        return {"EndpointStatus": self.endpoint_status, "EndpointConfigName": f"{NAME}-v{self.live}-0a1b2c3d"}

    def get_object(self, Key, **_):
        return {"Body": SimpleNamespace(read=lambda: json.dumps(self.objects[Key]))}

    def update_model_package(self, ModelPackageArn, ModelApprovalStatus, **_):
        number = int(ModelPackageArn.rpartition("/")[2])
        self.statuses[number] = ModelApprovalStatus
        self.calls.append(f"reject {number}")

    def get_queue_url(self, QueueName):
        return {"QueueUrl": QueueName}

    def send_message(self, MessageBody, **_):
        body = json.loads(MessageBody)
        if "kind" in body:
            self.calls.append(f"record {body['version']}")
            self.records.append(body)
        else:
            self.calls.append("send")
            self.sent.append(body)

    def record(self, version, outcome="succeeded", previous=None, reason=None, **more):
        """SageMaker ends a deployment, and lambda/deploy writes its record."""
        number = len(self.objects) // 2 + 1
        config = f"{NAME}-v{previous}-0a1b2c3d" if previous else None
        facts = {"outcome": outcome, "previous": config, "reason": reason, **more}
        self.objects[chain.record_key("churn", number)] = {"id": f"record {number}", "version": version, "facts": facts}
        self.objects[f"churn/index/deployment/{datetime.now(UTC):%Y%m%dT%H%M%SZ}-v{version}-{number}"] = {}
        if outcome == "succeeded":
            self.live = version


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(deployments, "time", clock)
    monkeypatch.setattr(deployments, "pause", clock.pause)
    return clock


def follow(prod, requested):
    return deployments.follow(prod, requested, lambda _: None)


def test_redeploy_asks_for_newest_approved_version():
    prod = Prod(live=6, approved=[5, 6, 7])
    requested = deployments.redeploy(prod, "churn", "after the outage")
    (message,) = prod.sent
    assert (requested.version, requested.live) == (7, 6)
    assert (message["trigger"], message["reason"], message["by"]) == ("manual", "after the outage", ADA)
    assert "version" not in message


@pytest.mark.parametrize(
    ("prod", "message"),
    [
        (Prod(deployed=False), "no model 'churn'"),
        (Prod(), "churn has no approved version in prod"),
    ],
)
def test_redeploy_is_refused_before_anything_is_sent(prod, message):
    with pytest.raises(UsageError, match=message):
        deployments.redeploy(prod, "churn", "x")
    assert prod.calls == []


def test_rollback_rejects_newer_versions_in_order_then_asks():
    prod = Prod(live=8, approved=[5, 6, 7, 8])
    requested = deployments.rollback(prod, "churn", 6, "slow", lambda _: None)
    assert prod.calls == ["record 7", "reject 7", "record 8", "reject 8", "send"]
    assert (requested.version, prod.sent[0]["version"], prod.sent[0]["by"]) == (6, 6, ADA)
    assert {record["facts"]["reason"] for record in prod.records} == {"rollback to v6: slow"}


@pytest.mark.parametrize(("live", "expected"), [(7, 6), (6, 5), (None, 6)])
def test_rollback_returns_to_version_before_live_one(live, expected):
    requested = deployments.rollback(Prod(live=live, approved=[5, 6, 7]), "churn", None, "x", lambda _: None)
    assert requested.version == expected


def test_rollback_that_stopped_half_way_is_completed():
    prod = Prod(live=8, approved=[6, 7, 8])
    prod.statuses[7] = "Rejected"
    deployments.rollback(prod, "churn", 6, "slow", lambda _: None)
    assert prod.calls == ["record 8", "reject 8", "send"]


@pytest.mark.parametrize(
    ("to", "message"),
    [
        (4, "version 4 of churn in prod is not approved .approved: v7, v6, v5.; approve it first"),
        (7, "version 7 of churn in prod is the newest approved one; model-factory redeploy churn --env prod"),
    ],
)
def test_rollback_to_other_version_is_refused(to, message):
    prod = Prod(live=7, approved=[5, 6, 7])
    with pytest.raises(UsageError, match=message):
        deployments.rollback(prod, "churn", to, "x", lambda _: None)
    assert prod.calls == []


def test_rollback_without_older_version_is_refused():
    with pytest.raises(UsageError, match="no approved version of churn in prod before v7"):
        deployments.rollback(Prod(live=7, approved=[7]), "churn", None, "x", lambda _: None)


@pytest.mark.parametrize("outcome", ["succeeded", "rolled back", "failed"])
def test_end_of_deployment_is_told_from_its_record(clock, outcome):
    prod = Prod(live=6, approved=[6, 7])
    prod.record(7, "rolled back", 6, "an earlier reason")
    requested = deployments.redeploy(prod, "churn", "x")
    prod.endpoint_status = "Updating"
    clock.later = [lambda: None, lambda: prod.record(7, outcome, 6, "the alarm went off")]
    ended = follow(prod, requested)
    assert (ended.outcome, ended.version, ended.reason, ended.live) == (outcome, 7, "the alarm went off", 6)
    assert ended.record.startswith("record ")


def test_record_of_another_version_does_not_end_the_wait(clock):
    prod = Prod(live=6, approved=[6, 7])
    requested = deployments.redeploy(prod, "churn", "x")
    clock.later = [lambda: prod.record(6, "rolled back", 5), lambda: prod.record(7)]
    assert (follow(prod, requested).outcome, clock.seconds) == ("succeeded", 20)


def test_trial_of_requested_version_ends_the_wait(clock):
    prod = Prod(live=6, approved=[6, 7])
    requested = deployments.redeploy(prod, "churn", "x")
    clock.later = [lambda: prod.record(6, previous=6, challenger=7)]
    ended = follow(prod, requested)
    assert (ended.outcome, ended.version, ended.live) == ("on trial", 7, 6)


def test_redeploy_without_trial_names_the_version():
    prod = Prod(live=6, approved=[6, 7])
    deployments.redeploy(prod, "churn", "x", without_trial=True)
    assert prod.sent[0]["version"] == 7


def test_version_that_is_live_already_is_told(clock):
    prod = Prod(live=7, approved=[6, 7])
    ended = follow(prod, deployments.redeploy(prod, "churn", "x"))
    assert (ended.outcome, ended.live, ended.record) == ("unchanged", 7, None)
    assert clock.seconds < 60


def test_deployment_that_does_not_begin_ends_the_wait(clock):
    prod = Prod(live=6, approved=[6, 7])
    with pytest.raises(deployments.NotEndedError, match=r"has not begun .* acme-prod-deploy-dead-letters.fifo"):
        follow(prod, deployments.redeploy(prod, "churn", "x"))
    assert clock.seconds <= deployments.BEGIN_SECONDS + 20


def test_deployment_in_progress_is_waited_for(clock):
    prod = Prod(live=6, approved=[6, 7])
    requested = deployments.redeploy(prod, "churn", "x")
    prod.endpoint_status = "Updating"
    with pytest.raises(deployments.NotEndedError, match="has not ended"):
        follow(prod, requested)
    assert clock.seconds > deployments.BEGIN_SECONDS


@pytest.mark.parametrize(
    ("outcome", "code", "message"),
    [
        ("succeeded", 0, "version 7 of churn is live; record one"),
        ("unchanged", 0, "version 7 of churn is live already; there was nothing to deploy"),
        ("rolled back", 3, "version 7 of churn was rolled back: why; the endpoint serves version 6 as before"),
        ("failed", 3, "version 7 of churn failed: why; the endpoint serves version 6 as before"),
        ("on trial", 0, "version 7 of churn is on trial against version 6"),
        (None, 4, "model-factory: not in time"),
    ],
)
def test_command_has_exit_code_for_each_end(run, project, monkeypatch, outcome, code, message):
    def end(*_):
        if outcome is None:
            raise deployments.NotEndedError("not in time")
        record = "one" if outcome == "succeeded" else None
        return deployments.Ended(outcome, 7, "why", 6, record)

    requested = deployments.Requested("churn", NAME, 7, 6, frozenset(), 60)
    monkeypatch.setattr(deployments, "redeploy", lambda *_, **__: requested)
    monkeypatch.setattr(deployments, "follow", end)
    exit_code, out, err = run("redeploy", "churn", "--env", "prod", "--project", str(project))
    assert (exit_code, message in out + err) == (code, True)
    exit_code, out, _ = run("redeploy", "churn", "--env", "prod", "--no-wait", "--project", str(project))
    assert (exit_code, "model-factory status churn --env prod shows what becomes of it" in out) == (0, True)
