"""Caching of steps: a step takes the result of an earlier execution with the same attributes, if it is not too old.

Sources: SageMaker developer guide, "Caching pipeline steps", "Turn on step caching" (the format of ExpireAfter) and "Default
cache key attributes by pipeline step type". Only successful runs of the same pipeline count, the newest first; whether the data
that the attributes point to have changed is not looked at.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ...json_api import Record, ServiceError

_KEYS = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification", "CheckpointConfig", "DebugHookConfig", "DebugRuleConfigurations", "Environment",
        "HyperParameters", "InputDataConfig",
    ),
    "Tuning": ("HyperParameterTuningJobConfig", "TrainingJobDefinition", "TrainingJobDefinitions"),
    "Transform": ("DataProcessing", "Environment", "ModelName", "TransformInput"),
}  # fmt: skip
_TUNED = (
    "AlgorithmSpecification",
    "HyperParameterRanges",
    "InputDataConfig",
    "StaticHyperParameters",
    "TuningObjective",
)
_DURATION = re.compile(
    r"P?(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.IGNORECASE,
)


def signature(step: Record, resolved: Any) -> str | None:
    """The attributes of a step that decide whether an earlier result is used, as text; None when the step is not cached.

    Args:
        step: The step of the definition.
        resolved: Its arguments with every value filled in.
    """
    if not step.get("CacheConfig", {}).get("Enabled"):
        return None
    kind = step["Type"]
    attributes: Any = resolved
    if kind in _KEYS:
        attributes = {key: resolved[key] for key in _KEYS[kind] if key in resolved}
    if "TrainingJobDefinition" in attributes:
        definition = attributes["TrainingJobDefinition"]
        attributes["TrainingJobDefinition"] = {key: definition[key] for key in _TUNED if key in definition}
    target = [step.get("FunctionArn"), step.get("SqsQueueUrl")]
    return json.dumps([step["Name"], kind, target, attributes], sort_keys=True, default=str)


def oldest(step: Record, now: datetime) -> datetime | None:
    """When a result must have been made to be used; None when results do not expire. Raises ServiceError."""
    text = step["CacheConfig"].get("ExpireAfter")
    if text is None:
        return None
    found = _DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        raise ServiceError(f"ExpireAfter {text} of step {step['Name']} is no ISO 8601 duration")
    parts = {name: int(value or 0) for name, value in found.groupdict().items()}
    days = parts["years"] * 365 + parts["months"] * 30 + parts["weeks"] * 7 + parts["days"]
    return now - timedelta(days=days, hours=parts["hours"], minutes=parts["minutes"], seconds=parts["seconds"])


def earlier_result(step: Record, key: str, executions: Sequence[Any], now: datetime) -> tuple[str, Record, Any] | None:
    """ARN of the execution, the record of its step, and the values that other steps refer to; None when there is none.

    Args:
        step: The step of the definition.
        key: Its signature.
        executions: Executions of the pipeline, oldest first.
        now: The time.
    """
    limit, name = oldest(step, now), step["Name"]
    for execution in reversed(executions):
        found, values = getattr(execution, "results", {}).get(name, ("", None))
        if found == key and (limit is None or execution.steps[name]["EndTime"] >= limit):
            return execution.record["PipelineExecutionArn"], execution.steps[name], values
    return None
