"""SageMaker: executions of selected steps (SelectiveExecutionConfig of StartPipelineExecution)."""

import json
from typing import Any

from ...step_graph import Graph, apart, graph, left_out, reused
from ..checks import first, found
from ..rule import Entry, Request, Values, table
from .sagemaker_pipelines import ARN, TOKEN, definition

GUIDE = "SageMaker developer guide: Selective execution of pipeline steps"
MODEL = "SageMaker API reference: SelectiveExecutionConfig"
SOURCE = "SelectiveExecutionConfig.SourcePipelineExecutionArn"
rule = table("sagemaker", "ValidationException", GUIDE)


def _steps(request: Request) -> Graph:
    pipeline = request.find("pipeline", request.params["PipelineName"]) or {}
    versions = pipeline.get("_versions", [pipeline])
    number = request.params.get("PipelineVersionId", len(versions))
    version = versions[number - 1] if number <= len(versions) else {}
    return graph(json.loads(version.get("PipelineDefinition", "{}")).get("Steps", []))


def _selected(request: Request) -> list[str]:
    return list(found(request.params, "SelectiveExecutionConfig.SelectedSteps[].StepName"))


def _unknown(request: Request) -> Values | None:
    unknown = [name for name in _selected(request) if name not in _steps(request)]
    return {"names": ", ".join(unknown)} if unknown else None


def _known(request: Request) -> tuple[Graph, list[str]]:
    """The steps and the selection; without a selection when a name of it is unknown, which has its own rule."""
    return _steps(request), [] if _unknown(request) else _selected(request)


def _left_out(request: Request) -> Values | None:
    names = left_out(*_known(request))
    return {"names": ", ".join(sorted(names))} if names else None


def _apart(request: Request) -> Values | None:
    steps, selected = _known(request)
    names = apart(steps, selected) if selected else set()
    return {"names": ", ".join(sorted(names))} if names else None


def _needs_source(request: Request) -> Values | None:
    steps, selected = _known(request)
    if first(request.params, SOURCE) or not reused(steps, selected):
        return None
    needed = set().union(*(steps[name] for name in selected)) - set(selected)
    depending = [name for name in selected if steps[name] & needed]
    return {"names": ", ".join(depending), "others": ", ".join(sorted(needed))}


def _source(request: Request) -> Any:
    arn = first(request.params, SOURCE)
    return arn and request.find("pipeline-execution", arn)


def _of_another_pipeline(request: Request) -> Values | None:
    if (arn := first(request.params, SOURCE)) is None:
        return None
    pipeline = request.params["PipelineName"].rpartition("/")[2]
    source = _source(request)
    own = source and source["PipelineArn"].rpartition("/")[2] == pipeline
    return None if own else {"arn": arn, "pipeline": pipeline}


def _not_ended(request: Request) -> Values | None:
    status = (_source(request) or {}).get("PipelineExecutionStatus", "Succeeded")
    ended = status in ("Succeeded", "Failed")
    return None if ended else {"arn": first(request.params, SOURCE), "status": status}


EXECUTION = f"{ARN}:pipeline/p/execution/abcdefghijkl"
_CHAIN = definition(
    *({"Name": name, "Type": "Fail", "DependsOn": before} for name, before in (("A", []), ("B", ["A"]), ("C", ["B"]))),
    {"Name": "Other", "Type": "Fail"},
)
GIVEN = {
    "pipeline/p": {"PipelineDefinition": _CHAIN},
    f"pipeline-execution/{EXECUTION}": {"PipelineArn": f"{ARN}:pipeline/p", "PipelineExecutionStatus": "Failed"},
    f"pipeline-execution/{EXECUTION}r": {"PipelineArn": f"{ARN}:pipeline/p", "PipelineExecutionStatus": "Executing"},
}


def start(*names: str, **more: Any) -> dict[str, Any]:
    """Parameters of StartPipelineExecution with selected steps."""
    selected = {"SelectedSteps": [{"StepName": name} for name in names], **more}
    return {"PipelineName": "p", "ClientRequestToken": TOKEN, "SelectiveExecutionConfig": selected}


ENTRIES: tuple[Entry, ...] = (
    rule(
        "StartPipelineExecution",
        "Selected steps are steps of the pipeline.",
        "The selected steps [{names}] are not in the pipeline",
        _unknown,
        start("A", "B"),
        start("A", "Missing"),
        source=MODEL,
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "StartPipelineExecution",
        "The steps on all paths between two selected steps are selected too.",
        "The steps [{names}] are between selected steps and must be selected too",
        _left_out,
        start("A", "B", "C"),
        start("A", "C", SourcePipelineExecutionArn=EXECUTION),
        source=MODEL,
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "StartPipelineExecution",
        "Selected steps are connected in the pipeline's graph.",
        "The selected steps [{names}] are not connected with the other selected steps",
        _apart,
        start("A", "B"),
        start("A", "Other"),
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "StartPipelineExecution",
        "Selected steps that depend on others need a source execution.",
        "Invalid SourcePipelineExecutionArn: null. The selected steps [{names}] have dependencies on [{others}]",
        _needs_source,
        start("B", "C", SourcePipelineExecutionArn=EXECUTION),
        start("B", "C"),
        source="SageMaker Python SDK: issue 4444",
        given=GIVEN,
    ),
    rule(
        "StartPipelineExecution",
        "The source execution is one of the same pipeline.",
        "Invalid SourcePipelineExecutionArn: {arn} is no execution of the pipeline {pipeline}",
        _of_another_pipeline,
        start("B", SourcePipelineExecutionArn=EXECUTION),
        start("B", SourcePipelineExecutionArn=f"{ARN}:pipeline/q/execution/abcdefghijkl"),
        source=MODEL,
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "StartPipelineExecution",
        "The source execution has succeeded or failed.",
        "Invalid SourcePipelineExecutionArn: {arn} is {status}, and must be Succeeded or Failed",
        _not_ended,
        start("B", SourcePipelineExecutionArn=EXECUTION),
        start("B", SourcePipelineExecutionArn=f"{EXECUTION}r"),
        given=GIVEN,
        inferred=True,
    ),
)
