"""Plain values are converted as the general conversion does, or not at all."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import csv_text, payload, plain_values
from jobs.columns import Column, canonical

TYPES = ("string", "integer", "number", "boolean", "timestamp")
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 3),
    st.floats(),
    st.sampled_from(["", " 1", "1 ", "01", "-0", "+1", "1.", ".5", "1.50", "1e3", "1_0", "\u0661"]),
    st.sampled_from(["nan", "inf", "true", "True", "no", "NA"]),
    st.text(alphabet="0159.,-+eE", max_size=20),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(TYPES),
    st.booleans(),
    st.lists(VALUES, min_size=1, max_size=4),
)
def test_plain_values_equal_general_conversion(kind, nullable, values):
    columns = [Column("x", kind, nullable)]
    plain = plain_values.table([[value] for value in values], columns)
    if plain is not None:
        expected, problems = canonical(csv_text.table([[value] for value in values], ["x"]), columns)
        assert problems == []
        pd.testing.assert_frame_equal(plain, expected, check_exact=True)


@pytest.mark.parametrize("nullable", [True, False])
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("string", ["a", "01"]),
        ("integer", ["12", "-7"]),
        ("integer", [12, -7]),
        ("number", ["1.5", "-7"]),
        ("number", [1.5, 7]),
        ("boolean", ["true", "0"]),
        ("boolean", [True, False]),
    ],
)
def test_usual_values_are_plain(kind, values, nullable):
    assert plain_values.table([[value] for value in values], [Column("x", kind, nullable)]) is not None


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(TYPES),
    st.booleans(),
    st.lists(
        st.sampled_from(["", "1", "01", "-0", "1.5", "+1", "1.", "true", "a b", "é", '"a"', "1,2", "\r", " "]),
        min_size=1,
    ),
)
def test_long_csv_is_read_as_short_one(kind, nullable, cells):
    columns = [Column("x", kind, nullable), Column("y")]
    body = "".join(f"{cell},b\n" for cell in cells)
    padded = body + "1,b\n" * 3000
    plain = plain_values.csv_table(padded, columns)
    if plain is not None:
        rows = payload.rows(padded, "text/csv", columns)
        expected, problems = canonical(csv_text.table(rows, ["x", "y"]), columns)
        assert problems == []
        pd.testing.assert_frame_equal(plain, expected, check_exact=True)


@pytest.mark.parametrize("extra", ["1\n", "1,2,3\n", "\n", ",\n"])
def test_long_csv_with_mistake_is_left_to_the_general_reader(extra):
    assert plain_values.csv_table("1,b\n" * 3000 + extra, [Column("x", "integer"), Column("y")]) is None


def test_long_csv_of_usual_values_is_plain():
    columns = [Column("x", "integer", nullable=False), Column("y"), Column("z", "number"), Column("w", "boolean")]
    assert plain_values.csv_table("1,b,1.5,true\n" * 3000, columns) is not None
