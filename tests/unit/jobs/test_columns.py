"""Canonical form: the same from CSV, JSON and parquet; every kind of invalid value is described."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.columns import Column, canonical, declared, label_column, violations

TIME = pd.Timestamp("2026-11-24 10:30", tz="UTC")


def converted(values, kind: str, **more) -> tuple[pd.Series, list[str]]:
    series = values if isinstance(values, pd.Series) else pd.Series(values, dtype=object)
    data, problems = canonical(pd.DataFrame({"c": series}), [Column("c", kind, **more)])
    return data["c"], [f"{p.count} values {p.what}, first {p.first!r}, row {p.row}" for p in problems]


@pytest.mark.parametrize(
    ("kind", "nullable", "values", "dtype"),
    [
        ("integer", False, ["1", 2, 3.0], "int64"),
        ("integer", True, ["1", 2, None], "float64"),
        ("number", False, ["1.5", 2, True], "float64"),
        ("boolean", False, ["true", False, "0", "Yes", 1.0], "bool"),
        ("boolean", True, ["true", None], "float64"),
        ("string", True, ["a", None, 1], "object"),
        ("timestamp", True, ["2026-11-24", None], "datetime64[ns, UTC]"),
    ],
)
def test_each_type_has_one_dtype(kind, nullable, values, dtype):
    data, problems = converted(values, kind, nullable=nullable)
    assert (str(data.dtype), problems) == (dtype, [])


@pytest.mark.parametrize("kind", ["integer", "number", "boolean", "string", "timestamp"])
def test_column_without_values_keeps_its_dtype(kind):
    full = {"string": "a", "timestamp": "2026-11-24"}.get(kind, "1")
    assert converted([None, None], kind)[0].dtype == converted([full, None], kind)[0].dtype


@pytest.mark.parametrize(
    ("kind", "same"),
    [
        ("number", [["0.1", "2"], [0.1, 2], pd.Series([0.1, 2.0]), [Decimal("0.1"), 2], pd.Series([0.1, 2], dtype="Float64")]),
        ("integer", [["7", "-2"], [7, -2], pd.Series([7.0, -2.0]), pd.Series([7, -2], dtype="Int64")]),
        ("boolean", [["true", "no"], [True, False], pd.Series([1, 0]), pd.Series([True, False], dtype="boolean")]),
        ("string", [["a", "7"], ["a", 7], pd.Series(["a", "7"], dtype="category"), pd.Series(["a", "7"], dtype="string")]),
        (
            "timestamp",
            [
                ["2026-11-24T10:30", "2026-11-24T11:30+01:00"],
                [dt.datetime(2026, 11, 24, 10, 30), TIME],
                pd.Series([TIME, TIME]).dt.tz_convert("Asia/Tokyo"),
                pd.Series([TIME, TIME]).dt.tz_localize(None).astype("datetime64[us]"),
            ],
        ),
    ],
)  # fmt: skip
def test_values_are_equal_from_every_source(kind, same):
    first, _ = converted(same[0], kind)
    for other in same[1:]:
        data, problems = converted(other, kind)
        assert problems == []
        pd.testing.assert_series_equal(first, data)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_number_written_as_string_is_the_same_number(numbers):
    text, problems = converted([repr(number) for number in numbers], "number")
    assert problems == []
    assert text.tolist() == numbers


@pytest.mark.parametrize("kind", ["integer", "number", "boolean", "timestamp"])
@pytest.mark.parametrize("text", ["", " ", "NA", "NaN", "null", "None", "N/A", "\\N"])
def test_words_for_missing_are_missing_in_typed_columns(kind, text):
    data, problems = converted([text], kind)
    assert data.isna().all()
    assert problems == []
    assert converted([text], kind, nullable=False)[1] == [f"1 values are missing, first {text!r}, row 0"]


def test_only_empty_strings_are_missing_in_string_columns():
    data, _ = converted(["", "NA", "None", None, float("nan"), "01"], "string")
    assert data.tolist() == [None, "NA", "None", None, None, "01"]


def test_numbers_become_strings_as_in_csv():
    data, _ = converted([1.0, 1.5, 7, True, b"x", 12345678901234567890], "string")
    assert data.tolist() == ["1", "1.5", "7", "True", "x", "12345678901234567890"]


@pytest.mark.parametrize(
    ("kind", "values", "problem"),
    [
        ("number", ["1", "abc", "x"], "2 values are no number, first 'abc', row 1"),
        ("number", ["1", "1_000"], "1 values are no number, first '1_000', row 1"),
        ("number", ["1", 10**400], f"1 values are no number, first {10**400}, row 1"),
        ("number", [1.0, float("inf")], "1 values are infinite, first inf, row 1"),
        ("number", ["-Infinity"], "1 values are infinite, first '-Infinity', row 0"),
        ("integer", [1, 1.5], "1 values are no integer, first 1.5, row 1"),
        ("integer", ["one"], "1 values are no integer, first 'one', row 0"),
        ("boolean", ["true", "maybe"], "1 values are no boolean, first 'maybe', row 1"),
        ("boolean", pd.Series([0, 2]), "1 values are no boolean, first 2, row 1"),
        ("timestamp", ["2026-11-24", "yesterday"], "1 values are no timestamp, first 'yesterday', row 1"),
        ("timestamp", ["2026-13-01"], "1 values are no timestamp, first '2026-13-01', row 0"),
        ("timestamp", [1_700_000_000], "1 values are no timestamp, first 1700000000, row 0"),
        ("timestamp", pd.Series([1_700_000_000]), "1 values are no timestamp, first 1700000000, row 0"),
        ("timestamp", pd.Series(["9999-01-01"], dtype="datetime64[us]"), "1 values are no timestamp"),
    ],
)
def test_invalid_value_is_described_and_missing(kind, values, problem):
    data, problems = converted(values, kind)
    assert len(problems) == 1
    assert problems[0].startswith(problem)
    assert data.isna().sum() == int(problem[0])


@pytest.mark.parametrize("value", ["9007199254740993", 2**53 + 1, -(2**60)])
def test_integers_beyond_float_precision_are_refused(value):
    _, problems = converted([1, value], "integer")
    assert problems == [
        f"1 values are integers beyond 2^53, which are not exact; declare the column as string, first {value!r}, row 1"
    ]
    assert converted([1, value], "string")[0].tolist() == ["1", str(value)]


def test_missing_values_in_required_columns_are_a_problem():
    assert converted([1, None, None], "integer", nullable=False)[1] == ["2 values are missing, first None, row 1"]


def test_values_outside_the_declared_range_or_list_are_violations():
    data = pd.DataFrame({"age": [17.0, 18, 99, None], "code": ["1", "2", "x", None], "flag": [1.0, 0, 1, None]})
    columns = [
        Column("age", "integer", minimum=18, maximum=98),
        Column("code", "string", values=(1, 2)),
        Column("flag", "boolean", values=(True,)),
    ]
    found = [(p.column, p.what, p.count, p.first, p.row) for p in violations(data, columns)]
    assert found == [
        ("age", "are below the minimum 18", 1, 17.0, 0),
        ("age", "are above the maximum 98", 1, 99.0, 2),
        ("code", "are not one of 1, 2", 1, "x", 2),
        ("flag", "are not one of True", 1, 0.0, 1),
    ]


def test_columns_without_a_schema_get_the_type_of_the_data(settings):
    sample = pd.DataFrame(
        {
            "n": [1, 2], "o": pd.Series([1, None], dtype=object), "b": [True, False], "s": ["a", "b"], "d": [TIME, TIME],
            "x": [1.0, 2], "sold": [0, 1], "id": [1, 2], "at": [TIME, TIME],
        }
    )  # fmt: skip
    given = settings(data={"schema": {}, "ignore": ["id"], "time_column": "at"})
    types = {column.name: column.type for column in declared(given, list(sample.columns), sample)}
    assert types == {"n": "number", "o": "number", "b": "boolean", "s": "string", "d": "timestamp", "x": "number"}
    assert label_column(given, sample) == Column("sold", "number", nullable=False)


def test_conversion_is_row_wise():
    values = pd.Series(["1", None, "01", "1.5", "x", ""], dtype=object)
    for kind in ("integer", "number", "boolean", "string", "timestamp"):
        whole = converted(values, kind)[0]
        parts = [converted(values.iloc[[i]], kind)[0] for i in range(len(values))]
        pd.testing.assert_series_equal(whole, pd.concat(parts))


@pytest.mark.parametrize("kind", ["integer", "number", "string"])
def test_missing_values_of_pandas_extension_types(kind):
    data, problems = converted(pd.Series([5, None], dtype="Int64"), kind)
    assert problems == []
    assert data.isna().tolist() == [False, True]


def test_numpy_scalars_become_strings():
    assert converted([np.float64(2.0), np.int64(3)], "string")[0].tolist() == ["2", "3"]
