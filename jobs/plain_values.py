"""Plainly written values in canonical form, without the general conversion of columns.py.

Almost all requests have nothing but texts, `12`, `1.5`, `true`, or JSON's numbers and booleans. For these the result is the same,
in a small part of the time; for anything else there is none, and the general conversion decides.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute
from pyarrow import csv

from .columns import BOOLEANS, Column

pc: Any = pyarrow.compute  # defines its functions when it is imported

_INTEGER = re.compile(r"-?[0-9]{1,15}")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_LONG = 10_000
"""Characters from which Arrow is faster than a loop in Python."""
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


def csv_table(text: str, columns: Sequence[Column]) -> pd.DataFrame | None:
    """The rows of CSV without header in canonical form; None when something is not plain, or the text is short.

    Arrow reads plain lines: without quotes, none empty, each with a value for each column.
    """
    if len(text) < _LONG or '"' in text or "\r" in text or "\n\n" in text or text[0] == "\n" or len(columns) == 1:
        return None
    names = [column.name for column in columns]
    body = text.encode()
    try:
        read = csv.read_csv(
            pa.BufferReader(body),
            csv.ReadOptions(column_names=names, use_threads=False, block_size=len(body) + 1),
            csv.ParseOptions(quote_char=False),
            csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid:  # csv_text.py says what is wrong
        return None
    arrays: dict[str, np.ndarray] = {}
    for column, texts in zip(columns, read.columns, strict=True):
        array = _column_of_texts(texts.combine_chunks(), column)
        if array is None:
            return None
        arrays[column.name] = array
    return pd.DataFrame(arrays, copy=False)


def _column_of_texts(texts: Any, column: Column) -> np.ndarray | None:
    if column.type == "string":
        return None if pc.min(pc.binary_length(texts)).as_py() == 0 else texts.to_numpy(zero_copy_only=False)
    pattern = {"integer": _INTEGER, "number": _NUMBER}.get(column.type)
    if pattern is None:
        return _ARRAYS[column.type](texts.to_pylist(), column.nullable)
    if not pc.all(pc.match_substring_regex(texts, f"^(?:{pattern.pattern})$")).as_py():
        return None
    whole = column.type == "integer" and not column.nullable
    return texts.cast(pa.int64() if whole else pa.float64()).to_numpy(zero_copy_only=False)


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
    try:
        array = np.array(values, dtype="float64")
    except OverflowError:  # an integer of 400 digits beside a number with decimals
        return None
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
