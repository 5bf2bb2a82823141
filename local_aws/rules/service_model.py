"""The constraints of AWS's service models: required members, lengths, ranges, enumerations, patterns.

botocore checks required members, types and minima before it sends a request; the service checks everything. These are its words
(API reference of each service, "Common error types": ValidationError). Services that are not listed word such errors themselves.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from moto.core.utils import get_service_model

from .rule import Violation

CODES = {
    "application-autoscaling": "ValidationException",
    "cloudformation": "ValidationError",
    "cloudwatch": "ValidationError",
    "codebuild": "ValidationException",
    "codepipeline": "ValidationException",
    "events": "ValidationException",
    "iam": "ValidationError",
    "kms": "ValidationException",
    "lambda": "ValidationException",
    "logs": "InvalidParameterException",
    "sagemaker": "ValidationException",
    "sagemaker-runtime": "ValidationError",
    "scheduler": "ValidationException",
    "ssm": "ValidationException",
    "sts": "ValidationError",
}
"""The code of a request that breaks its model's constraints, by service."""

type _Mistake = tuple[str, str, str]
"""Value, place and constraint."""


def violation(service: str, operation: str, params: Mapping[str, Any]) -> Violation | None:
    """How parameters break the constraints of the model, all of them in one message; None when they keep to it."""
    if service not in CODES:
        return None
    shape = _input_shape(service, operation)
    mistakes = list(_structure(shape, params, "")) if shape is not None else []
    if not mistakes:
        return None
    each = "; ".join(
        f"Value {value} at '{place}' failed to satisfy constraint: Member must {constraint}"
        for value, place, constraint in mistakes
    )
    errors = "error" if len(mistakes) == 1 else "errors"
    return Violation(CODES[service], f"{len(mistakes)} validation {errors} detected: {each}")


@cache
def _input_shape(service: str, operation: str) -> Any:
    return get_service_model(service).operation_model(operation).input_shape


def _structure(shape: Any, value: Mapping[str, Any], place: str) -> Iterator[_Mistake]:
    streamed = shape.serialization.get("payload")  # the HTTP body, which is not parsed
    for name in shape.required_members:
        if value.get(name) is None and name != streamed:
            yield "null", _member(place, name), "not be null"
    for name, each in value.items():
        if each is not None and name in shape.members:
            yield from _value(shape.members[name], each, _member(place, name))


def _value(shape: Any, value: Any, place: str) -> Iterator[_Mistake]:
    limits = shape.metadata
    if shape.type_name == "structure" and isinstance(value, Mapping):
        yield from _structure(shape, value, place)
    elif shape.type_name == "list" and isinstance(value, list | tuple):
        yield from _limits(len(value), limits, "length", value, place)
        for index, each in enumerate(value, 1):
            yield from _value(shape.member, each, f"{place}.{index}.member")
    elif shape.type_name == "map" and isinstance(value, Mapping):
        yield from _limits(len(value), limits, "length", value, place)
        for key, each in value.items():
            yield from _value(shape.key, key, f"{place}.key")
            yield from _value(shape.value, each, f"{place}.{key}.member")
    elif shape.type_name == "string" and isinstance(value, str):
        yield from _text(shape, value, place)
    elif shape.type_name == "blob" and isinstance(value, str | bytes):
        yield from _limits(len(value), limits, "length", "java.nio.HeapByteBuffer", place)
    elif shape.type_name in ("integer", "long", "float", "double") and isinstance(value, int | float):
        yield from _limits(value, limits, "value", value, place)


def _text(shape: Any, value: str, place: str) -> Iterator[_Mistake]:
    shown = "***" if shape.metadata.get("sensitive") else value
    if shape.enum and value not in shape.enum:
        yield f"'{shown}'", place, f"satisfy enum value set: [{', '.join(shape.enum)}]"
    yield from _limits(len(value), shape.metadata, "length", shown, place)
    pattern = _pattern(shape.metadata.get("pattern", ""))
    if pattern and not pattern.fullmatch(value):
        yield f"'{shown}'", place, f"satisfy regular expression pattern: {shape.metadata['pattern']}"


def _limits(size: float, limits: Mapping[str, Any], what: str, value: object, place: str) -> Iterator[_Mistake]:
    if size > limits.get("max", size):
        yield f"'{value}'", place, f"have {what} less than or equal to {limits['max']}"
    if size < limits.get("min", size):
        yield f"'{value}'", place, f"have {what} greater than or equal to {limits['min']}"


def _member(place: str, name: str) -> str:
    """AWS writes the names of members with a small letter first."""
    name = name[:1].lower() + name[1:]
    return f"{place}.{name}" if place else name


@cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """A pattern of the model in Python's form; None when there is none, or one that Python cannot read."""
    for java, python in ((r"\p{L}", r"\w"), (r"\p{Z}", r"\s"), (r"\p{N}", r"\d")):
        text = text.replace(java, python)
    try:
        return re.compile(re.sub(r"\$\{\d+,\d+\}$", "", text), re.DOTALL) if text else None
    except re.error:
        return None
