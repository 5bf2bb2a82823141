"""Columns as numbers or strings, whatever holds them."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jobs.drift.arrays import as_table, as_text, numbers_of, strings


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([True, None, False]), ["True", None, "False"]),
        (pa.array([1.0, 2.5, float("nan"), None, -3.0]), ["1", "2.5", None, None, "-3"]),
        (pa.array([2.0**53 - 1, -(2.0**53 - 1)]), ["9007199254740991", "-9007199254740991"]),
        (pa.array([2.0**53, -(2.0**62)]), ["9007199254740992", "-4611686018427387904"]),
        (pa.array([2.0**63, float("inf")]), ["9.223372036854776e+18", "inf"]),
        (pa.array([1e6, 200.0]), ["1000000", "200"]),
        (pa.array([1, None]), ["1", None]),
        (pa.array([1.0, 2.0]).dictionary_encode(), ["1", "2"]),
        (pa.array(["a", None]), ["a", None]),
    ],
)
def test_values_become_the_texts_of_prepare(values, expected):
    assert as_text(values).to_pylist() == expected


def test_columns_of_pandas_and_arrow_are_the_same():
    frame = pd.DataFrame({"x": [1, 2], "flag": [True, False], "c": [1, "b"], "gone": [None, np.nan]})
    types = {"x": "number", "flag": "boolean", "c": "string", "gone": "string", "none": "number", "text": "string"}
    table = as_table(frame, types)
    assert table.to_pydict() == {
        "x": [1.0, 2.0], "flag": [1.0, 0.0], "c": ["1", "b"], "gone": [None, None], "none": [None, None], "text": [None, None],
    }  # fmt: skip
    arrow = pa.table({"x": pa.array(["1", "2"]).dictionary_encode(), "flag": [True, False], "c": ["1", "b"]})
    assert as_table(arrow, types).to_pydict() == table.to_pydict()
    assert (as_table(frame, {}).num_columns, as_table(frame, {}).num_rows) == (0, 2)


def test_numbers_of_any_type_become_float64():
    values = {"flag": pa.array([True, None]), "price": pa.array([Decimal("1.50"), None]), "n": pa.array([7, None])}
    table = as_table(pa.table(values), {"flag": "boolean", "price": "number", "n": "integer"})
    assert table.to_pydict() == {"flag": [1.0, None], "price": [1.5, None], "n": [7.0, None]}
    assert {str(each.type) for each in table.columns} == {"double"}


def test_numbers_are_float64_with_nan():
    assert numbers_of(pa.chunked_array([], pa.float64())).tolist() == []
    assert numbers_of(pa.chunked_array([[1.0], [None]], pa.float64()))[0] == 1.0
    assert np.isnan(numbers_of(pa.array([1.0, None]))[1])
    assert strings(("a", "", "bé")).to_pylist() == ["a", "", "bé"]
