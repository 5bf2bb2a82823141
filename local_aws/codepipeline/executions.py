"""The API of executions: state, approvals, results of jobs."""

from typing import Any

from ..json_api import Record, ServiceError
from .action import ActionExecution
from .engine import Execution
from .pipelines import Pipeline, Pipelines


def _execution(state: Pipelines, request: Record) -> Execution:
    for execution in state.find(request["pipelineName"]).executions:
        if execution.identifier == request["pipelineExecutionId"]:
            return execution
    raise ServiceError(
        f"There is no execution {request['pipelineExecutionId']} of {request['pipelineName']}",
        "PipelineExecutionNotFoundException",
    )


def _start(state: Pipelines, request: Record) -> Record:
    if unknown := set(request) & {"variables"}:
        raise ServiceError(f"the embedded AWS does not support {', '.join(unknown)} of a pipeline")
    revisions = {one["actionName"]: one["revisionValue"] for one in request.get("sourceRevisions", [])}
    trigger = {"triggerType": "StartPipelineExecution", "triggerDetail": request["CallerArn"]}
    return {"pipelineExecutionId": state.start(request["name"], trigger, revisions=revisions).identifier}


def _get_execution(state: Pipelines, request: Record) -> Record:
    execution = _execution(state, request)
    return {"pipelineExecution": _summary(execution) | {"artifactRevisions": execution.revisions, "variables": []}}


def _summary(execution: Execution) -> Record:
    found: Record = {
        "pipelineName": execution.name,
        "pipelineVersion": execution.declaration["version"],
        "pipelineExecutionId": execution.identifier,
        "status": execution.status,
        "statusSummary": execution.summary,
        "trigger": execution.trigger,
        "executionMode": execution.declaration.get("executionMode", "SUPERSEDED"),
        "executionType": "ROLLBACK" if execution.rollback else "STANDARD",
    }
    if execution.rollback:
        found["rollbackMetadata"] = {"rollbackTargetPipelineExecutionId": execution.rollback[1].identifier}
    return found


def _list_executions(state: Pipelines, request: Record) -> Record:
    found = [
        {key: value for key, value in _summary(execution).items() if key not in ("pipelineName", "pipelineVersion")}
        | {
            "startTime": execution.started,
            "lastUpdateTime": execution.updated,
            "sourceRevisions": [
                {"actionName": action.name, "revisionId": action.external_id, "revisionSummary": action.summary}
                for action in execution.actions
                if action.declaration["actionTypeId"]["category"] == "Source" and action.external_id
            ],
        }
        for execution in reversed(state.find(request["pipelineName"]).executions)
    ]
    start, size = int(request.get("nextToken", 0)), int(request.get("maxResults", 100))
    answer: Record = {"pipelineExecutionSummaries": found[start : start + size]}
    return answer | ({"nextToken": str(start + size)} if start + size < len(found) else {})


def _list_actions(state: Pipelines, request: Record) -> Record:
    wanted = request.get("filter", {}).get("pipelineExecutionId")
    found = [
        _action_detail(action)
        for execution in reversed(state.find(request["pipelineName"]).executions)
        if wanted in (None, execution.identifier)
        for action in reversed(execution.actions)
    ]
    start, size = int(request.get("nextToken", 0)), int(request.get("maxResults", 100))
    answer: Record = {"actionExecutionDetails": found[start : start + size]}
    return answer | ({"nextToken": str(start + size)} if start + size < len(found) else {})


def _action_detail(action: ActionExecution) -> Record:
    declared = action.declaration
    result: Record = {"externalExecutionId": action.external_id, "externalExecutionUrl": action.external_url}
    result |= {"externalExecutionSummary": action.error.get("message", action.summary)}
    if action.error:
        result["errorDetails"] = action.error
    return {
        "pipelineExecutionId": action.execution.identifier,
        "actionExecutionId": action.identifier,
        "pipelineVersion": action.execution.declaration["version"],
        "stageName": action.stage,
        "actionName": action.name,
        "startTime": action.started,
        "lastUpdateTime": action.updated,
        "updatedBy": action.updated_by,
        "status": action.status,
        "input": {
            "actionTypeId": declared["actionTypeId"],
            "configuration": declared.get("configuration", {}),
            "resolvedConfiguration": action.configuration,
            "roleArn": action.role_arn,
            "region": action.region,
        },
        "output": {"executionResult": result, "outputVariables": action.variables},
    }


def _state(state: Pipelines, request: Record) -> Record:
    pipeline = state.find(request["name"])
    return {
        "pipelineName": request["name"],
        "pipelineVersion": pipeline.declaration["version"],
        "created": pipeline.created,
        "updated": pipeline.updated,
        "stageStates": [_stage_state(pipeline, stage) for stage in pipeline.declaration["stages"]],
    }


def _stage_state(pipeline: Pipeline, stage: Record) -> Record:
    found: Record = {"stageName": stage["name"], "inboundTransitionState": {"enabled": True}}
    found["actionStates"] = [_action_state(pipeline, stage["name"], action["name"]) for action in stage["actions"]]
    if entered := [e for e in pipeline.executions if stage["name"] in e.stages]:
        found["latestExecution"] = {
            "pipelineExecutionId": entered[-1].identifier,
            "status": entered[-1].stages[stage["name"]],
            "type": "ROLLBACK" if entered[-1].rollback else "STANDARD",
        }
    return found


def _action_state(pipeline: Pipeline, stage: str, name: str) -> Record:
    done = _latest(pipeline, stage, name)
    if done is None:
        return {"actionName": name}
    latest: Record = {
        "actionExecutionId": done.identifier,
        "status": done.status,
        "summary": done.summary,
        "lastStatusChange": done.updated,
        "externalExecutionId": done.external_id,
        "externalExecutionUrl": done.external_url,
        "lastUpdatedBy": done.updated_by,
    }
    if done.token:
        latest["token"] = done.token
    if done.error:
        latest["errorDetails"] = done.error
    return {"actionName": name, "latestExecution": latest}


def _latest(pipeline: Pipeline, stage: str, name: str) -> ActionExecution | None:
    for execution in reversed(pipeline.executions):
        for action in reversed(execution.actions):
            if (action.stage, action.name) == (stage, name):
                return action
    return None


def approval(state: Pipelines, pipeline: str, stage: str, name: str) -> Record | None:
    """The record of an approval that rules ask for: its token while it waits. None for an action that was not reached."""
    action = _latest(state.find(pipeline), stage, name)
    return {"Token": action.token if action.status == "InProgress" else None} if action else None


def _put_approval(state: Pipelines, request: Record) -> Record:
    action = _latest(state.find(request["pipelineName"]), request["stageName"], request["actionName"])
    if action is None:
        raise LookupError(request["actionName"])
    action.updated_by = request["CallerArn"]
    # Set here, so that GetPipelineState does not show a decided approval as waiting.
    action.token, action.decision = None, request["result"]
    return {"approvedAt": action.updated}


def _job_result(state: Pipelines, request: Record) -> None:
    state.jobs.answer(request["jobId"], request)


def _stop(state: Pipelines, request: Record) -> Record:
    _execution(state, request).cancel()
    return {"pipelineExecutionId": request["pipelineExecutionId"]}


OPERATIONS: dict[str, Any] = {
    "StartPipelineExecution": _start,
    "StopPipelineExecution": _stop,
    "GetPipelineExecution": _get_execution,
    "GetPipelineState": _state,
    "ListPipelineExecutions": _list_executions,
    "ListActionExecutions": _list_actions,
    "PutApprovalResult": _put_approval,
    "PutJobSuccessResult": _job_result,
    "PutJobFailureResult": _job_result,
}
