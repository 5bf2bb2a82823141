"""Metric math: an expression over the periods of an alarm's metrics.

Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics". A series has a value for each period, newest
first, None where there is no data; an operator has no result where an operand has none, and a scalar without one is NaN.
Functions that are not in FUNCTIONS are refused.
"""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from math import ceil, floor, isnan, log, log10, nan
from typing import Any

type Series = list[float | None]
type Value = float | Series | tuple[Series, ...] | str
"""A scalar, a time series, an array of time series, or the text argument of a function."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)|(?P<word>[A-Za-z_]\w*)|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>(),\[\]]))"
)
_LEVELS: tuple[dict[str, Callable[[float, float], float]], ...] = (
    {"OR": lambda a, b: float(bool(a or b)), "||": lambda a, b: float(bool(a or b))},
    {"AND": lambda a, b: float(bool(a and b)), "&&": lambda a, b: float(bool(a and b))},
    {
        "==": lambda a, b: float(a == b),
        "!=": lambda a, b: float(a != b),
        "<": lambda a, b: float(a < b),
        ">": lambda a, b: float(a > b),
        "<=": lambda a, b: float(a <= b),
        ">=": lambda a, b: float(a >= b),
    },
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b},
    {"*": lambda a, b: a * b, "/": lambda a, b: a / b},
    {"^": lambda a, b: a**b},
)
"""Binary operators, those that bind least first."""


class MathError(ValueError):
    """The expression is not one of metric math, or not one that is evaluated here."""


class Expression:
    """One evaluation of an expression: `values` of the ids that it may name, in periods of `period` seconds, `length` of them."""

    def __init__(
        self, text: str, values: Mapping[str, Value], metrics: Mapping[str, Series], period: int, length: int
    ) -> None:
        self._tokens, self._at = _tokens(text), 0
        self._text, self._values, self._metrics = text, values, metrics
        self._period, self._length = period, length

    def value(self) -> Value:
        """The result. Raises MathError."""
        result = self._binary(0)
        if self._at < len(self._tokens):
            raise MathError(f"unexpected {self._tokens[self._at][1]!r} in {self._text!r}")
        return result

    def series(self) -> Series:
        """The result as one time series, of the same value in each period if it is a scalar. Raises MathError."""
        result = self.value()
        if isinstance(result, tuple | str):
            raise MathError(f"{self._text!r} must return a single time series")
        return self._one(result)

    def _binary(self, level: int) -> Value:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while operator := _LEVELS[level].get(self._peek()):
            self._at += 1
            left = self._apply(operator, left, self._binary(level + 1))
        return left

    def _unary(self) -> Value:
        if self._take("-"):
            return self._apply(lambda a, b: a - b, 0.0, self._unary())
        kind, text = self._next()
        if kind == "number":
            return float(text)
        if kind == "text":
            return text[1:-1]
        if text in ("(", "["):
            inner = self._list(")" if text == "(" else "]")
            return inner[0] if text == "(" and len(inner) == 1 else tuple(map(self._one, inner))
        if kind == "word" and self._take("("):
            return self._call(text, self._list(")"))
        if kind == "word" and text in self._values:
            return self._values[text]
        raise MathError(f"unexpected {text!r} in {self._text!r}")

    def _call(self, name: str, arguments: list[Value]) -> Value:
        if name == "METRICS":
            part = arguments[0] if arguments else ""
            return tuple(series for key, series in self._metrics.items() if str(part) in key)
        if name == "PERIOD":
            return float(self._period)
        if name == "TIME_SERIES" and isinstance(arguments[0], float):
            return self._one(arguments[0])
        if name not in FUNCTIONS:
            raise MathError(f"the embedded AWS does not support the metric math function {name}")
        try:
            return FUNCTIONS[name](*arguments)
        except (TypeError, IndexError):
            raise MathError(f"wrong arguments of {name} in {self._text!r}") from None

    def _list(self, end: str) -> list[Value]:
        found: list[Value] = []
        while not self._take(end):
            if found and not self._take(","):
                raise MathError(f"{end!r} is missing in {self._text!r}")
            found.append(FILLS[self._next()[1]] if self._peek() in FILLS else self._binary(0))
        return found

    def _apply(self, operator: Callable[[float, float], float], left: Value, right: Value) -> Value:
        if isinstance(left, tuple) or isinstance(right, tuple):
            pairs = max(len(each) for each in (left, right) if isinstance(each, tuple))
            lefts = left if isinstance(left, tuple) else (left,) * pairs
            rights = right if isinstance(right, tuple) else (right,) * pairs
            return tuple(self._one(self._apply(operator, *pair)) for pair in zip(lefts, rights, strict=False))
        return zipped(operator, left, right)

    def _one(self, value: Value) -> Series:
        if isinstance(value, list):
            return value
        if isinstance(value, float):
            return [None if isnan(value) else value] * self._length
        raise MathError(f"an array of {self._text!r} must have time series")

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self, sign: str) -> bool:
        taken = self._peek() == sign
        self._at += taken
        return taken

    def _next(self) -> tuple[str, str]:
        if self._at == len(self._tokens):
            raise MathError(f"{self._text!r} is incomplete")
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise MathError(f"unexpected {text[at:].strip()[:1]!r} in {text!r}")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    return found


def zipped(function: Callable[..., float], *values: Any) -> Value:
    """A function of each period's values; None where one is missing, or where the function has no result."""

    def of(*each: float | None) -> float | None:
        if any(value is None or isnan(value) for value in each):
            return None
        try:
            return float(function(*each))
        except (ArithmeticError, ValueError):
            return None

    series = [value for value in values if isinstance(value, list)]
    if not series:
        result = of(*values)
        return nan if result is None else result
    length = min(map(len, series))
    columns = [value[:length] if isinstance(value, list) else [value] * length for value in values]
    return [of(*each) for each in zip(*columns, strict=True)]


def _aggregate(function: Callable[[list[float]], float], missing: float | None = None) -> Callable[[Any], Value]:
    """A scalar of one series, and a series of an array. `missing`: what a series without data counts in a period with data."""

    def of_period(column: tuple[float | None, ...]) -> float | None:
        if all(value is None for value in column):
            return None
        counted = [missing if value is None else value for value in column]
        return float(function([value for value in counted if value is not None]))

    def aggregate(value: Any) -> Value:
        if isinstance(value, list):
            known = [each for each in value if each is not None]
            return float(function(known)) if known else nan
        return [of_period(column) for column in zip(*value, strict=True)]

    return aggregate


def _if(condition: Any, true: Any, false: Any = None) -> Value:
    if isinstance(condition, float):
        return (true if condition else false) if false is not None else true
    length = len(condition)
    trues, falses = (value if isinstance(value, list) else [value] * length for value in (true, false))
    chosen = zip(condition, trues, falses, strict=False)
    return [None if now is None else yes if now else no for now, yes, no in chosen]


def _fill(value: Any, filler: Any) -> Value:
    if isinstance(value, tuple):
        return tuple(_fill(each, filler) for each in value)  # ty: ignore[invalid-explicit-return]
    if filler == "REPEAT":
        filled: Series = []
        for now in reversed(value):
            filled.append(filled[-1] if now is None and filled else now)
        return filled[::-1]
    if filler == "LINEAR":
        return _linear(value)
    other = filler if isinstance(filler, list) else [filler] * len(value)
    return [instead if now is None else now for now, instead in zip(value, other, strict=False)]


def _linear(series: Series) -> Series:
    """Missing values between two others on the line between them."""
    known = [(at, value) for at, value in enumerate(series) if value is not None]
    filled = list(series)
    for (first, a), (second, b) in pairwise(known):
        for at in range(first + 1, second):
            filled[at] = a + (b - a) * (at - first) / (second - first)
    return filled


FILLS = {"REPEAT": "REPEAT", "LINEAR": "LINEAR"}
FUNCTIONS: dict[str, Callable[..., Value]] = {
    "SUM": _aggregate(sum),
    "AVG": _aggregate(lambda values: sum(values) / len(values), missing=0.0),
    "MIN": _aggregate(min),
    "MAX": _aggregate(max),
    "METRIC_COUNT": lambda value: float(len(value)) if isinstance(value, tuple) else 1.0,
    "ABS": lambda value: zipped(lambda each: abs(float(each)), value),
    "CEIL": lambda value: zipped(ceil, value),
    "FLOOR": lambda value: zipped(floor, value),
    "LOG": lambda value: zipped(log, value),
    "LOG10": lambda value: zipped(log10, value),
    "IF": _if,
    "FILL": _fill,
}
"""The functions that are evaluated, besides METRICS, PERIOD and TIME_SERIES."""
