"""Validation of event patterns, with the refusals of PutRule.

The rules and the sentences are those of Event Ruler (github.com/aws/event-ruler, `JsonRuleCompiler`), the library that
EventBridge itself matches with. AWS adds the position in the text to a sentence; here it is left out.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

OR = "$or"
RESERVED_IN_OR = frozenset(
    [
        "exactly",
        "equals-ignore-case",
        "prefix",
        "suffix",
        "anything-but",
        "exists",
        "wildcard",
        "numeric",
        "cidr",
        "=",
        "<",
        "<=",
        ">",
        ">=",
        "regex",
        "not-wildcard",
        "not-equals-ignore-case",
        "date-after",
        "date-on-or-after",
        "date-before",
        "date-on-or-before",
        "in-date-range",
        "ip-address-in-range",
        "ip-address-not-in-range",
    ]
)
ONE_KEY = "Only one key allowed in match expression"
_IP_LIKE = re.compile(r"\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:]*:[0-9a-fA-F:]*")
COMPLEX = (
    "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a "
    "wildcard character"
)
MOST_WILDCARDS = 5
"""EventBridge limits the size of its automaton, without a documented number; its guide shows six wildcards refused."""


class PatternError(ValueError):
    """A pattern that PutRule refuses; the text is the reason of InvalidEventPatternException."""


def parse(text: str) -> dict[str, Any]:
    """The checked pattern of its JSON text. Raises PatternError."""
    try:
        pattern = json.loads(text)
    except json.JSONDecodeError as error:
        raise PatternError("Invalid JSON") from error
    if not isinstance(pattern, dict):
        raise PatternError("Filter is not an object")
    _check_object(pattern)
    return pattern


def _check_object(pattern: Mapping[str, Any], reserved: frozenset[str] = frozenset()) -> None:
    if not pattern:
        raise PatternError("Empty objects are not allowed")
    for name, value in pattern.items():
        if name == OR:
            _check_or(value)
        elif name in reserved:
            raise PatternError(f"{name} is Ruler reserved fieldName which cannot be used inside $or.")
        elif isinstance(value, dict):
            _check_object(value, reserved)
        elif isinstance(value, list):
            _check_values(value)
        else:
            raise PatternError(f'"{name}" must be an object or an array')


def _check_or(alternatives: Any) -> None:
    if not isinstance(alternatives, list):
        raise PatternError("It must be an Array followed with $or.")
    for alternative in alternatives:
        if not isinstance(alternative, dict):
            raise PatternError("Only JSON object is allowed in array of $or relationship.")
        _check_object(alternative, RESERVED_IN_OR)
    if len(alternatives) < 2:
        raise PatternError("There must have at least 2 Objects in $or relationship.")


def _check_values(values: list[Any]) -> None:
    for value in values:
        if isinstance(value, dict):
            _check_expression(value)
        elif isinstance(value, list):
            raise PatternError("Match value must be String, number, true, false, or null")
    if not values:
        raise PatternError("Empty arrays are not allowed")


def _check_expression(expression: Mapping[str, Any]) -> None:
    if not expression:
        raise PatternError("Match expression name not found")
    name, operand = next(iter(expression.items()))
    if name not in _CHECKS:
        raise PatternError(f"Unrecognized match type {name}")
    _CHECKS[name](operand)
    if len(expression) > 1:
        raise PatternError(
            "Too many elements in numeric expression" if name in ("numeric", "anything-but") else ONE_KEY
        )


def _text(name: str) -> Callable[[Any], None]:
    def check(operand: Any) -> None:
        if not isinstance(operand, str):
            raise PatternError(f"{name} match pattern must be a string")

    return check


def _check_affix(name: str) -> Callable[[Any], None]:
    """`prefix` and `suffix`: a text, or {"equals-ignore-case": text}."""

    def check(operand: Any) -> None:
        if not isinstance(operand, dict):
            _text(name)(operand)
            return
        if not operand:
            raise PatternError(f"{name.capitalize()} expression name not found")
        inner, value = next(iter(operand.items()))
        if inner != "equals-ignore-case":
            raise PatternError(f"Unsupported {name} pattern: {inner}")
        _text(inner)(value)
        if len(operand) > 1:
            raise PatternError(ONE_KEY)

    return check


def _check_wildcard(operand: Any) -> None:
    _text("wildcard")(operand)
    position = 0
    while position < len(operand):
        if operand.startswith("**", position):
            # Ruler counts from the quote before the text.
            raise PatternError(f"Consecutive wildcard characters at pos {position + 1}")
        if operand[position] == "\\":
            if operand[position + 1 : position + 2] not in ("*", "\\"):
                raise PatternError(f"Invalid escape character at pos {position + 1}")
            position += 1
        position += 1
    if operand.count("*") > MOST_WILDCARDS:
        raise PatternError(COMPLEX)


def _check_anything_but(operand: Any) -> None:
    if isinstance(operand, dict):
        _check_anything_but_expression(operand)
    elif isinstance(operand, list):
        if any(value is None or isinstance(value, bool | list | dict) for value in operand):
            raise PatternError("Inside anything but list, start|null|boolean is not supported.")
        if len({isinstance(value, str) for value in operand}) != 1:
            raise PatternError(
                "Inside anything but list, either all values are number or string, mixed type is not supported"
            )
    elif operand is None or isinstance(operand, bool):
        raise PatternError("Value of anything-but must be an array or single string/number value.")


def _check_anything_but_expression(operand: Mapping[str, Any]) -> None:
    if not operand:
        raise PatternError("Anything-But expression name not found")
    name, value = next(iter(operand.items()))
    if name not in ("equals-ignore-case", "prefix", "suffix", "wildcard"):
        raise PatternError(f"Unsupported anything-but pattern: {name}")
    if value is None or isinstance(value, bool | dict):
        raise PatternError("Value of anything-but must be an array or single string/number value.")
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, str):
            raise PatternError(_WRONG_ANYTHING_BUT[name])
        if name == "wildcard":
            _check_wildcard(item)
        if name in ("prefix", "suffix") and not item:
            raise PatternError("Null prefix/suffix not allowed")
    if len(operand) > 1:
        raise PatternError("Too many elements in numeric expression")


def _check_exists(operand: Any) -> None:
    if not isinstance(operand, bool):
        raise PatternError("exists match pattern must be either true or false.")


def _check_cidr(operand: Any) -> None:
    if not isinstance(operand, str):
        raise PatternError("prefix match pattern must be a string")  # sic
    if operand.count("/") != 1:
        raise PatternError("Malformed CIDR, one '/' required")
    address, _, mask = operand.partition("/")
    if not mask.lstrip("-").isdigit():
        raise PatternError("Malformed CIDR, mask bits must be an integer")
    if int(mask) < 0:
        raise PatternError("Malformed CIDR, mask bits must not be negative")
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        kind = "Invalid" if _IP_LIKE.fullmatch(address) else "Nonstandard"
        raise PatternError(f"{kind} IP address: {address}") from None
    limit = 32 if version == 4 else 128
    if int(mask) >= limit:
        raise PatternError(f"IPv{version} mask bits must be < {limit}")


def _check_numeric(operand: Any) -> None:
    if not isinstance(operand, list):
        raise PatternError("Value of numeric must be an array.")
    operator = operand[0] if operand else "]"
    if not isinstance(operator, str) or not operand:
        raise PatternError(f"Invalid member in numeric match: {json.dumps(operator) if operand else operator}")
    if operator not in ("=", "<", "<=", ">", ">="):
        raise PatternError(f"Unrecognized numeric range operator: {operator}")
    if not _is_number(operand[1:2]):
        raise PatternError(f"Value of {'equals' if operator == '=' else operator} must be numeric")
    if len(operand) > 2:
        if operator not in (">", ">="):
            raise PatternError("Too many elements in numeric expression")
        _check_upper_end(operand[1], operand[2:])


def _check_upper_end(bottom: float, rest: list[Any]) -> None:
    if not isinstance(rest[0], str):
        raise PatternError(f"Bad value in numeric range: {json.dumps(rest[0])}")
    if rest[0] not in ("<", "<="):
        raise PatternError(f"Bad numeric range operator: {rest[0]}")
    if not _is_number(rest[1:2]):
        raise PatternError(f"Value of {rest[0]} must be numeric")
    if len(rest) > 2:
        raise PatternError("Too many terms in numeric range expression")
    if bottom >= rest[1]:
        raise PatternError("Bottom must be less than top")


def _is_number(values: list[Any]) -> bool:
    return bool(values) and isinstance(values[0], int | float) and not isinstance(values[0], bool)


_AFFIX = "prefix/suffix match pattern must be a string"
_WRONG_ANYTHING_BUT = {
    "equals-ignore-case": "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
    "wildcard": "wildcard match pattern must be a string",
    "prefix": _AFFIX,
    "suffix": _AFFIX,
}
_CHECKS: dict[str, Callable[[Any], None]] = {
    "exactly": _text("exact"),
    "prefix": _check_affix("prefix"),
    "suffix": _check_affix("suffix"),
    "equals-ignore-case": _text("equals-ignore-case"),
    "wildcard": _check_wildcard,
    "anything-but": _check_anything_but,
    "exists": _check_exists,
    "cidr": _check_cidr,
    "numeric": _check_numeric,
}
