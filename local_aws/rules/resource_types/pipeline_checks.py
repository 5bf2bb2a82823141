"""Checks of SageMaker pipeline definitions."""

import json
import re
from collections.abc import Iterator
from typing import Any

from ..rule import Request, Values
from .values import every, last, own, repeated, trusts

_TYPES = frozenset(
    (
        "AutoML", "Callback", "ClarifyCheck", "Condition", "EMR", "Fail", "Lambda", "Model", "Processing", "QualityCheck",
        "RegisterModel", "Training", "Transform", "Tuning",
    )
)  # fmt: skip


_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
"""Of steps and parameters."""


def _body(request: Request) -> Any:
    definition = request.params.get("PipelineDefinition", {})
    body = definition.get("PipelineDefinitionBody", "{}") if isinstance(definition, dict) else definition
    try:
        return json.loads(body) if isinstance(body, str) else body
    except ValueError:
        return None


def _text(request: Request) -> str:
    body = request.params.get("PipelineDefinition", {}).get("PipelineDefinitionBody", "")
    return body if isinstance(body, str) else json.dumps(body)


def _all(steps: Any) -> Iterator[dict[str, Any]]:
    """Steps with those inside of conditions."""
    for step in every(steps):
        yield step
        arguments = step.get("Arguments")
        if isinstance(arguments, dict) and step.get("Type") == "Condition":
            yield from _all(arguments.get("IfSteps"))
            yield from _all(arguments.get("ElseSteps"))


def _steps(request: Request) -> list[dict[str, Any]]:
    return list(_all((_body(request) or {}).get("Steps")))


def _names(request: Request) -> list[str]:
    return [str(each.get("Name")) for each in _steps(request)]


def _parameters(request: Request) -> list[dict[str, Any]]:
    return every((_body(request) or {}).get("Parameters"))


def _references(value: Any) -> Iterator[str]:
    """What `Get` and property files of conditions refer to."""
    if isinstance(value, dict):
        if isinstance(value.get("Get"), str):
            yield value["Get"]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _json_gets(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        file = value.get("Std:JsonGet", {}).get("PropertyFile") if "Std:JsonGet" in value else None
        if file is not None:
            yield str(file.get("Get")) if isinstance(file, dict) else str(file)
        for each in value.values():
            yield from _json_gets(each)
    elif isinstance(value, list):
        for each in value:
            yield from _json_gets(each)


def not_json(request: Request) -> bool:
    """Checks: A pipeline's definition is a JSON object."""
    return not isinstance(_body(request), dict)


def version(request: Request) -> bool:
    """Checks: A definition's version is 2020-12-01."""
    return (_body(request) or {}).get("Version") != "2020-12-01"


def large(request: Request) -> bool:
    """Checks: A definition has up to 1 MB."""
    return len(_text(request).encode()) > 1024 * 1024


def same_name(request: Request) -> Values | None:
    """Checks: Names of steps are unique, also of those in conditions."""
    name = repeated(_names(request))
    return {"name": name} if name else None


def wrong_name(request: Request) -> Values | None:
    """Checks: A step's name has up to 64 letters, digits, hyphens and underscores."""
    return next(({"name": each} for each in _names(request) if not _NAME.fullmatch(each)), None)


def no_steps(request: Request) -> bool:
    """Checks: A pipeline has a step or more."""
    return not _steps(request)


def many_steps(request: Request) -> bool:
    """Checks: A pipeline has up to 50 steps."""
    return len(_steps(request)) > 50


def many_parameters(request: Request) -> bool:
    """Checks: A pipeline has up to 200 parameters."""
    return len(_parameters(request)) > 200


def wrong_parameter(request: Request) -> Values | None:
    """Checks: A parameter is a string, an integer, a float or a boolean, has a name, and is declared once."""
    seen: set[str] = set()
    for each in _parameters(request):
        name = str(each.get("Name"))
        kind = each.get("Type", "String")
        if name in seen or kind not in ("String", "Integer", "Float", "Boolean") or not _NAME.fullmatch(name):
            return {"name": name, "kind": kind}
        seen.add(name)
    return None


def unknown_step_type(request: Request) -> Values | None:
    """Checks: A step is of a documented type."""
    for each in _steps(request):
        if each.get("Type") not in _TYPES:
            return {"type": each.get("Type"), "name": each.get("Name")}
    return None


def depends(request: Request) -> Values | None:
    """Checks: A step depends on steps of the pipeline."""
    known = set(_names(request))
    for each in _steps(request):
        for name in every(each.get("DependsOn")):
            if name.partition("[")[0] not in known:
                return {"name": name, "step": each["Name"]}
    return None


def cycle(request: Request) -> Values | None:
    """Checks: Steps do not wait for each other."""
    waits = {str(each.get("Name")): set(_waits_for(each)) for each in _steps(request)}
    while free := {name for name, others in waits.items() if not others & set(waits)}:
        waits = {name: others for name, others in waits.items() if name not in free}
    return {"names": ", ".join(sorted(waits))} if waits else None


def _waits_for(step: dict[str, Any]) -> Iterator[str]:
    yield from (name.partition("[")[0] for name in every(step.get("DependsOn")))
    arguments = step.get("Arguments", {})
    # The steps inside of a condition wait for themselves.
    for reference in _references(arguments.get("Conditions") if step.get("Type") == "Condition" else arguments):
        kind, _, rest = reference.partition(".")
        if kind == "Steps":
            yield re.split(r"[.\[]", rest)[0]


def unknown_step(request: Request) -> Values | None:
    """Checks: A reference to a step names a step of the pipeline."""
    known = set(_names(request))
    for reference in _references(_body(request)):
        kind, _, rest = reference.partition(".")
        if kind == "Steps" and re.split(r"[.\[]", rest)[0] not in known:
            return {"reference": reference}
    return None


def unknown_parameter(request: Request) -> Values | None:
    """Checks: A reference to a parameter names a parameter of the pipeline."""
    known = {each.get("Name") for each in _parameters(request)}
    for reference in _references(_body(request)):
        kind, _, name = reference.partition(".")
        if kind == "Parameters" and name not in known:
            return {"reference": reference}
    return None


_VARIABLES = frozenset(
    ("StartDateTime", "CurrentDateTime", "PipelineName", "PipelineArn", "PipelineExecutionId", "PipelineExecutionArn",
     "TrainingJobName", "ProcessingJobName")
)  # fmt: skip


def unknown_variable(request: Request) -> Values | None:
    """Checks: An execution variable is a documented one."""
    for reference in _references(_body(request)):
        kind, _, name = reference.partition(".")
        if kind == "Execution" and name not in _VARIABLES:
            return {"reference": reference}
    return None


def property_file(request: Request) -> Values | None:
    """Checks: A condition reads property files of earlier steps."""
    files = {
        f"Steps.{step.get('Name')}.PropertyFiles.{file.get('PropertyFileName')}"
        for step in _steps(request)
        for file in every(step.get("PropertyFiles"))
    }
    return next(({"file": each} for each in _json_gets(_body(request)) if each not in files), None)


def file_output(request: Request) -> Values | None:
    """Checks: A property file is in an output of its step."""
    for step in _steps(request):
        outputs = step.get("Arguments", {}).get("ProcessingOutputConfig", {}).get("Outputs", [])
        names = {each.get("OutputName") for each in outputs}
        for file in every(step.get("PropertyFiles")):
            if file.get("OutputName") not in names:
                return {"output": file.get("OutputName"), "step": step.get("Name")}
    return None


def retry(request: Request) -> Values | None:
    """Checks: A retry policy ends after attempts or after minutes."""
    for step in _steps(request):
        for each in every(step.get("RetryPolicies")):
            if ("MaxAttempts" in each) == ("ExpireAfterMin" in each):
                return {"step": step.get("Name")}
    return None


def job_retry(request: Request) -> Values | None:
    """Checks: Steps that start no job are repeated after errors of steps only."""
    for step in _steps(request):
        policies = every(step.get("RetryPolicies")) if step.get("Type") in ("Model", "RegisterModel") else []
        for error in (each for policy in policies for each in every(policy.get("ExceptionType"))):
            if not str(error).startswith("Step."):
                return {"step": step.get("Name"), "error": error}
    return None


def default(request: Request) -> Values | None:
    """Checks: A parameter's default is one of its values."""
    for each in _parameters(request):
        values = each.get("EnumValues")
        if values and "DefaultValue" in each and each["DefaultValue"] not in values:
            return {"name": each.get("Name")}
    return None


def untrusted(request: Request) -> Values | None:
    """Checks: A pipeline's role trusts SageMaker."""
    arn = str(request.params.get("RoleArn"))
    if own(request, arn) and not trusts(request.find("role", last(arn)), "sagemaker.amazonaws.com"):
        return {"arn": arn}
    return None


def fields(request: Request) -> Values | None:
    """Checks: A definition has the documented members only."""
    known = {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "Steps"}
    unknown = sorted(set(_body(request) or {}) - known)
    return {"name": unknown[0]} if unknown else None
