"""Plainly written values in canonical form, without the general conversion of columns.py.

Almost all requests have nothing but texts, `12`, `1.5`, `true`, or JSON's numbers and booleans. For these the result is the same,
in a small part of the time; for anything else there is none, and the general conversion decides.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .columns import BOOLEANS, Column

_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{0,15})?")
_MAX_INTEGER = 10**15
"""Below 2^53, so every such integer is exact in float64."""


def table(rows: Sequence[Sequence[Any]], columns: Sequence[Column]) -> pd.DataFrame | None:
    """The rows in canonical form; None when a value is not plain.

    `rows`: at least one, each with a value for each column.
    """
    arrays: dict[str, np.ndarray] = {}
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        array = _ARRAYS[column.type](values, column.nullable)
        if array is None:
            return None
        arrays[column.name] = array
    return pd.DataFrame(arrays, copy=False)


def _strings(values: Sequence[Any], nullable: bool) -> np.ndarray | None:
    kinds = set(map(type, values))
    if "" in values or not kinds <= ({str, type(None)} if nullable else {str}):
        return None
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _integers(values: Sequence[Any], nullable: bool) -> np.ndarray | None:
    kinds = set(map(type, values))
    if kinds == {str}:
        if None in map(_INTEGER.fullmatch, values):
            return None
        return np.array(list(map(int, values)), dtype="float64" if nullable else "int64")
    if kinds != {int} or max(values) > _MAX_INTEGER or min(values) < -_MAX_INTEGER:
        return None
    return np.array(values, dtype="float64" if nullable else "int64")


def _numbers(values: Sequence[Any], nullable: bool) -> np.ndarray | None:
    kinds = set(map(type, values))
    if kinds == {str}:
        return None if None in map(_NUMBER.fullmatch, values) else np.array(list(map(float, values)))
    if kinds == {int} and (max(values) > _MAX_INTEGER or min(values) < -_MAX_INTEGER):
        return None
    if not kinds <= {int, float}:
        return None
    array = np.array(values, dtype="float64")
    return array if np.isfinite(array).all() else None


def _booleans(values: Sequence[Any], nullable: bool) -> np.ndarray | None:
    kinds = set(map(type, values))
    if kinds == {str}:
        values = [BOOLEANS.get(value) for value in values]
        if None in values:
            return None
    elif kinds != {bool}:
        return None
    return np.array(values, dtype="float64" if nullable else bool)


def _none(values: Sequence[Any], nullable: bool) -> None:
    """Times are always converted by pandas."""


_ARRAYS: dict[str, Callable[[Sequence[Any], bool], np.ndarray | None]] = {
    "string": _strings,
    "integer": _integers,
    "number": _numbers,
    "boolean": _booleans,
    "timestamp": _none,
}
