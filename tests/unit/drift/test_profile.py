"""Counts of profiles: the same by row, by chunk, by part and in any form of table."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.drift.column import ColumnProfile
from jobs.drift.counting import Kernel
from jobs.drift.profile import Builder, Profile, edges
from jobs.drift.sampling import RowSample

TYPES = {"x": "number", "n": "integer", "b": "boolean", "c": "string"}


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = np.where(rng.random(rows) < 0.1, np.nan, rng.normal(1e6, 1.0, rows))
    c = np.where(rng.random(rows) < 0.1, None, rng.choice(["red", "green", "blue"], rows))
    return pd.DataFrame({"x": x, "n": rng.integers(0, 6, rows), "b": rng.random(rows) < 0.3, "c": c})


@pytest.fixture(scope="module")
def reference() -> Profile:
    builder = Builder(TYPES)
    builder.update(table(5000))
    return builder.build()


def counted(reference: Profile, *parts) -> Profile:
    made = reference.empty_like()
    for part in parts:
        made.update(part)
    return made


@given(numbers=st.lists(st.floats(allow_nan=True, allow_infinity=True)), edges=st.sets(st.floats(-5, 5), max_size=8))
@settings(max_examples=200, deadline=None)
def test_kernel_counts_equal_searchsorted(numbers, edges):
    values, bounds = np.array(numbers, dtype="float64"), sorted(edges)
    counts, missing, moments = Kernel(7).numbers(values, bounds)
    present = values[~np.isnan(values)]
    expected = np.bincount(np.searchsorted(bounds, present, side="left"), minlength=len(bounds) + 1)
    assert counts.tolist() == expected.tolist()
    assert missing == len(values) - len(present)
    assert moments.count == (np.abs(values) <= 1e150).sum()


def test_parts_merge_into_the_profile_of_the_whole(reference):
    data = table(20_000, seed=1)
    whole = counted(reference, data)
    merged = reference.empty_like()
    for part in (data[:7], data[7:12_000], data[12_000:]):
        merged.merge(counted(reference, part))
    assert merged.rows == whole.rows == 20_000
    for name, column in whole.columns.items():
        other = merged.columns[name]
        assert (other.counts, other.nulls, other.rows) == (column.counts, column.nulls, column.rows)
        assert other.counted_nulls == column.counted_nulls == column.nulls
        assert (other.minimum, other.maximum) == (column.minimum, column.maximum)
        assert other.mean == pytest.approx(column.mean, rel=1e-12)
        assert other.std == pytest.approx(column.std, rel=1e-12)


def test_moments_of_large_numbers_keep_their_digits(reference):
    data = table(50_000, seed=2)
    column = counted(reference, data[:30_000], data[30_000:]).columns["x"]
    assert column.mean == pytest.approx(data["x"].mean(), rel=1e-14)
    assert column.std == pytest.approx(data["x"].std(ddof=0), rel=1e-9)


def test_huge_numbers_are_counted_without_their_moments():
    counts, missing, moments = Kernel().numbers(np.array([1e150, 2.0, -1e151, np.nan]), [3.0])
    assert (counts.tolist(), missing) == ([2, 1], 1)
    assert (moments.count, moments.minimum, moments.maximum) == (2, 2.0, 1e150)
    _, _, moments = Kernel().numbers(np.array([1e150, -1e150]), [])
    assert (moments.count, moments.mean, moments.m2) == (2, 0.0, pytest.approx(2e300))


def test_columns_without_values_have_no_moments():
    builder = Builder({"x": "number", "c": "string"})
    builder.update(pd.DataFrame({"x": [np.nan] * 10, "c": [None] * 10}))
    for profile in (builder.build(), Profile(0, {"x": ColumnProfile("number"), "c": ColumnProfile("string")})):
        for column in json.loads(json.dumps(profile.to_dict()))["columns"].values():
            assert (column["mean"], column["m2"], column["finite"]) == (0.0, 0.0, 0)
            assert (column["minimum"], column["maximum"], column["quantiles"]) == (None, None, [])
            assert (column["edges"], column["categories"], column["distinct"], column["known"]) == ([], [], 0, [])


@pytest.mark.parametrize(("values", "bins"), [(19, 21), (20, 22), (21, 20)])
def test_twenty_values_get_a_bin_each(values, bins):
    """And one on each side; more values share twenty bins."""
    builder = Builder({"x": "number"})
    builder.update(pd.DataFrame({"x": np.arange(5_000) % values}))
    assert len(builder.build().columns["x"].counts) == bins


def test_bins_of_few_values_end_half_way_between_them():
    assert edges(np.array([4.0, 1.0, 2.0, 1.0])) == [np.nextafter(1.0, 0.0), 1.5, 3.0, 4.0]


@pytest.mark.parametrize(("values", "is_listed"), [(1_000, True), (1_001, False)])
def test_values_of_a_text_are_listed_when_they_are_few(values, is_listed):
    builder = Builder({"c": "string"})
    builder.update(pd.DataFrame({"c": [str(number) for number in range(values)] * 2}))
    column = builder.build().columns["c"]
    assert (column.distinct, len(column.known)) == (values, values * is_listed)


@pytest.mark.parametrize(("first", "distinct"), [(9_999, 10_002), (10_000, 10_000)])
def test_values_of_a_text_are_counted_up_to_ten_thousand(first, distinct):
    """In whole chunks."""
    builder = Builder({"c": "string"})
    for numbers in (range(first), range(first, first + 3)):
        builder.update(pd.DataFrame({"c": [str(number) for number in numbers]}))
    assert builder.build().columns["c"].distinct == distinct


@pytest.mark.parametrize(("columns", "rows"), [(1, 1_000_000), (8, 1_000_000), (20, 400_000), (80, 100_000)])
def test_sample_has_eight_million_cells_and_a_million_rows_at_most(columns, rows):
    assert Builder({f"c{number}": "number" for number in range(columns)})._sample.capacity == rows


def test_sample_of_the_training_rows_has_at_most_so_many():
    builder = Builder(TYPES)
    assert builder.rows(10) is None
    builder.update(table(500))
    found, whole = builder.rows(10), builder.rows(1_000)
    assert (len(found), len(whole)) == (10, 500)
    assert found.select(["n", "c"]).to_pylist() == whole.select(["n", "c"]).to_pylist()[:10]
    assert whole.column_names == list(TYPES)


def test_profiles_with_other_bins_do_not_merge(reference):
    builder = Builder(TYPES)
    builder.update(table(500, seed=3))
    with pytest.raises(ValueError, match="same bins"):
        reference.empty_like().merge(builder.build().empty_like())


def test_pandas_arrow_and_dictionaries_count_the_same(reference):
    data = table(3000, seed=4)
    arrow = pa.Table.from_pandas(data)
    encoded = arrow.set_column(3, "c", arrow["c"].dictionary_encode())
    batch = arrow.to_batches()[0]
    profiles = [counted(reference, form).to_dict() for form in (data, arrow, encoded, batch)]
    assert all(profile == profiles[0] for profile in profiles)


def test_numbers_in_string_columns_count_as_canonical_strings():
    builder = Builder({"c": "string"})
    builder.update(pd.DataFrame({"c": ["1", "2", "2.5"] * 100}))
    reference = builder.build()
    expected = counted(reference, pd.DataFrame({"c": ["1", "2", "2.5", None]})).columns["c"].counts
    for values in (pa.array([1.0, 2.0, 2.5, None]), pa.array([1.0, 2.0, 2.5, float("nan")])):
        assert counted(reference, pa.table({"c": values})).columns["c"].counts == expected


def test_missing_column_counts_as_missing_values(reference):
    now = counted(reference, table(100)[["x", "n"]])
    assert now.columns["c"].nulls == now.columns["b"].counted_nulls == 100


def test_constant_column_has_bins_on_both_sides():
    builder = Builder({"x": "number"})
    builder.update(pd.DataFrame({"x": np.full(500, 3.0)}))
    reference = builder.build()
    now = counted(reference, pd.DataFrame({"x": [2.9, 3.0, 3.0, 3.1, np.inf, -np.inf]}))
    assert now.columns["x"].counts == [2, 2, 2]


def test_reference_does_not_depend_on_chunks():
    data = table(10_000, seed=5)
    whole, parts = Builder(TYPES), Builder(TYPES)
    whole.update(data)
    for start in range(0, 10_000, 1234):
        parts.update(data[start : start + 1234])
    left, right = whole.build(), parts.build()
    for name, column in left.columns.items():
        assert (column.edges, column.categories, column.counts) == (
            right.columns[name].edges, right.columns[name].categories, right.columns[name].counts,
        )  # fmt: skip
        assert sum(column.counts) + column.counted_nulls == 8000


def test_reference_counts_rows_and_missing_values_of_columns():
    builder, data = Builder(TYPES), table(500)
    builder.update(data)
    found = {name: (column.rows, column.nulls) for name, column in builder.build().columns.items()}
    assert found == {name: (500, data[name].isna().sum()) for name in TYPES}
    x = builder.build().columns["x"]
    assert (x.finite, x.minimum, x.maximum) == (data["x"].count(), data["x"].min(), data["x"].max())
    assert (x.mean, x.std) == pytest.approx((data["x"].mean(), data["x"].std(ddof=0)))


def test_outer_bins_are_named_by_their_edges(reference):
    column = reference.columns["n"]
    assert len(column.edges) > 2
    assert column.label(0) == f"up to {column.edges[0]:.4g}"
    assert column.label(len(column.edges)) == f"above {column.edges[-1]:.4g}"


def test_profile_is_read_back_from_json(reference):
    assert Profile.from_dict(json.loads(json.dumps(reference.to_dict()))) == reference


def test_the_most_frequent_texts_are_categories():
    """A fifth of the rows decides; texts that are as frequent are in the order of their names."""
    deciding = ["c", "b", "b", "a", *(f"rare {number:03}" for number in range(98, -1, -1))]
    rows = [*deciding, *["b"] * 4 * len(deciding)]
    builder = Builder({"c": "string"})
    builder.update(pd.DataFrame({"c": rows}))
    builder._sample.table = lambda: pa.table({"c": rows})  # in this order
    column = builder.build().columns["c"]
    assert column.categories == ["b", "a", "c", *(f"rare {number:03}" for number in range(97))]
    assert (column.distinct, column.known, sum(column.counts)) == (102, sorted(set(rows)), len(rows) - len(deciding))


def test_row_samples_are_uniform_and_bounded():
    means = []
    for seed in range(200):
        sample = RowSample(50, (seed,))
        for start in range(0, 2000, 100):
            sample.update(pa.table({"i": np.arange(start, start + 100)}))
        rows = sample.table()
        assert rows is not None
        assert len(rows) == len(set(rows["i"].to_pylist())) == 50
        means.append(np.mean(rows["i"].to_numpy()))
    assert abs(np.mean(means) - 999.5) < 4 * 577 / np.sqrt(50 * 200)


def test_row_samples_merge():
    left, right = RowSample(100, (1,)), RowSample(100, (2,))
    left.update(pa.table({"i": np.arange(900)}))
    right.update(pa.table({"i": np.arange(900, 1000)}))
    left.merge(right)
    rows = left.table()
    assert rows is not None
    assert len(rows) == 100
    assert 1 <= sum(value >= 900 for value in rows["i"].to_pylist()) <= 25
