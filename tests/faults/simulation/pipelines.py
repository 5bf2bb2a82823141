"""SageMaker pipelines: executions, their idempotency token, and their events."""

import json
from dataclasses import dataclass

from .calls import refused
from .names import arn

RUNNING = ("Executing", "Stopping")


@dataclass
class Execution:
    """An execution of a pipeline; `by`: the function, or a person."""

    arn: str
    pipeline: str
    started: object
    by: str
    request: dict
    status: str = "Executing"
    ended: object = None
    reason: str | None = None
    code: str = ""


class Pipelines:
    """Pipelines of an account; every pipeline exists."""

    def __init__(self, world):
        self._world, self.executions, self._tokens = world, [], {}
        self.code = {}
        self.on_start = lambda execution: None

    def of(self, pipeline):
        return [execution for execution in self.executions if execution.pipeline == pipeline]

    def in_flight(self, pipeline):
        return [execution for execution in self.of(pipeline) if execution.status in RUNNING]

    def end(self, execution, status, reason=None):
        """An execution ends: Succeeded, Failed or Stopped."""
        before, execution.status = execution.status, status
        execution.ended, execution.reason = self._world.clock.now, reason
        self._emit(execution, before)
        if status == "Failed":
            self._world.notify(f"step failure of {execution.arn}", reason)

    def stop(self, execution):
        before, execution.status = execution.status, "Stopping"
        self._emit(execution, before)

    def _emit(self, execution, before=None):
        detail = {
            "pipelineExecutionArn": execution.arn,
            "pipelineArn": arn("sagemaker", f"pipeline/{execution.pipeline}"),
            "currentPipelineExecutionStatus": execution.status,
            "executionStartTime": f"{execution.started:%Y-%m-%dT%H:%M:%SZ}",
        }
        if before:
            detail["previousPipelineExecutionStatus"] = before
        if execution.ended:
            detail["executionEndTime"] = f"{execution.ended:%Y-%m-%dT%H:%M:%SZ}"
        name = "SageMaker Model Building Pipeline Execution Status Change"
        self._world.bus.emit("aws.sagemaker", name, detail, detail["pipelineArn"])

    # The API

    def start_pipeline_execution(self, PipelineName, ClientRequestToken, **request):
        if known := self._tokens.get((PipelineName, ClientRequestToken)):
            self._world.tell(f"  … asks for the training again that it started as {known.arn[-4:]}")
            return {"PipelineExecutionArn": known.arn}
        name = f"{arn('sagemaker', f'pipeline/{PipelineName}')}/execution/{len(self.executions) + 1:012}"
        execution = Execution(name, PipelineName, self._world.clock.now, self._world.actor, request)
        execution.code = self.code.get(PipelineName, "")
        self.on_start(execution)
        self.executions.append(execution)
        self._tokens[PipelineName, ClientRequestToken] = execution
        self._world.tell(f"  … {self._world.actor} starts the training {name[-4:]} of {PipelineName}")
        self._emit(execution)
        return {"PipelineExecutionArn": name}

    def describe_pipeline(self, PipelineName):
        variables = {"CODE_DIGEST": self.code[PipelineName], "IMAGE": "image"}
        step = {"Name": "Prepare", "Type": "Processing", "Arguments": {"Environment": variables}}
        return {
            "PipelineName": PipelineName,
            "PipelineDefinition": json.dumps({"Version": "2020-12-01", "Steps": [step]}),
        }

    def stop_pipeline_execution(self, PipelineExecutionArn, **_):
        execution = self._get("StopPipelineExecution", PipelineExecutionArn)
        if execution.status != "Executing":
            raise refused("StopPipelineExecution", "ValidationException", "Pipeline execution is not in progress.")
        self._world.tell(f"  … {self._world.actor} stops the training {execution.arn[-4:]}")
        self.stop(execution)
        return {"PipelineExecutionArn": execution.arn}

    def update_pipeline_execution(self, PipelineExecutionArn, **changes):
        execution = self._get("UpdatePipelineExecution", PipelineExecutionArn)
        self._world.tell(
            f"  … describes the training {execution.arn[-4:]} as {changes.get('PipelineExecutionDescription')!r}"
        )
        execution.request |= changes
        return {"PipelineExecutionArn": execution.arn}

    def list_pipeline_executions(self, PipelineName, MaxResults=10, NextToken="0", SortOrder="Descending", **_):
        found = [each for each in self.of(PipelineName) if each.started <= self._world.listed_until]
        found.sort(key=lambda execution: (execution.started, execution.arn), reverse=SortOrder == "Descending")
        start = int(NextToken)
        page = {"PipelineExecutionSummaries": [self._summary(each) for each in found[start : start + MaxResults]]}
        return page | ({"NextToken": str(start + MaxResults)} if start + MaxResults < len(found) else {})

    def describe_pipeline_execution(self, PipelineExecutionArn):
        execution = self._get("DescribePipelineExecution", PipelineExecutionArn)
        summary = self._summary(execution)
        summary["CreationTime"] = summary.pop("StartTime")
        pipeline = arn("sagemaker", f"pipeline/{execution.pipeline}")
        return summary | {"PipelineArn": pipeline} | ({"FailureReason": execution.reason} if execution.reason else {})

    def _summary(self, execution):
        request = execution.request
        shown = {
            "PipelineExecutionArn": execution.arn,
            "StartTime": execution.started,
            "PipelineExecutionStatus": execution.status,
            "PipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName")
            or f"execution-{execution.arn[-4:]}",
        }
        if description := request.get("PipelineExecutionDescription"):
            shown["PipelineExecutionDescription"] = description
        return shown

    def _get(self, operation, name):
        found = next((execution for execution in self.executions if execution.arn == name), None)
        if found is None:
            raise refused(operation, "ResourceNotFound", f"Pipeline execution with ARN {name} does not exist.")
        return found
