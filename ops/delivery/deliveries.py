"""Executions of the delivery pipeline: their actions, failures and approvals, from CodePipeline."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.build_log import read_last_lines
from model_factory.functions.shared.pipelines import (
    Place,
    RemovedEnvironment,
    deployed_stacks,
    removed_environments,
)

from ..project import UsageError

ENDED = ("Succeeded", "Failed", "Stopped", "Superseded", "Cancelled")
POLL_SECONDS = 0.5
EARLIER_VERSIONS = 20


@dataclass(frozen=True)
class Approval:
    """An approval action that an execution waits for; `token` identifies it in PutApprovalResult."""

    stage: str
    action: str
    token: str


@dataclass(frozen=True)
class Deliveries:
    """The pipeline called `name`, in the tooling account. `client` and `logs`: clients of CodePipeline and of CloudWatch Logs.

    Without `logs`, the reasons of failed builds have no lines of their logs.
    """

    client: Any
    name: str
    logs: Any = None

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
        """Stage, action and reason of each failed action of an execution; of a build with the last lines of its log."""
        return [
            f"{action['stageName']}: {action['actionName']}: {self._reason(action)}"
            for action in self.actions(execution)
            if action["status"] == "Failed"
        ]

    def leftovers(self) -> dict[str, list[str]]:
        """Models that the newest delivery found deployed and not in its commit, by environment, where it came to training."""
        found: dict[str, list[str]] = {}
        for execution in self.executions()[:5]:
            for action in self.actions(execution["pipelineExecutionId"]):
                task, _, environment = action["actionName"].partition("-")
                models = action["output"].get("outputVariables", {}).get("leftovers")
                if task == "Retrain" and models and environment not in found:
                    found[environment] = [name for name in models.split(",") if name != "none"]
        return found

    def removed_environments(self, factory: str) -> list[RemovedEnvironment]:
        """The environments that one of the earlier versions of the pipeline deployed, and the present one does not.

        At most EARLIER_VERSIONS versions are read. CodePipeline does not know whether the stacks exist still.
        """
        now = self.client.get_pipeline(name=self.name)["pipeline"]
        version, earlier = now["version"], dict[str, Place]()
        for each in range(max(version - EARLIER_VERSIONS, 1), version):
            earlier |= deployed_stacks(self.client.get_pipeline(name=self.name, version=each)["pipeline"])
        return removed_environments(earlier, deployed_stacks(now), factory)

    def _reason(self, action: dict[str, Any]) -> str:
        result = action["output"]["executionResult"]
        reason = result.get("externalExecutionSummary", "no reason given")
        if self.logs is None or action["input"]["actionTypeId"]["provider"] != "CodeBuild":
            return reason
        try:
            lines = read_last_lines(self.logs, result["externalExecutionId"])
        except (ClientError, KeyError) as error:
            lines = f"its log cannot be read: {error}"
        return f"{reason}\n{lines}" if lines else reason

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
                for action in self.actions(identifier):
                    state = (action["actionExecutionId"], action["status"])
                    if state not in logged and action["status"] != "InProgress":
                        logged.add(state)
                        log(_line(action))
                if execution["status"] in ENDED:
                    return execution, None
                if approval := self.approval(identifier):
                    return execution, approval
            time.sleep(POLL_SECONDS)
        raise UsageError(f"{self.name} has not delivered {commit[:12]} within {timeout_seconds:.0f} s")


def _line(action: dict[str, Any]) -> str:
    seconds = (action["lastUpdateTime"] - action["startTime"]).total_seconds()
    summary = action["output"]["executionResult"].get("externalExecutionSummary", "")
    first_line = f": {summary.splitlines()[0][:160]}" if summary else ""
    return f"{action['stageName']:<12} {action['actionName']:<28} {action['status']:<9} {seconds:5.1f} s{first_line}"
