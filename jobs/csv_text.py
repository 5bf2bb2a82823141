"""CSV as strings: the reader of training data, labels, requests and captured requests, so that all are read the same.

Values are not converted here: '01' stays '01'. Types are applied in columns.py.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

import pandas as pd

T = TypeVar("T")

_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*|\d*\.\d+|0\.|[1-9]\d*\.)([eE][+-]?\d+)?")
_NONE = frozenset({"", "NA", "NaN", "nan", "null", "None", "N/A", "#N/A"})


class Malformed(ValueError):
    """The text is not a table; the message has the line."""


def tables(lines: Iterable[str], size: int) -> Iterator[pd.DataFrame]:
    """Tables of strings with at most `size` rows; the first line has the names of the columns. Raises Malformed."""
    columns, values = with_header(lines)
    for taken in batches(values, size):
        yield table(taken, columns)


def batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` values each: `itertools.batched`, which Python 3.11 does not have."""
    following = iter(values)
    while taken := list(islice(following, size)):
        yield taken


def rows(lines: Iterable[str], names: list[str]) -> Iterator[list[str]]:
    """The strings of each line of a text without header. Raises Malformed when a line has other than `len(names)` values."""
    return _rows(csv.reader(lines, strict=True), names)


def with_header(lines: Iterable[str]) -> tuple[list[str], Iterator[list[str]]]:
    """The names in the first line of a text, and the strings of each other line. Raises Malformed."""
    reader = csv.reader(lines, strict=True)
    try:
        columns = _header(reader)
    except csv.Error as error:
        raise Malformed(f"line {reader.line_num}: {error}") from None
    return columns, _rows(reader, columns)


def _rows(reader: Any, columns: list[str]) -> Iterator[list[str]]:
    try:
        for row in reader:
            if len(row) != len(columns):
                if not row and len(columns) > 1:
                    continue  # an empty line; in a table of one column it is a row with a missing value
                row = row or [""]
                _check(row, columns, reader.line_num)
            yield row
    except csv.Error as error:
        raise Malformed(f"line {reader.line_num}: {error}") from None


def _header(reader: Iterator[list[str]]) -> list[str]:
    names = next(reader, [])
    if not names:
        raise Malformed("the file is empty, it has no header")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise Malformed(f"the header names the column {twice[0]!r} twice")
    return names


def _check(row: list[str], columns: list[str], line: int) -> None:
    if len(row) != len(columns):
        raise Malformed(f"line {line} has {len(row)} columns; {len(columns)} are needed: {', '.join(columns)}")


def table(rows: Sequence[Sequence[Any]], columns: list[str]) -> pd.DataFrame:
    """At least one row, as columns of objects: pandas would turn integers beside a missing value into floats, and round them."""
    columns_of_values = zip(columns, zip(*rows, strict=True), strict=True)
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns_of_values})


def guessed(texts: pd.DataFrame) -> pd.DataFrame:
    """The table with types for columns that no schema declares: numbers, booleans, or strings.

    A column is numeric when all its strings are written as numbers are: '007' makes it a column of strings.
    """
    return texts.apply(_guess)


def _guess(texts: pd.Series) -> pd.Series:
    distinct = [text for text in texts.unique() if text not in _NONE]
    if distinct and all(_NUMBER.fullmatch(text.strip()) for text in distinct):
        return pd.to_numeric(texts, errors="coerce")
    if distinct and {text.lower() for text in distinct} <= {"true", "false"}:
        return texts.str.lower().map({"true": True, "false": False})
    return texts
