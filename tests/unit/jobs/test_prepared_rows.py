"""The rows that Prepare wrote: as pandas reads them, in one DataFrame or in batches."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.failures import JobFailure
from jobs.prepared_rows import Rows

ROOT = Path(__file__).parents[3]
ROWS = 25


@pytest.fixture
def table() -> pd.DataFrame:
    """A column of each type that features may have."""
    count = np.arange(ROWS)
    return pd.DataFrame(
        {
            "number": count / 3,
            "single": (count / 3).astype("float32"),
            "integer": count,
            "nullable": pd.array(count, dtype="Int64"),
            "truth": count % 2 == 0,
            "text": [f"t{each % 3}" for each in count],
            "category": pd.Categorical([f"c{each % 2}" for each in count], ["c1", "c0"]),
            "time": pd.Timestamp("2026-01-01") + pd.to_timedelta(count, "h"),
        }
    )


@pytest.fixture
def rows(tmp_path, table) -> Rows:
    """Two files, the first with three row groups."""
    table[:15].to_parquet(tmp_path / "part-0.parquet", index=False, row_group_size=5)
    table[15:].to_parquet(tmp_path / "part-1.parquet", index=False)
    return Rows.of(tmp_path, "train has no rows")


def test_frame_is_what_pandas_reads(rows, table):
    pd.testing.assert_frame_equal(rows.frame(), table)


def test_batches_have_all_rows_in_order(rows, table):
    batches = list(rows.batches(4))
    assert max(map(len, batches)) == 4
    pd.testing.assert_frame_equal(pd.concat(batches, ignore_index=True), table)


def test_rows_are_iterated_again_from_the_first(rows):
    first, second = (pd.concat(list(rows)) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert len(first) == len(rows) == ROWS


@pytest.mark.parametrize("read", [Rows.frame, lambda rows: next(iter(rows))], ids=["frame", "batch"])
def test_every_column_can_be_written_to(rows, read):
    frame = read(rows)
    for name in frame:
        frame.loc[0, name] = frame.loc[1, name]
        assert frame[name].to_numpy().flags.writeable, name


def test_minimum_bytes_are_not_more_than_the_frame(rows, table):
    assert (
        0.8 * table.memory_usage(index=False).sum() < rows.minimum_bytes <= rows.frame().memory_usage(deep=True).sum()
    )


def test_folder_without_files_fails(tmp_path):
    with pytest.raises(JobFailure, match="channel 'train' has no rows"):
        Rows.of(tmp_path, "channel 'train' has no rows")


HALF = """
import resource, sys
from pathlib import Path
from jobs.prepared_rows import Rows

rows = Rows.of(Path(sys.argv[1]), "train has no rows")
next(iter(rows))
status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
limit = int(status["VmData"].split()[0]) * 1024 + rows.minimum_bytes // 2
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
print(sum(len(batch) for batch in rows))
try:
    rows.frame()
except MemoryError:
    print("does not fit")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_batches_need_less_than_half_of_the_memory_of_a_frame(tmp_path):
    group = pa.table({f"c{column}": np.arange(100_000, dtype="float64") % 7 for column in range(10)})
    with pq.ParquetWriter(tmp_path / "part-0.parquet", group.schema) as writer:
        for _ in range(100):
            writer.write_table(group)
    environment = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", HALF, str(tmp_path)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["10000000", "does not fit"]
