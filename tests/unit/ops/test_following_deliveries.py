"""Following a delivery: what is asked of CodePipeline, and when it ends."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from model_factory.ops.delivery import deliveries
from model_factory.ops.delivery.deliveries import Approval, Deliveries

TIME = datetime(2026, 11, 24, tzinfo=UTC)


def action(category, status):
    return {
        "actionExecutionId": category,
        "stageName": "prod",
        "actionName": category,
        "status": status,
        "startTime": TIME,
        "lastUpdateTime": TIME,
        "input": {"actionTypeId": {"category": category}},
        "output": {"executionResult": {}},
    }


class CodePipeline:
    """One execution whose actions are one item of `polls` at each poll; counts the requests for the pipeline's state."""

    def __init__(self, *polls, status="InProgress"):
        self.polls, self.status, self.states = list(polls), status, 0

    def list_pipeline_executions(self, **_):
        execution = {"pipelineExecutionId": "1", "sourceRevisions": [{"revisionId": "abc"}], "status": self.status}
        return {"pipelineExecutionSummaries": [execution]}

    def get_paginator(self, _):
        return SimpleNamespace(paginate=lambda **_: [{"actionExecutionDetails": self.polls.pop(0)}])

    def get_pipeline_state(self, **_):
        self.states += 1
        waiting = {"actionName": "Approval", "latestExecution": {"token": "t"}}
        stage = {"stageName": "prod", "latestExecution": {"pipelineExecutionId": "1"}, "actionStates": [waiting]}
        return {"stageStates": [stage]}


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(deliveries, "POLL_SECONDS", 0)


def test_state_is_read_only_once_an_approval_waits():
    client = CodePipeline([action("Build", "InProgress")], [action("Approval", "InProgress")])
    execution, approval = Deliveries(client, "acme-delivery").follow("abc", 60)
    assert (execution["pipelineExecutionId"], approval) == ("1", Approval("prod", "Approval", "t"))
    assert client.states == 1


def test_ended_delivery_waits_for_no_approval():
    client, lines = CodePipeline([action("Approval", "Succeeded")], status="Succeeded"), []
    assert Deliveries(client, "acme-delivery").follow("abc", 60, lines.append)[1] is None
    assert client.states == 0
    assert len(lines) == 1
