"""The example row: usual values, and no value of one person."""

import pandas as pd

from jobs import example_row
from jobs.columns import Column


def column(values, kind: str):
    return example_row.of(pd.DataFrame({"x": values}), [Column("x", kind)])[0]


def test_numbers_and_times_give_median():
    assert column([1.0, 2.0, 100.0, None], "number") == 2.0
    assert repr(column([3, 1, 2], "integer")) == "2"
    times = pd.to_datetime(["2026-01-01", "2026-01-03", "2026-01-02"], utc=True)
    assert column(times, "timestamp") == "2026-01-02T00:00:00+00:00"


def test_texts_give_most_frequent_value():
    assert column(["b"] * 5 + ["a"] * 5 + ["c"], "string") == "a"
    assert column([True, True, False], "boolean") is True


def test_rare_text_keeps_only_its_shape():
    assert column(["Zoë 02139-x", "Ann 99999-y"], "string") == "aaa 11111-a"


def test_column_without_values_gives_none():
    assert column(pd.Series([None, None], dtype=object), "string") is None
