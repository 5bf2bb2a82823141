"""Checks requests and paths of response properties against botocore's description of SageMaker's API."""

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, cast

from .functions import Function
from .mistakes import nearest

# CDK writes a value that is known at deployment only as a marked string, or as a number below this one.
_TOKEN_MARKERS = ("${Token[", "#{Token[")
_TOKEN_NUMBERS_BELOW = -1e280

_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "structure": ((Mapping,), "a mapping"),
    "map": ((Mapping,), "a mapping"),
    "list": ((list, tuple), "a list"),
    "string": ((str,), "a text"),
    "boolean": ((bool,), "true or false"),
    "integer": ((int,), "a whole number"),
    "long": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "double": ((int, float), "a number"),
}
_PATH = re.compile(r"\.?([A-Za-z0-9_-]+)|\['([^']+)'\]|\[(\d+)\]")

type Shape = dict[str, Any]


@cache
def _model() -> dict[str, Any]:
    """The service model, read from its file: a botocore client or loader takes ten times as long."""
    folder = files("botocore") / "data" / "sagemaker"
    newest = max((version for version in folder.iterdir() if version.is_dir()), key=lambda version: version.name)
    return json.loads(gzip.decompress((newest / "service-2.json.gz").read_bytes()))


def _shape(name: str) -> Shape:
    return _model()["shapes"][name]


def enumeration(shape: str) -> frozenset[str]:
    """Values of an enumeration, such as ProcessingInstanceType."""
    return frozenset(_shape(shape)["enum"])


def request_mistakes(operation: str, request: Mapping[str, Any], generated: frozenset[str]) -> Iterator[str]:
    """Mistakes for which SageMaker would reject `request`. SageMaker sets the members in `generated`."""
    name = _model()["operations"][operation]["input"]["shape"]
    yield from _structure(operation, _shape(name), request, "Arguments", generated)


def property_mistake(operation: str, path: str) -> str | None:
    """The mistake in `path` (`A.B['key'].C`) as a property of the operation's response; None when it exists."""
    shape = _shape(_model()["operations"][operation]["output"]["shape"])
    position = 0
    while position < len(path):
        part = _PATH.match(path, position)
        if not part:
            return f"{path[position:]!r} is no property path; write A.B['key'].C"
        member = part[1] or part[2] or part[3]
        match shape["type"]:
            case "structure" if member in shape["members"]:
                shape = _shape(shape["members"][member]["shape"])
            case "structure":
                return f"{operation} answers no {member!r} there; {nearest(member, shape['members'])}"
            case "list" if not part[1]:
                shape = _shape(shape["member"]["shape"])
            case "map":
                shape = _shape(shape["value"]["shape"])
            case kind:
                return f"{operation} answers a {kind} there, which has no {member!r}"
        position = part.end()
    return None


def _is_open(value: Any) -> bool:
    """Whether the value is not known yet: it is a function of the pipeline or a CDK token."""
    if isinstance(value, str):
        return any(marker in value for marker in _TOKEN_MARKERS)
    if isinstance(value, int | float):
        return value < _TOKEN_NUMBERS_BELOW
    return isinstance(value, Function)


def _structure(
    owner: str, shape: Shape, value: Mapping[str, Any], at: str, generated: frozenset[str] = frozenset()
) -> Iterator[str]:
    members: dict[str, Shape] = shape["members"]
    for missing in shape.get("required", ()):
        if missing not in value and missing not in generated:
            yield f"{at}.{missing} is missing; {owner} requires it"
    for name, item in value.items():
        if name in members:
            yield from _value(members[name]["shape"], item, f"{at}.{name}")
        else:
            yield f"{at}.{name} is no member of {owner}; {nearest(name, members)}"


def _value(shape_name: str, value: Any, at: str) -> Iterator[str]:
    shape = _shape(shape_name)
    if _is_open(value):
        return
    types, description = _TYPES.get(shape["type"], ((object,), ""))
    if not isinstance(value, types) or (isinstance(value, bool) and shape["type"] != "boolean"):
        yield f"{at} is {value!r} but must be {description}"
        return
    match shape["type"]:
        case "structure":
            yield from _structure(shape_name, shape, cast(Mapping[str, Any], value), at)
        case "list":
            items = cast(Sequence[Any], value)
            yield from _range(shape, len(items), at, "items")
            for index, item in enumerate(items):
                yield from _value(shape["member"]["shape"], item, f"{at}[{index}]")
        case "map":
            entries = cast(Mapping[str, Any], value)
            yield from _range(shape, len(entries), at, "entries")
            for key, item in entries.items():
                yield from _value(shape["key"]["shape"], key, f"{at}: key {key!r}")
                yield from _value(shape["value"]["shape"], item, f"{at}[{key!r}]")
        case "string":
            yield from _text(shape, cast(str, value), at)
        case _:
            yield from _range(shape, value, at, "")


def _text(shape: Shape, value: str, at: str) -> Iterator[str]:
    allowed: list[str] = shape.get("enum", [])
    if allowed and value not in allowed:
        yield f"{at} is {value!r}; {nearest(value, allowed)}"
        return
    yield from _range(shape, len(value), at, "characters")
    pattern = _pattern(shape.get("pattern", ""))
    if pattern and not pattern.fullmatch(value):
        yield f"{at} is {value!r} but must match {shape['pattern']}"


def _range(shape: Shape, size: float, at: str, unit: str) -> Iterator[str]:
    low, high = shape.get("min"), shape.get("max")
    if low is not None and size < low:
        yield f"{at} {_measure(size, unit)} but at least {low} is required"
    if high is not None and size > high:
        yield f"{at} {_measure(size, unit)} but at most {high} is allowed"


def _measure(size: float, unit: str) -> str:
    return f"has {size} {unit}" if unit else f"is {size}"


@cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """A pattern in Python's syntax; None without pattern, or when it uses Unicode classes that `re` does not have."""
    for java, python in ((r"\p{L}", r"\w"), (r"\p{Z}", r"\s"), (r"\p{N}", r"\d")):
        text = text.replace(java, python)
    try:
        return re.compile(re.sub(r"\$\{\d+,\d+\}$", "", text), re.DOTALL) if text else None
    except re.error:
        return None
