"""SageMaker pipelines and model package groups."""

import json
from functools import partial
from typing import Any

from ..rule import CLOUDFORMATION, Entry, Rule
from . import pipeline_checks as checks

_SCHEMA = "SageMaker pipeline definition JSON schema"
_QUOTAS = "AWS General Reference, Amazon SageMaker AI endpoints and quotas"
_GUIDE = "SageMaker AI developer guide, Pipelines steps"
_PARSE = "Unable to parse pipeline definition. "
_pipeline = partial(Rule, CLOUDFORMATION, "AWS::SageMaker::Pipeline", code="ValidationException")


def _defined(*steps: dict[str, Any], **members: Any) -> dict[str, Any]:
    body = {"Version": "2020-12-01", "Steps": list(steps) or [_step()]} | members
    return {
        "RoleArn": "arn:aws:iam::123456789012:role/jobs",
        "PipelineDefinition": {"PipelineDefinitionBody": json.dumps(body)},
    }


def _step(step_name: str = "Train", /, **members: Any) -> dict[str, Any]:
    return {"Name": step_name, "Type": "Training", "Arguments": {}} | members


def _gate(*files: dict[str, Any], output: str = "metrics", path: str = "Steps.Evaluate.PropertyFiles.Report") -> Any:
    left = {"Std:JsonGet": {"PropertyFile": {"Get": path}, "Path": "auc"}}
    condition = {"Type": "GreaterThan", "LeftValue": left, "RightValue": 1}
    arguments = {"ProcessingOutputConfig": {"Outputs": [{"OutputName": output}]}}
    return _defined(
        {"Name": "Evaluate", "Type": "Processing", "Arguments": arguments, "PropertyFiles": list(files)},
        {"Name": "Gate", "Type": "Condition", "Arguments": {"Conditions": [condition], "IfSteps": [], "ElseSteps": []}},
    )


_FILE = {"PropertyFileName": "Report", "OutputName": "metrics", "FilePath": "metrics.json"}
_TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}]}
_GIVEN = {"role/jobs": {"AssumeRolePolicyDocument": _TRUST}, "role/events": {"AssumeRolePolicyDocument": {}}}
_POLICY = {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 2}
_WINDOW = {"Name": "Window", "Type": "String"}
_GET = {"Arguments": {"A": {"Get": "Parameters.Window"}}}


def _got(reference: str) -> dict[str, Any]:
    return _step("Next", Arguments={"A": {"Get": reference}})


ENTRIES: tuple[Entry, ...] = tuple(
    _pipeline(
        says=says,
        source=source,
        message=message,
        check=check,
        accepted=accepted,
        refused=refused,
        given=_GIVEN,
        inferred=not message.startswith("1 validation error"),
    )
    for says, source, message, check, accepted, refused in (
        (
            "A pipeline's definition is a JSON object.",
            _SCHEMA,
            _PARSE + "The definition is not a valid JSON object.",
            checks.not_json,
            _defined(),
            {"PipelineDefinition": {"PipelineDefinitionBody": "{"}},
        ),
        (
            "A definition's version is 2020-12-01.",
            _SCHEMA,
            _PARSE + "Version must be 2020-12-01.",
            checks.version,
            _defined(),
            _defined(Version="1"),
        ),
        (
            "A definition has the documented members only.",
            _SCHEMA,
            _PARSE + "Unknown property '{name}'.",
            checks.fields,
            _defined(Metadata={}),
            _defined(Comment="a"),
        ),
        (
            "A definition has up to 1 MB.",
            "SageMaker API reference, CreatePipeline",
            "1 validation error detected: Value at 'pipelineDefinition' failed to satisfy constraint: Member must have length "
            "less than or equal to 1048576",
            checks.large,
            _defined(),
            _defined(Metadata={"a": "a" * 1048576}),
        ),
        (
            "A pipeline has a step or more.",
            _SCHEMA,
            _PARSE + "Steps must have at least one step.",
            checks.no_steps,
            _defined(),
            {"PipelineDefinition": {"PipelineDefinitionBody": '{"Version": "2020-12-01", "Steps": []}'}},
        ),
        (
            "A pipeline has up to 50 steps.",
            _QUOTAS,
            "The pipeline definition exceeds the maximum of 50 steps.",
            checks.many_steps,
            _defined(*(_step(f"S{n}") for n in range(50))),
            _defined(*(_step(f"S{n}") for n in range(51))),
        ),
        (
            "A pipeline has up to 200 parameters.",
            _QUOTAS,
            "The pipeline definition exceeds the maximum of 200 parameters.",
            checks.many_parameters,
            _defined(Parameters=[_WINDOW]),
            _defined(Parameters=[_WINDOW | {"Name": f"P{n}"} for n in range(201)]),
        ),
        (
            "A parameter is a string, an integer, a float or a boolean, and is declared once.",
            _SCHEMA,
            _PARSE + "Parameter '{name}' of the type {kind} is declared twice, or its name or type is invalid.",
            checks.wrong_parameter,
            _defined(Parameters=[_WINDOW, {"Name": "Rows", "Type": "Integer"}]),
            _defined(Parameters=[_WINDOW, {"Name": "Window", "Type": "Integer"}]),
        ),
        (
            "Names of steps are unique, also of those in conditions.",
            _GUIDE,
            _PARSE + "Duplicate step name '{name}'.",
            checks.same_name,
            _defined(_step(), _step("Next")),
            _defined(_step(), _step()),
        ),
        (
            "A step's name has up to 64 letters, digits, hyphens and underscores.",
            _SCHEMA,
            _PARSE + "Step name '{name}' does not match the pattern [A-Za-z0-9\\-_]{{1,64}}.",
            checks.wrong_name,
            _defined(_step("Train-1")),
            _defined(_step("Train 1")),
        ),
        (
            "A step is of a documented type.",
            _GUIDE,
            _PARSE + "Step '{name}' has the unknown type '{type}'.",
            checks.unknown_step_type,
            _defined(),
            _defined(_step(Type="Train")),
        ),
        (
            "A step depends on steps of the pipeline.",
            _GUIDE,
            _PARSE + "Step '{step}' depends on the unknown step '{name}'.",
            checks.depends,
            _defined(_step(), _step("Next", DependsOn=["Train"])),
            _defined(_step(DependsOn=["Prepare"])),
        ),
        (
            "Steps do not wait for each other.",
            _GUIDE,
            "Cycle detected in the pipeline definition between the steps: {names}.",
            checks.cycle,
            _defined(_step(), _got("Steps.Train.ModelArtifacts")),
            _defined(_step(DependsOn=["Next"]), _got("Steps.Train.ModelArtifacts")),
        ),
        (
            "A reference to a step names a step of the pipeline.",
            _GUIDE,
            _PARSE + "Invalid property reference '{reference}'. Unknown step.",
            checks.unknown_step,
            _defined(_step(), _got("Steps.Train.ModelArtifacts")),
            _defined(_got("Steps.Train.ModelArtifacts")),
        ),
        (
            "A reference to a parameter names a parameter of the pipeline.",
            "SageMaker AI developer guide, Pipeline parameters",
            _PARSE + "Invalid property reference '{reference}'. Unknown parameter.",
            checks.unknown_parameter,
            _defined(_step(**_GET), Parameters=[_WINDOW]),
            _defined(_step(**_GET)),
        ),
        (
            "An execution variable is a documented one.",
            "SageMaker SDK, sagemaker.core.workflow.execution_variables",
            _PARSE + "Invalid property reference '{reference}'. Unknown execution variable.",
            checks.unknown_variable,
            _defined(_got("Execution.PipelineExecutionId")),
            _defined(_got("Execution.Id")),
        ),
        (
            "A condition reads property files of earlier steps.",
            "SageMaker AI developer guide, Pass data between steps",
            _PARSE + "Unknown property file '{file}'.",
            checks.property_file,
            _gate(_FILE),
            _gate(),
        ),
        (
            "A property file is in an output of its step.",
            "SageMaker AI developer guide, Pass data between steps",
            _PARSE + "Property file of step '{step}' refers to the unknown output '{output}'.",
            checks.file_output,
            _gate(_FILE),
            _gate(_FILE, output="other"),
        ),
        (
            "A retry policy ends after attempts or after minutes.",
            "SageMaker AI developer guide, Retry policy for pipeline steps",
            _PARSE + "A retry policy of step '{step}' must have one of MaxAttempts and ExpireAfterMin.",
            checks.retry,
            _defined(_step(RetryPolicies=[_POLICY])),
            _defined(_step(RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"]}])),
        ),
        (
            "Steps that start no job are repeated after errors of steps only.",
            "SageMaker AI developer guide, Retry policy for pipeline steps",
            _PARSE + "The exception type '{error}' is not supported by step '{step}'.",
            checks.job_retry,
            _defined(_step(Type="RegisterModel", RetryPolicies=[_POLICY])),
            _defined(
                _step(Type="RegisterModel", RetryPolicies=[_POLICY | {"ExceptionType": ["SageMaker.CAPACITY_ERROR"]}])
            ),
        ),
        (
            "A parameter's default is one of its values.",
            "SageMaker AI developer guide, Pipeline parameters",
            _PARSE + "The default of the parameter '{name}' is not one of its enum values.",
            checks.default,
            _defined(Parameters=[_WINDOW | {"EnumValues": ["a"], "DefaultValue": "a"}]),
            _defined(Parameters=[_WINDOW | {"EnumValues": ["a"], "DefaultValue": "b"}]),
        ),
        (
            "A pipeline's role trusts SageMaker.",
            "SageMaker AI developer guide, IAM access management for Pipelines",
            "Could not assume role {arn}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to "
            "assume the role.",
            checks.untrusted,
            _defined(),
            _defined() | {"RoleArn": "arn:aws:iam::123456789012:role/events"},
        ),
    )
)
