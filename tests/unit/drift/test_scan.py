"""Files count the same whatever their format, their row groups, their blocks and the number of threads."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.drift import scan
from jobs.drift.profile import Builder

TYPES = {"x": "number", "n": "integer", "c": "string", "b": "boolean"}


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = np.where(rng.random(9000) < 0.05, np.nan, rng.normal(size=9000))
    c = np.where(rng.random(9000) < 0.05, None, rng.choice(["red", "green", "b,lue"], 9000))
    return pd.DataFrame({"n": rng.integers(0, 60, 9000), "x": x, "c": c, "b": rng.random(9000) < 0.5})


@pytest.fixture(scope="module")
def reference(data):
    builder = Builder(TYPES)
    builder.update(data)
    return builder.build()


def same(left, right) -> None:
    assert left.rows == right.rows
    for name, column in left.columns.items():
        other = right.columns[name]
        assert (column.counts, column.nulls) == (other.counts, other.nulls), name
        assert other.mean == pytest.approx(column.mean, rel=1e-12)
        assert other.m2 == pytest.approx(column.m2, rel=1e-12)


@pytest.mark.parametrize("workers", [1, 3])
def test_parquet_and_csv_count_as_the_table_does(data, reference, tmp_path, monkeypatch, workers):
    monkeypatch.setattr(scan, "CSV_BLOCK_BYTES", 10_000)
    pq.write_table(pa.Table.from_pandas(data), tmp_path / "a.parquet", row_group_size=1000)
    data.to_csv(tmp_path / "b.csv", index=False)
    whole = reference.empty_like()
    whole.update(data)
    for name in ("a.parquet", "b.csv"):
        part = scan.scan([tmp_path / name], reference, workers)
        same(whole, part.profile)
        assert part.bad.count == 0
    both = scan.scan([tmp_path / "a.parquet", tmp_path / "b.csv"], reference, workers)
    assert both.profile.rows == 18_000
    assert (
        both.profile.to_dict()
        == scan.scan([tmp_path / "a.parquet", tmp_path / "b.csv"], reference, 2).profile.to_dict()
    )


def test_bad_lines_are_counted_by_file_and_kept_as_they_are(reference, tmp_path):
    good = "x,n,c,b\n1.5,2,red,true\n,3,green,false\n"
    (tmp_path / "bad.csv").write_text(good + "1.5,2,red\nforty-two,2,red,true\n2.5,1,red,maybe\n 7 ,1e1,red,1\n")
    (tmp_path / "good.csv").write_text(good)
    part = scan.scan([tmp_path / "bad.csv", tmp_path / "good.csv"], reference)
    assert part.bad.by_file == {"bad.csv": 3}
    assert part.bad.first[0] == ("bad.csv", "1.5,2,red")
    assert ("bad.csv", "forty-two,2,red,true") in part.bad.first
    assert part.profile.rows == 5
    assert part.profile.columns["x"].maximum == 7.0
    assert part.profile.columns["x"].nulls == 2


def test_a_file_without_a_line_has_no_rows(reference, tmp_path):
    (tmp_path / "empty.csv").write_text("")
    assert scan.scan([tmp_path / "empty.csv"], reference).profile.rows == 0
