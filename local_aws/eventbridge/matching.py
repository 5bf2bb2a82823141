"""Whether an event matches a checked event pattern.

As Event Ruler does: an event is the set of its leaves, a field of the pattern needs one leaf that matches, and fields
inside an array of objects need leaves of the same element.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .patterns import OR

type Place = tuple[tuple[str, int], ...]
"""The elements of arrays that a leaf lies in, each by the array's own place and the index."""

type Leaf = tuple[Any, Place]
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, limit: value == limit,
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
}


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether `event` (JSON, as it is delivered) matches `pattern`, which `patterns.parse` accepted."""
    leaves: dict[str, list[Leaf]] = {}
    for path, value, place in _leaves(event):
        leaves.setdefault(path, []).append((value, place))
    return any(_fits(list(fields.items()), leaves, {}) for fields in _alternatives(pattern))


def _leaves(node: Any, path: str = "", place: Place = ()) -> Iterator[tuple[str, Any, Place]]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from _leaves(value, f"{path}.{name}" if path else name, place)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _leaves(value, path, (*place, (f"{path}{place}", index)))
    else:
        yield path, node, place


def _alternatives(pattern: Mapping[str, Any], path: str = "") -> list[dict[str, list[Any]]]:
    """The pattern without $or: lists of values by path, of which one must fit."""
    found: list[dict[str, list[Any]]] = [{}]
    for name, value in pattern.items():
        here = f"{path}.{name}" if path else name
        if name == OR:
            choices = [choice for alternative in value for choice in _alternatives(alternative, path)]
        elif isinstance(value, Mapping):
            choices = _alternatives(value, here)
        else:
            choices = [{here: value}]
        found = [before | choice for before in found for choice in choices]
    return found


def _fits(fields: list[tuple[str, list[Any]]], leaves: Mapping[str, list[Leaf]], taken: dict[str, int]) -> bool:
    """Whether there is a leaf for each field, all in the same element of each array."""
    if not fields:
        return True
    (path, values), rest = fields[0], fields[1:]
    if path not in leaves:
        return {"exists": False} in values and _fits(rest, leaves, taken)
    return any(
        _fits(rest, leaves, taken | dict(place))
        for value, place in leaves[path]
        if all(taken.get(array, index) == index for array, index in place)
        and any(_value_fits(wanted, value) for wanted in values)
    )


def _value_fits(wanted: Any, value: Any) -> bool:
    if not isinstance(wanted, dict):
        return _same(wanted, value)
    name, operand = next(iter(wanted.items()))
    if name == "anything-but":
        return not _excluded(operand, value)
    return _OPERATORS[name](operand, value)


def _same(wanted: Any, value: Any) -> bool:
    """Equal and of the same JSON type. 300 equals 300.0, whatever EventBridge's guide says: Event Ruler compares numbers."""
    return isinstance(wanted, bool) == isinstance(value, bool) and wanted == value


def _excluded(operand: Any, value: Any) -> bool:
    if isinstance(operand, dict):
        name, inner = next(iter(operand.items()))
        return any(_OPERATORS[name](item, value) for item in (inner if isinstance(inner, list) else [inner]))
    excluded = operand if isinstance(operand, list) else [operand]
    if isinstance(value, bool):
        return False
    return value in excluded


def _starts(operand: Any, value: Any) -> bool:
    if isinstance(operand, dict):
        return isinstance(value, str) and value.lower().startswith(operand["equals-ignore-case"].lower())
    return isinstance(value, str) and value.startswith(operand)


def _ends(operand: Any, value: Any) -> bool:
    if isinstance(operand, dict):
        return isinstance(value, str) and value.lower().endswith(operand["equals-ignore-case"].lower())
    return isinstance(value, str) and value.endswith(operand)


def _equals_ignore_case(operand: str, value: Any) -> bool:
    return isinstance(value, str) and value.lower() == operand.lower()


def _wildcard(operand: str, value: Any) -> bool:
    parts = re.findall(r"\\.|\*|[^\\*]+", operand, re.DOTALL)
    expression = "".join(".*" if part == "*" else re.escape(part[1:] if part[0] == "\\" else part) for part in parts)
    return isinstance(value, str) and re.fullmatch(expression, value, re.DOTALL) is not None


def _numeric(operand: list[Any], value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return all(_COMPARE[operator](value, limit) for operator, limit in zip(operand[::2], operand[1::2], strict=True))


def _cidr(operand: str, value: Any) -> bool:
    try:
        return isinstance(value, str) and ipaddress.ip_address(value) in ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "exactly": _same,
    "exists": lambda operand, _: operand,
    "prefix": _starts,
    "suffix": _ends,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
}
