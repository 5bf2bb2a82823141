"""SageMaker: pipelines and their executions."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..checks import absent, existing, found, none_of, together
from ..rule import Entry, NotEnforced, Request, Values, table

START = "SageMaker API reference: StartPipelineExecution"
rule = table("sagemaker", "ValidationException", "SageMaker API reference: CreatePipeline")

ROLE = "arn:aws:iam::123456789012:role/r"
ARN = "arn:aws:sagemaker:us-east-1:123456789012"
TOKEN = "a" * 32  # not a secret: it makes a call idempotent
FAIL = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "m"}}
PIPELINE = "arn:aws:sagemaker:{region}:{account}:pipeline/{value}"


def definition(*steps: dict[str, Any], **more: Any) -> str:
    """A pipeline definition."""
    return json.dumps({"Version": "2020-12-01", "Steps": list(steps) or [FAIL], **more})


def pipeline(text: str = definition(), **more: Any) -> dict[str, Any]:
    """Parameters of CreatePipeline."""
    return {"PipelineName": "new", "RoleArn": ROLE, "ClientRequestToken": TOKEN, "PipelineDefinition": text, **more}


def _steps(steps: Any) -> Iterator[Any]:
    for step in steps:
        yield step
        arguments = step.get("Arguments", {})
        for branch in ("IfSteps", "ElseSteps") if step.get("Type") == "Condition" else ():
            yield from _steps(arguments.get(branch, []))


def _parsed(request: Request) -> Any:
    try:
        return json.loads(request.params.get("PipelineDefinition", "{}"))
    except ValueError:
        return {}


def _repeated_step(request: Request) -> Values | None:
    counted = Counter(step.get("Name") for step in _steps(_parsed(request).get("Steps", [])))
    names = [str(name) for name, times in counted.items() if times > 1]
    return {"value": ", ".join(names)} if names else None


def _unknown_dependency(request: Request) -> Values | None:
    steps = list(_steps(_parsed(request).get("Steps", [])))
    names = {step.get("Name") for step in steps}
    unknown = [name for step in steps for name in step.get("DependsOn", []) if name not in names]
    return {"value": unknown[0]} if unknown else None


def _is_definition(parsed: Any) -> bool:
    return isinstance(parsed, dict) and parsed.get("Version") == "2020-12-01" and bool(parsed.get("Steps"))


def _undeclared_parameter(request: Request) -> Values | None:
    name = request.params["PipelineName"]
    pipeline = request.find("pipeline", name) or {}
    parsed = json.loads(pipeline.get("PipelineDefinition", "{}"))
    declared = {parameter["Name"] for parameter in parsed.get("Parameters", [])}
    given = [each for each in found(request.params, "PipelineParameters[].Name") if each not in declared]
    return {"value": given[0], "pipeline": name} if given else None


def _unknown_version(request: Request) -> Values | None:
    name, number = request.params["PipelineName"], request.params.get("PipelineVersionId", 1)
    name = name.rpartition("/")[2]
    known = len((request.find("pipeline", name) or {}).get("_versions", [None]))
    if number <= known:
        return None
    return {"number": number, "value": name, "region": request.region, "account": request.account}


ENTRIES: tuple[Entry, ...] = (
    rule(
        "CreatePipeline",
        "The name of a pipeline is unique within a region of an account.",
        "Pipeline names must be unique within an AWS account and region. Pipeline with name ({value}) already exists.",
        existing("pipeline", "PipelineName"),
        pipeline(),
        pipeline(PipelineName="p"),
        given={"pipeline/p": {}},
    ),
    rule(
        "CreatePipeline",
        "A definition is given in the request or in S3.",
        "Exactly one of PipelineDefinition and PipelineDefinitionS3Location must be specified",
        lambda request: (
            together("PipelineDefinition", "PipelineDefinitionS3Location")(request)
            or none_of("PipelineDefinition", "PipelineDefinitionS3Location")(request)
        ),
        pipeline(),
        {"PipelineName": "new", "RoleArn": ROLE, "ClientRequestToken": TOKEN},
        inferred=True,
    ),
    rule(
        "CreatePipeline UpdatePipeline",
        "Names of steps are unique within a pipeline, its branches included.",
        "Unable to parse pipeline definition. Step names must be unique within the pipeline: {value}",
        _repeated_step,
        pipeline(definition(FAIL, {**FAIL, "Name": "Other"})),
        pipeline(definition(FAIL, FAIL)),
        source="SageMaker developer guide: Pipelines steps",
        inferred=True,
    ),
    rule(
        "CreatePipeline UpdatePipeline",
        "A step depends on steps of the same pipeline.",
        "Unable to parse pipeline definition. A step depends on {value}, which is not in the pipeline",
        _unknown_dependency,
        pipeline(definition(FAIL, {**FAIL, "Name": "Other", "DependsOn": ["Stop"]})),
        pipeline(definition({**FAIL, "DependsOn": ["Missing"]})),
        source="SageMaker developer guide: Pipelines steps",
        inferred=True,
    ),
    rule(
        "DescribePipeline UpdatePipeline DeletePipeline StartPipelineExecution ListPipelineExecutions",
        "The pipeline exists.",
        f"Pipeline '{PIPELINE}' does not exist.",
        absent("pipeline", "PipelineName"),
        {"PipelineName": "p"},
        {"PipelineName": "missing"},
        source="SageMaker API reference: DescribePipeline",
        code="ResourceNotFound",
        given={"pipeline/p": {}},
    ),
    rule(
        "StartPipelineExecution",
        "An execution names a version of its pipeline or an alias, not both.",
        "PipelineVersionId and PipelineVersionAlias cannot be specified together",
        together("PipelineVersionId", "PipelineVersionAlias"),
        {"PipelineName": "p", "ClientRequestToken": TOKEN, "PipelineVersionId": 1},
        {"PipelineName": "p", "ClientRequestToken": TOKEN, "PipelineVersionId": 1, "PipelineVersionAlias": "a"},
        source=START,
        given={"pipeline/p": {}},
        inferred=True,
    ),
    rule(
        "DescribePipeline",
        "The version of the pipeline that is described exists.",
        f"Pipeline version {{number}} of '{PIPELINE}' does not exist.",
        _unknown_version,
        {"PipelineName": "p", "PipelineVersionId": 2},
        {"PipelineName": "p", "PipelineVersionId": 3},
        source="SageMaker API reference: DescribePipeline",
        code="ResourceNotFound",
        given={"pipeline/p": {"_versions": [{}, {}]}},
        inferred=True,
    ),
    rule(
        "StartPipelineExecution",
        "The version of the pipeline that an execution names exists.",
        f"Pipeline version {{number}} of '{PIPELINE}' does not exist.",
        _unknown_version,
        {"PipelineName": "p", "ClientRequestToken": TOKEN, "PipelineVersionId": 2},
        {"PipelineName": "p", "ClientRequestToken": TOKEN, "PipelineVersionId": 3},
        source=START,
        code="ResourceNotFound",
        given={"pipeline/p": {"_versions": [{}, {}]}},
        inferred=True,
    ),
    rule(
        "StartPipelineExecution",
        "Executions of an account's own pipelines use the pipeline's role.",
        "RoleArn cannot be specified for a pipeline that is not managed by AWS",
        together("RoleArn"),
        {"PipelineName": "p", "ClientRequestToken": TOKEN},
        {"PipelineName": "p", "ClientRequestToken": TOKEN, "RoleArn": ROLE},
        source=START,
        given={"pipeline/p": {}},
        inferred=True,
    ),
    rule(
        "CreatePipeline UpdatePipeline",
        "A definition is JSON of version 2020-12-01 with steps.",
        "Unable to parse pipeline definition. It must be JSON with Version 2020-12-01 and Steps",
        lambda request: "PipelineDefinition" in request.params and not _is_definition(_parsed(request)),
        pipeline(),
        pipeline('{"Version": "2020-12-01", "Steps": []}'),
        source="SageMaker Pipelines definition schema",
        inferred=True,
    ),
    rule(
        "StartPipelineExecution",
        "Parameters of an execution are declared in the pipeline.",
        "Assigned value to unknown parameter [{value}] of pipeline {pipeline}",
        _undeclared_parameter,
        {"PipelineName": "p", "ClientRequestToken": TOKEN},
        {
            "PipelineName": "p",
            "ClientRequestToken": TOKEN,
            "PipelineParameters": [{"Name": "Missing", "Value": "v"}],
        },
        source=START,
        given={"pipeline/p": {"PipelineDefinition": definition()}},
        inferred=True,
    ),
    NotEnforced(
        "sagemaker",
        "CreatePipeline",
        "A pipeline has at most 50 steps and 200 parameters; definitions are at most 1 MB.",
        "Service quotas: Amazon SageMaker AI",
        "Quotas of steps and parameters can be raised; the size is a constraint of the service model, which is enforced.",
    ),
)
