"""Profiles of files do not depend on format, row groups, blocks and threads."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

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
def test_parquet_and_csv_count_as_the_table(data, reference, tmp_path, monkeypatch, workers):
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


@pytest.mark.parametrize("workers", [1, 2, 5, 9])
def test_one_row_group_is_split_by_columns(data, reference, tmp_path, workers):
    pq.write_table(pa.Table.from_pandas(data.drop(columns="n")), tmp_path / "one.parquet")
    whole = reference.empty_like()
    whole.update(data.drop(columns="n"))
    part = scan.scan([tmp_path / "one.parquet"], reference, workers)
    same(whole, part.profile)
    assert part.profile.columns["n"].nulls == part.profile.rows == len(data)


def test_wide_tables_are_read_in_smaller_batches(data, reference, tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "BATCH_CELLS", 40)
    pq.write_table(pa.Table.from_pandas(data), tmp_path / "a.parquet", row_group_size=1000)
    whole = reference.empty_like()
    whole.update(data)
    same(whole, scan.scan([tmp_path / "a.parquet"], reference, 2).profile)


def test_counting_and_deciding_import_no_pandas_or_scipy_stats(data, reference, tmp_path):
    """Importing either takes longer than counting a million rows."""
    pq.write_table(pa.Table.from_pandas(data), tmp_path / "a.parquet")
    data.to_csv(tmp_path / "b.csv", index=False)
    (tmp_path / "profile.json").write_text(json.dumps(reference.to_dict()))
    code = """if True:
        import json, sys
        from jobs.drift.decision import DriftLimits, decide
        from jobs.drift.profile import Profile
        from jobs.drift.scan import scan
        reference = Profile.from_dict(json.load(open("profile.json")))
        part = scan(["a.parquet", "b.csv"], reference)
        assert decide(reference, part.profile, DriftLimits(0.07, 1e-4, 200)).decided
        print(sorted({"pandas", "scipy.stats", "sklearn"} & set(sys.modules)))
    """
    environment = os.environ | {"PYTHONPATH": str(Path(scan.__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_bad_lines_are_counted_by_file_and_kept(reference, tmp_path):
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


def test_first_twenty_bad_lines_are_kept(reference, tmp_path):
    (tmp_path / "a.csv").write_text("x,n,c,b\n" + "".join(f"bad,{number}\n" for number in range(15)))
    (tmp_path / "b.csv").write_text("x,n,c,b\n" + "".join(f"bad,{number}\n" for number in range(25)))
    bad = scan.scan([tmp_path / "a.csv", tmp_path / "b.csv"], reference).bad
    assert (bad.by_file, bad.count) == ({"a.csv": 15, "b.csv": 25}, 40)
    assert bad.first == [
        *(("a.csv", f"bad,{number}") for number in range(15)), *(("b.csv", f"bad,{number}") for number in range(5)),
    ]  # fmt: skip
    bad = scan.scan([tmp_path / "b.csv"], reference).bad
    assert bad.first == [("b.csv", f"bad,{number}") for number in range(20)]


@pytest.mark.parametrize("workers", [1, 2])
def test_parts_are_merged_in_the_order_of_their_files(workers):
    started = []

    def task(number):
        started.append(number)
        return number

    with ThreadPoolExecutor(workers) as pool:
        results = scan._in_order(pool, workers, (partial(task, number) for number in range(12)))
        assert next(results) == 0
        assert len(started) <= 2 * workers + 1
        assert list(results) == list(range(1, 12))


def test_csv_with_other_columns_counts_those_of_the_reference(reference, tmp_path):
    (tmp_path / "other.csv").write_text("note,c,x,b\nhello,red,1.5,true\n?,green,oops,false\n,blue,2.5,0\n")
    part = scan.scan([tmp_path / "other.csv"], reference)
    assert (part.profile.rows, part.profile.columns["n"].nulls, part.profile.columns["x"].finite) == (2, 2, 2)
    assert part.bad.first == [("other.csv", "oops,green,false")]


def test_line_longer_than_the_parsed_block_is_read(reference, tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "CSV_PARSED_BYTES", 100)
    (tmp_path / "long.csv").write_text("x,n,c,b\n1.5,2,red,true\n2.5,3," + "a" * 1000 + ",false\n" + "1,1,red,0\n" * 50)
    part = scan.scan([tmp_path / "long.csv"], reference)
    assert part.bad.count == 0
    assert part.profile.rows == 52
    assert part.profile.columns["x"].maximum == 2.5
    assert part.profile.columns["b"].finite == 52


def test_empty_file_has_no_rows(reference, tmp_path):
    (tmp_path / "empty.csv").write_text("")
    assert scan.scan([tmp_path / "empty.csv"], reference).profile.rows == 0
