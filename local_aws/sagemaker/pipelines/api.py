"""The API of pipelines and their executions."""

import json
import random
import string
import uuid
from typing import Any

from ...json_api import Record, ServiceError, now
from ..lists import page
from ..service import Service
from ..state import State, add, find
from . import callbacks
from .execution import Execution
from .selection import selection

_DESCRIBED = ("PipelineExecutionDescription", "PipelineExecutionDisplayName")
_STARTED = (*_DESCRIBED, "SelectiveExecutionConfig")


def create(service: Service, state: State, request: Record) -> Record:
    """CreatePipeline."""
    name = request["PipelineName"]
    arn = state.arn("pipeline", name)
    record = {key: value for key, value in request.items() if key not in ("Tags", "ClientRequestToken")}
    record |= {"PipelineArn": arn, "PipelineStatus": "Active", "CreationTime": now(), "LastModifiedTime": now()}
    _check_definition(request)
    record["_versions"] = [_version(record)]
    add(state.pipelines, name, record, "pipeline")
    state.tag(arn, request.get("Tags"))
    return {"PipelineArn": arn}


def update(service: Service, state: State, request: Record) -> Record:
    """UpdatePipeline: executions that run keep the definition they started with. A changed definition is a new version."""
    record = find(state.pipelines, request["PipelineName"], "pipeline")
    _check_definition(request)
    with state.lock:
        record.update(request, LastModifiedTime=now())
        versions = record["_versions"]
        if _version(record) != versions[-1]:
            versions.append(_version(record))
        return {"PipelineArn": record["PipelineArn"], "PipelineVersionId": len(versions)}


def describe(service: Service, state: State, request: Record) -> Record:
    """DescribePipeline."""
    record = find(state.pipelines, request["PipelineName"], "pipeline")
    return {key: value for key, value in record.items() if key != "_versions"}


def _version(record: Record) -> Record:
    """What an execution of this version of the pipeline runs."""
    return {key: record[key] for key in ("PipelineDefinition", "RoleArn")}


def delete(service: Service, state: State, request: Record) -> Record:
    """DeletePipeline, and its executions with it."""
    record = find(state.pipelines, request["PipelineName"], "pipeline")
    name = record["PipelineName"]
    for arn, execution in list(state.executions.items()):
        if execution.record["PipelineName"] == name:
            execution.stop()
            del state.executions[arn]
    del state.pipelines[name]
    return {"PipelineArn": record["PipelineArn"]}


def start(service: Service, state: State, request: Record) -> Record:
    """StartPipelineExecution: the same ClientRequestToken starts only once."""
    pipeline = find(state.pipelines, request["PipelineName"], "pipeline")
    number = request.get("PipelineVersionId", len(pipeline["_versions"]))
    if number > len(pipeline["_versions"]):
        raise ServiceError(f"Pipeline version {number} of {pipeline['PipelineArn']} does not exist", "ResourceNotFound")
    pipeline = pipeline | pipeline["_versions"][number - 1]
    definition = json.loads(pipeline["PipelineDefinition"])
    parameters = _parameters(definition, request.get("PipelineParameters", []), pipeline["PipelineName"])
    selected = selection(request, definition, state.executions)
    token = request.get("ClientRequestToken") or uuid.uuid4().hex
    with state.lock:
        for execution in state.executions.values():
            if execution.token == token and execution.record["PipelineName"] == pipeline["PipelineName"]:
                return {"PipelineExecutionArn": execution.record["PipelineExecutionArn"]}
        identifier = "".join(random.choices(string.ascii_lowercase + string.digits, k=12))  # noqa: S311 (a name)
        limits = {key: value for key, value in request.items() if key == "ParallelismConfiguration"}
        execution = Execution(service, state, pipeline | limits, definition, parameters, identifier, token, selected)
        execution.record.update({key: request[key] for key in _STARTED if key in request}, PipelineVersionId=number)
        execution.record["CreatedBy"] = service.user()
        execution.record.setdefault("PipelineExecutionDisplayName", f"execution-{int(now().timestamp() * 1000)}")
        state.executions[execution.record["PipelineExecutionArn"]] = execution
    execution.start()
    return {"PipelineExecutionArn": execution.record["PipelineExecutionArn"]}


def _parameters(definition: Record, given: list[Record], pipeline: str) -> dict[str, Any]:
    declared = {parameter["Name"]: parameter for parameter in definition.get("Parameters", [])}
    values = {name: parameter["DefaultValue"] for name, parameter in declared.items() if "DefaultValue" in parameter}
    for parameter in given:
        values[parameter["Name"]] = _converted(declared[parameter["Name"]], parameter["Value"])
    if missing := set(declared) - set(values):
        raise ServiceError(f"Parameters [{', '.join(sorted(missing))}] of pipeline {pipeline} have no value")
    return values


def _converted(declared: Record, text: str) -> Any:
    """The value of a parameter with its type. Raises ServiceError."""
    convert = {"Integer": int, "Float": float, "Boolean": lambda text: {"true": True, "false": False}[text.lower()]}
    try:
        value = convert.get(declared["Type"], str)(text)
    except (KeyError, ValueError):
        raise ServiceError(
            f"Parameter [{declared['Name']}] of type {declared['Type']} has the value [{text}]"
        ) from None
    if "EnumValues" in declared and value not in declared["EnumValues"]:
        allowed = ", ".join(map(str, declared["EnumValues"]))
        raise ServiceError(f"Parameter [{declared['Name']}] has the value [{text}], which is none of [{allowed}]")
    return value


def _check_definition(request: Record) -> None:
    if "PipelineDefinition" not in request:
        raise ServiceError("the embedded AWS takes PipelineDefinition only, not a location in S3")


def describe_execution(service: Service, state: State, request: Record) -> Record:
    """DescribePipelineExecution."""
    return {
        key: value
        for key, value in _execution(state, request).record.items()
        if key not in ("PipelineName", "StartTime")
    }


def list_executions(service: Service, state: State, request: Record) -> Record:
    """ListPipelineExecutions of one pipeline."""
    name = find(state.pipelines, request["PipelineName"], "pipeline")["PipelineName"]
    keys = (
        "PipelineExecutionArn",
        "StartTime",
        "PipelineExecutionStatus",
        "PipelineExecutionDescription",
        "PipelineExecutionDisplayName",
    )
    found = []
    for execution in state.executions.values():
        if execution.record["PipelineName"] == name:
            summary = {key: execution.record[key] for key in keys if key in execution.record}
            if "FailureReason" in execution.record:
                summary["PipelineExecutionFailureReason"] = execution.record["FailureReason"]
            found.append(summary)
    return page(found, request, "PipelineExecutionSummaries", "StartTime")


def list_steps(service: Service, state: State, request: Record) -> Record:
    """ListPipelineExecutionSteps: those that have started."""
    steps = [dict(step) for step in _execution(state, request).steps.values()]
    return page(steps, request, "PipelineExecutionSteps", "StartTime")


def update_execution(service: Service, state: State, request: Record) -> Record:
    """UpdatePipelineExecution: the description and the display name, of an execution that runs or has ended."""
    record = _execution(state, request).record
    changes = {key: request[key] for key in _DESCRIBED if key in request}
    record.update(changes, LastModifiedTime=now(), LastModifiedBy=service.user())
    return {"PipelineExecutionArn": record["PipelineExecutionArn"]}


def stop(service: Service, state: State, request: Record) -> Record:
    """StopPipelineExecution."""
    execution = _execution(state, request)
    execution.record["LastModifiedBy"] = service.user()
    execution.stop()
    return {"PipelineExecutionArn": execution.record["PipelineExecutionArn"]}


def _execution(state: State, request: Record) -> Execution:
    found = state.executions.get(request["PipelineExecutionArn"])
    if found is None:
        raise ServiceError(f"Pipeline execution {request['PipelineExecutionArn']} not found", "ResourceNotFound")
    return found


OPERATIONS = callbacks.OPERATIONS | {
    "CreatePipeline": create,
    "UpdatePipeline": update,
    "DeletePipeline": delete,
    "DescribePipeline": describe,
    "ListPipelines": lambda service, state, request: page(
        [
            {
                key: value
                for key, value in pipeline.items()
                if key not in ("PipelineDefinition", "PipelineStatus", "_versions")
            }
            for pipeline in state.pipelines.values()
            if pipeline["PipelineName"].startswith(request.get("PipelineNamePrefix", ""))
        ],
        request,
        "PipelineSummaries",
    ),
    "StartPipelineExecution": start,
    "UpdatePipelineExecution": update_execution,
    "StopPipelineExecution": stop,
    "DescribePipelineExecution": describe_execution,
    "DescribePipelineDefinitionForExecution": lambda service, state, request: {
        "PipelineDefinition": json.dumps(_execution(state, request).definition),
        "CreationTime": _execution(state, request).record["CreationTime"],
    },
    "ListPipelineExecutions": list_executions,
    "ListPipelineExecutionSteps": list_steps,
    "ListPipelineParametersForExecution": lambda service, state, request: {
        "PipelineParameters": [
            {"Name": name, "Value": str(value)} for name, value in _execution(state, request).parameters.items()
        ]
    },
}
