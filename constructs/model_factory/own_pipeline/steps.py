"""The types of steps that an own pipeline may have, and their requests checked against SageMaker's API."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..definition import ProcessingStep, RegisterModelStep, Step, TrainingStep, TransformStep, TuningStep
from ..definition.functions import Function
from ..definition.service_model import request_mistakes


@dataclass(frozen=True)
class _ModelStep(Step):
    """Creates a model, which pipelines of Model Factory itself have no use for."""

    type: str = "Model"

    operation: ClassVar[str | None] = "CreateModel"
    generated: ClassVar[frozenset[str]] = frozenset({"ModelName"})


OPERATIONS = {
    step.type: (step.operation, step.generated)
    for step in (ProcessingStep, TrainingStep, TuningStep, TransformStep, _ModelStep, RegisterModelStep)
    if step.operation
}
"""The operation of each type of step that is a request, and the members that SageMaker sets."""
OTHERS = ("Condition", "Fail", "Lambda", "Callback")
EXECUTED = (*OPERATIONS, *OTHERS)
"""Types of steps that Model Factory deploys and the embedded AWS executes."""
_MONITOR = (
    "compares with baselines of Amazon SageMaker Model Monitor, which takes no new customers; use a Processing step"
)
REFUSED = {
    "QualityCheck": _MONITOR,
    "ClarifyCheck": _MONITOR,
    "EMR": "needs a cluster, which Model Factory does not create; use a Processing step with AWS's Spark image",
    "EMRServerless": "needs an application, which Model Factory does not create; use a Processing step with AWS's Spark image",
    "AutoML": "trains models that only the service knows; register them outside of the pipeline",
    "EndpointConfig": "deploys; Model Factory deploys the version that is approved",
    "Endpoint": "deploys; Model Factory deploys the version that is approved",
    "InferenceComponent": "deploys; Model Factory deploys the version that is approved",
    "Lineage": "writes lineage entities, which Model Factory publishes itself",
    "Job": "starts jobs of SageMaker's own model customization, which the embedded AWS does not have",
    "Cleanup": "deletes what other steps made for themselves, which Model Factory gives no permission for",
    "ForEach": "is expanded by the service, which the embedded AWS does not do; write its steps out",
}
"""Types of steps that are refused, and why."""

FUNCTIONS = (
    "Model Factory deploys no functions with @step: their arguments are pickled, so the names and the approval of an environment "
    "cannot be filled in. Put the function's body into a script of a Processing or Training step, and register with a ModelStep; "
    "'Bring your own pipeline', 'From functions to steps', shows how"
)
"""Why a function is no step here, and what to do (docs/decisions/0107-get-pipeline-runs-at-synth-without-aws.md)."""


_IMAGES = ("Image", "ImageUri", "TrainingImage")
_TARGETS = {"Lambda": "FunctionArn", "Callback": "SqsQueueUrl"}
_OPEN = Function()
"""Stands for a value that is known when the pipeline runs."""


def walk(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every step, with those in the branches of conditions."""
    for step in steps:
        yield step
        if step["Type"] == "Condition":
            for branch in ("IfSteps", "ElseSteps"):
                yield from walk(step["Arguments"].get(branch, []))


def step_mistakes(definition: dict[str, Any], sdk: str) -> Iterator[str]:
    """What AWS or Model Factory would refuse, one sentence for each.

    Args:
        definition: The definition.
        sdk: Version of the SDK that wrote it.
    """
    registers = False
    for step in walk(definition["Steps"]):
        name, kind = step["Name"], step["Type"]
        if kind not in EXECUTED:
            reason = REFUSED.get(kind, f"is no type of step that Model Factory knows; it knows {', '.join(EXECUTED)}")
            yield f"step {name!r} has the type {kind}, which {reason}"
            continue
        if kind == "Training" and _is_function(step):
            yield f"step {name!r} is a function with the decorator @step. {FUNCTIONS}"
            continue
        target = _TARGETS.get(kind)
        if target and not isinstance(step.get(target), str):
            yield f"step {name!r}: {target} must be a text, so that the pipeline's role can be allowed to use it"
        registers = registers or kind == "RegisterModel"
        if kind in OPERATIONS:
            operation, generated = OPERATIONS[kind]
            for mistake in request_mistakes(operation, open_values(step["Arguments"]), generated):
                yield f"step {name!r}: {mistake}"
    if not registers:
        yield (
            "no step registers a model package, so there would never be a version to approve and to deploy; add a step with "
            f"register(model_package_group_name=model_package_group_name, …) (SDK {sdk})"
        )


def _is_function(step: dict[str, Any]) -> bool:
    """Whether the SDK made a training step of a function."""
    entry_point = step["Arguments"].get("AlgorithmSpecification", {}).get("ContainerEntrypoint", [])
    return any("sagemaker_remote_function_bootstrap" in part for part in entry_point if isinstance(part, str))


def open_values(value: Any) -> Any:
    """A copy with a Function in place of every look-up, as the checks of requests expect."""
    if isinstance(value, list):
        return [open_values(item) for item in value]
    if isinstance(value, dict):
        if len(value) == 1 and (next(iter(value)) == "Get" or next(iter(value)).startswith("Std:")):
            return _OPEN
        return {key: open_values(item) for key, item in value.items()}
    return value


def parameter_defaults(definition: dict[str, Any]) -> dict[str, Any]:
    """The default of each parameter by its name; None without one."""
    return {each["Name"]: each.get("DefaultValue") for each in definition.get("Parameters", [])}


def known_value(value: Any, defaults: Mapping[str, Any]) -> Any:
    """The value itself, or of a look-up, the default of its parameter; None where only the execution knows it."""
    return defaults.get(str(value.get("Get", "")).removeprefix("Parameters.")) if isinstance(value, dict) else value


def images(definition: dict[str, Any]) -> list[str]:
    """URIs of the images of all steps; of parameters, the default."""
    arguments = [step.get("Arguments", {}) for step in walk(definition["Steps"])]
    return sorted(set(_images(arguments, parameter_defaults(definition))))


def _images(value: Any, defaults: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _images(item, defaults)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in _IMAGES and isinstance(found := known_value(item, defaults), str):
                yield found
            elif not isinstance(item, str):
                yield from _images(item, defaults)
