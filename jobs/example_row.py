"""A row of usual values, one of each column, which serving scores when it starts and compares failing requests with.

The row is no record: each value is the usual one of its column alone. Of a text that fewer than MIN_ROWS rows have, only the
shape is kept.
"""

import re
from typing import Any

import pandas as pd

from .columns import Column

MIN_ROWS = 5
_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")


def of(sample: pd.DataFrame, columns: list[Column]) -> list[Any]:
    """One value for each column, as JSON has it: the median of numbers and times, else the most frequent value.

    `sample` has canonical rows, at least one; a column without values gives None.
    """
    return [_usual(sample[column.name].dropna(), column) for column in columns]


def _usual(values: pd.Series, column: Column) -> Any:
    if values.empty:
        return None
    if column.type in ("string", "boolean"):
        counts = values.value_counts().sort_index(kind="stable")
        value: Any = counts.idxmax()
        if column.type == "boolean":
            return bool(value)
        return value if counts.max() >= MIN_ROWS else _DIGIT.sub("1", _LETTER.sub("a", value))
    middle = values.sort_values().iloc[len(values) // 2]
    if column.type == "timestamp":
        return middle.isoformat()
    return int(middle) if column.type == "integer" else float(middle)
