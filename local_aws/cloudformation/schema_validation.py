"""Validation of a value against a JSON schema, in the words of CloudFormation's validator (everit).

CloudFormation converts scalars, so "5" is an integer and true is a string. The keyword `format` and keywords that are not
in the table at the end are not checked.
"""

import json
import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import regex

type Schema = dict[str, Any]
type Check = Callable[["Node"], Iterator[str]]

KINDS = {
    "object": "JSONObject",
    "array": "JSONArray",
    "string": "String",
    "integer": "Integer",
    "number": "Number",
    "boolean": "Boolean",
}


class Node:
    """A value with its schema: `path` is its JSON pointer, `root` the schema of the type, `argument` the keyword's."""

    def __init__(self, value: Any, schema: Schema, root: Schema, path: str = "#", argument: Any = None) -> None:
        self.value, self.schema, self.root, self.path, self.argument = value, schema, root, path, argument

    def below(self, key: Any, schema: Any) -> Iterator[str]:
        """Violations of the value at a key or index."""
        return violations_of(Node(self.value[key], schema, self.root, f"{self.path}/{key}"))

    def valid(self, schema: Any) -> bool:
        """Whether the same value is valid under another schema."""
        return next(violations_of(Node(self.value, schema, self.root, self.path)), None) is None


def violations_of(node: Node) -> Iterator[str]:
    """Every violation, each with the JSON pointer of its value."""
    schema = node.schema
    if isinstance(schema, bool):
        if not schema:
            yield f"{node.path}: subject must not be valid against schema"
        return
    if "$ref" in schema:
        yield from violations_of(Node(node.value, _referred(node.root, schema["$ref"]), node.root, node.path))
        return
    kinds = schema.get("type")
    if kinds is not None:
        allowed = kinds if isinstance(kinds, list) else [kinds]
        if not any(_is(node.value, kind) for kind in allowed):
            found = "Null" if node.value is None else KINDS[_kind(node.value)]
            yield f"{node.path}: expected type: {KINDS.get(allowed[0], allowed[0])}, found: {found}"
            return
    for keyword, check in _CHECKS.items():
        if keyword in schema:
            yield from check(Node(node.value, schema, node.root, node.path, schema[keyword]))


def _referred(root: Schema, reference: str) -> Any:
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}
    return next((kind for known, kind in kinds.items() if isinstance(value, known)), "string")


def _is(value: Any, kind: str) -> bool:
    """Whether a value is of a kind, or a scalar that CloudFormation converts to it."""
    match kind:
        case "object" | "array":
            return _kind(value) == kind
        case "string":
            return isinstance(value, str | int | float | bool)
        case "boolean":
            return str(value).lower() in ("true", "false")
        case "integer" | "number":
            number = _number(value)
            return number is not None and (kind == "number" or number == math.floor(number))
        case _:
            return value is None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _properties(node: Node) -> Iterator[str]:
    if isinstance(node.value, dict):
        for key, schema in node.argument.items():
            if key in node.value:
                yield from node.below(key, schema)


def _pattern_properties(node: Node) -> Iterator[str]:
    if isinstance(node.value, dict):
        for pattern, schema in node.argument.items():
            for key in node.value:
                if _pattern(pattern).search(key):
                    yield from node.below(key, schema)


def _additional(node: Node) -> Iterator[str]:
    if not isinstance(node.value, dict):
        return
    patterns = [_pattern(each) for each in node.schema.get("patternProperties", {})]
    for key in node.value:
        if key in node.schema.get("properties", {}) or any(each.search(key) for each in patterns):
            continue
        if node.argument is False:
            yield f"{node.path}: extraneous key [{key}] is not permitted"
        elif isinstance(node.argument, dict):
            yield from node.below(key, node.argument)


def _required(node: Node) -> Iterator[str]:
    if isinstance(node.value, dict):
        yield from (f"{node.path}: required key [{key}] not found" for key in node.argument if key not in node.value)


def _one_required(node: Node) -> Iterator[str]:
    if isinstance(node.value, dict) and (count := sum(key in node.value for key in node.argument)) != 1:
        yield f"{node.path}: {count} subschemas matched instead of one"


def _any_required(node: Node) -> Iterator[str]:
    if isinstance(node.value, dict) and not any(key in node.value for key in node.argument):
        yield f"{node.path}: no subschema matched out of the total {len(node.argument)} subschemas"


def _dependent_required(node: Node) -> Iterator[str]:
    for key, others in node.argument.items() if isinstance(node.value, dict) else ():
        if key in node.value:
            yield from (f"{node.path}: property [{other}] is required" for other in others if other not in node.value)


def _dependent_excluded(node: Node) -> Iterator[str]:
    for key, others in node.argument.items() if isinstance(node.value, dict) else ():
        if key in node.value:
            wrong = [other for other in others if other in node.value]
            yield from (f"{node.path}: extraneous key [{other}] is not permitted" for other in wrong)


def _items(node: Node) -> Iterator[str]:
    for index in range(len(node.value)) if isinstance(node.value, list) else ():
        yield from node.below(index, node.argument)


def _count(word: str, wrong: Callable[[int, int], bool]) -> Check:
    def check(node: Node) -> Iterator[str]:
        if isinstance(node.value, list) and wrong(len(node.value), node.argument):
            yield f"{node.path}: expected {word} item count: {node.argument}, found: {len(node.value)}"

    return check


def _unique(node: Node) -> Iterator[str]:
    if isinstance(node.value, list) and node.argument:
        written = [json.dumps(each, sort_keys=True) for each in node.value]
        if len(set(written)) < len(written):
            yield f"{node.path}: array items are not unique"


def _length(keyword: str, wrong: Callable[[int, int], bool]) -> Check:
    def check(node: Node) -> Iterator[str]:
        if not isinstance(node.value, dict | list) and wrong(len(_text(node.value)), node.argument):
            yield f"{node.path}: expected {keyword}: {node.argument}, actual: {len(_text(node.value))}"

    return check


def _limit(word: str, wrong: Callable[[float, float], bool]) -> Check:
    def check(node: Node) -> Iterator[str]:
        number = _number(node.value)
        if number is not None and wrong(number, node.argument):
            yield f"{node.path}: {node.value} is not {word} {node.argument}"

    return check


def _matches(node: Node) -> Iterator[str]:
    if not isinstance(node.value, dict | list) and not _pattern(node.argument).search(_text(node.value)):
        yield f"{node.path}: string [{_text(node.value)}] does not match pattern {node.argument}"


@cache
def _pattern(pattern: str) -> Any:  # regex.Pattern[str], which regex does not type
    # Python has no character classes such as \p{L}, which many schemas use.
    return regex.compile(pattern)


def _enumerated(node: Node) -> Iterator[str]:
    if _text(node.value) not in [_text(each) for each in node.argument]:
        yield f"{node.path}: {_text(node.value)} is not a valid enum value"


def _constant(node: Node) -> Iterator[str]:
    if _text(node.value) != _text(node.argument):
        yield f"{node.path}: {_text(node.value)} is not a valid enum value"


def _all_of(node: Node) -> Iterator[str]:
    for schema in node.argument:
        yield from violations_of(Node(node.value, schema, node.root, node.path))


def _any_of(node: Node) -> Iterator[str]:
    if not any(node.valid(schema) for schema in node.argument):
        yield f"{node.path}: no subschema matched out of the total {len(node.argument)} subschemas"


def _one_of(node: Node) -> Iterator[str]:
    count = sum(node.valid(schema) for schema in node.argument)
    if count != 1:
        yield f"{node.path}: {count} subschemas matched instead of one"


def _not(node: Node) -> Iterator[str]:
    if node.valid(node.argument):
        yield f"{node.path}: subject must not be valid against schema"


_CHECKS: dict[str, Check] = {
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "required": _required,
    "requiredXor": _one_required,
    "requiredOr": _any_required,
    "dependentRequired": _dependent_required,
    "dependentExcluded": _dependent_excluded,
    "items": _items,
    "minItems": _count("minimum", lambda count, limit: count < limit),
    "maxItems": _count("maximum", lambda count, limit: count > limit),
    "maxUniqueItems": _count("maximum", lambda count, limit: count > limit),
    "uniqueItems": _unique,
    "minLength": _length("minLength", lambda length, limit: length < limit),
    "maxLength": _length("maxLength", lambda length, limit: length > limit),
    "minimum": _limit("greater or equal to", lambda number, limit: number < limit),
    "maximum": _limit("less or equal to", lambda number, limit: number > limit),
    "pattern": _matches,
    "enum": _enumerated,
    "const": _constant,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
}

CONSTRAINTS = frozenset(_CHECKS) - {"properties", "patternProperties", "items", "allOf", "not"}
"""Keywords that say what a value must be, apart from those that only lead to other schemas."""
