"""Executions of the delivery pipeline: their actions, failures and approvals, from CodePipeline."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..project import UsageError

ENDED = ("Succeeded", "Failed", "Stopped", "Superseded", "Cancelled")
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Approval:
    """An approval action that an execution waits for; `token` identifies it in PutApprovalResult."""

    stage: str
    action: str
    token: str


@dataclass(frozen=True)
class Deliveries:
    """The pipeline called `name`. `client`: a CodePipeline client of the tooling account."""

    client: Any
    name: str

    def executions(self) -> list[dict[str, Any]]:
        """The latest executions, newest first."""
        return self.client.list_pipeline_executions(pipelineName=self.name)["pipelineExecutionSummaries"]

    def of_commit(self, commit: str) -> dict[str, Any] | None:
        """The newest execution of a commit, except executions that an update of the pipeline itself has replaced."""
        for execution in self.executions():
            revisions = [revision["revisionId"] for revision in execution["sourceRevisions"]]
            if commit in revisions and execution["status"] not in ("Cancelled", "Superseded"):
                return execution
        return None

    def actions(self, execution: str) -> list[dict[str, Any]]:
        """The actions of an execution, ordered by their start."""
        pages = self.client.get_paginator("list_action_executions").paginate(
            pipelineName=self.name, filter={"pipelineExecutionId": execution}
        )
        return [action for page in pages for action in page["actionExecutionDetails"]][::-1]

    def approval(self, execution: str) -> Approval | None:
        """The approval that an execution waits for, or None."""
        for stage in self.client.get_pipeline_state(name=self.name)["stageStates"]:
            if stage.get("latestExecution", {}).get("pipelineExecutionId") != execution:
                continue
            for action in stage["actionStates"]:
                if token := action.get("latestExecution", {}).get("token"):
                    return Approval(stage["stageName"], action["actionName"], token)
        return None

    def decide(self, approval: Approval, status: str, reason: str) -> None:
        """Approve or reject: `status` is Approved or Rejected."""
        self.client.put_approval_result(
            pipelineName=self.name,
            stageName=approval.stage,
            actionName=approval.action,
            token=approval.token,
            result={"status": status, "summary": reason},
        )

    def failures(self, execution: str) -> list[str]:
        """Stage, action and reason of each failed action of an execution."""
        return [
            f"{action['stageName']}: {action['actionName']}: "
            f"{action['output']['executionResult'].get('externalExecutionSummary', 'no reason given')}"
            for action in self.actions(execution)
            if action["status"] == "Failed"
        ]

    def follow(
        self, commit: str, timeout_seconds: float, log: Callable[[str], None] = lambda _: None
    ) -> tuple[dict[str, Any], Approval | None]:
        """Wait until the delivery of a commit ends or waits for an approval; `log` gets a line for each action that ends.

        Raises UsageError after `timeout_seconds`.
        """
        logged: set[tuple[str, str]] = set()
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            if execution := self.of_commit(commit):
                identifier = execution["pipelineExecutionId"]
                actions = self.actions(identifier)
                for action in actions:
                    state = (action["actionExecutionId"], action["status"])
                    if state not in logged and action["status"] != "InProgress":
                        logged.add(state)
                        log(_line(action))
                if execution["status"] in ENDED:
                    return execution, None
                if any(map(_waits, actions)) and (approval := self.approval(identifier)):
                    return execution, approval
            time.sleep(POLL_SECONDS)
        raise UsageError(f"{self.name} has not delivered {commit[:12]} within {timeout_seconds:.0f} s")


def _waits(action: dict[str, Any]) -> bool:
    return action["status"] == "InProgress" and action["input"]["actionTypeId"]["category"] == "Approval"


def _line(action: dict[str, Any]) -> str:
    seconds = (action["lastUpdateTime"] - action["startTime"]).total_seconds()
    summary = action["output"]["executionResult"].get("externalExecutionSummary", "")
    first_line = f": {summary.splitlines()[0][:160]}" if summary else ""
    return f"{action['stageName']:<12} {action['actionName']:<28} {action['status']:<9} {seconds:5.1f} s{first_line}"
