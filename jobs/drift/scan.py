"""Profiles of whole files: parquet by row group, CSV by block, several in parallel, in memory that does not depend on their size.

Threads are enough: reading and comparing numbers release Python's lock. Parts are merged in the order of the files, so the
result does not depend on which thread finishes first.
"""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from .arrays import NUMERIC, compute
from .counting import Kernel
from .profile import Profile

BATCH_ROWS, BATCH_CELLS = 131_072, 2_621_440
"""Of parquet, decoded at a time by a thread: a whole row group of prepare, but at most 21 MB of a wide table."""
PAGE_BYTES = 1 << 18
"""Read at a time of each column's pages; by default pyarrow reads the whole undecoded row group."""
CSV_BLOCK_BYTES, CSV_PARSED_BYTES = 4 << 20, 256 << 10
"""Of CSV, read at a time by a thread; and of that, parsed at a time, so that a core's second cache holds it."""
CSV_TYPES = {"integer": pa.float64(), "number": pa.float64(), "boolean": pa.bool_()}
SHOWN_BAD_LINES = 20


@dataclass
class BadLines:
    """Lines that cannot be read: their number by file, and the first of them as (file, text)."""

    by_file: dict[str, int] = field(default_factory=dict)
    first: list[tuple[str, str]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of bad lines in all files."""
        return sum(self.by_file.values())

    def add(self, file: str, text: str, count: int = 1) -> None:
        """Add lines of a file; the first lines are kept."""
        self.by_file[file] = self.by_file.get(file, 0) + count
        if len(self.first) < SHOWN_BAD_LINES:
            self.first.append((file, text))

    def merge(self, other: "BadLines") -> None:
        """Add those of another part."""
        for file, count in other.by_file.items():
            self.by_file[file] = self.by_file.get(file, 0) + count
        self.first = (self.first + other.first)[:SHOWN_BAD_LINES]


@dataclass
class Part:
    """The profile and the bad lines of one part of a file."""

    profile: Profile
    bad: BadLines = field(default_factory=BadLines)


def scan(files: Sequence[Path | str], reference: Profile, workers: int | None = None) -> Part:
    """Count files (.parquet, else CSV with a header) on the reference's bins. Raises pyarrow's errors for unreadable files."""
    workers = workers or min(4, os.cpu_count() or 1)
    whole = Part(reference.empty_like())
    with ThreadPoolExecutor(workers) as pool:
        for part in _in_order(
            pool, workers, (task for file in files for task in _tasks(Path(file), reference, workers))
        ):
            whole.profile.merge(part.profile)
            whole.bad.merge(part.bad)
    return whole


def _in_order(pool: ThreadPoolExecutor, workers: int, tasks: Iterator[Callable[[], Part]]) -> Iterator[Part]:
    """Results in the order of the tasks; only a few are submitted at a time, so that finished ones take little memory."""
    running: list[Any] = []
    for task in tasks:
        running.append(pool.submit(task))
        if len(running) > 2 * workers:
            yield running.pop(0).result()
    for future in running:
        yield future.result()


def _tasks(file: Path, reference: Profile, workers: int) -> Iterator[Callable[[], Part]]:
    if file.suffix == ".parquet":
        return _parquet_tasks(file, reference, workers)
    return _csv_tasks(file, reference)


def _parquet_tasks(file: Path, reference: Profile, workers: int) -> Iterator[Callable[[], Part]]:
    """One task per row group; when a file has fewer row groups than workers, one per row group and share of the columns."""
    with pq.ParquetFile(file) as opened:
        groups, rows = opened.metadata.num_row_groups, opened.metadata.num_rows
    names = list(reference.columns)
    shares = min(max(1, len(names)), -(-workers // max(1, groups)))
    yield lambda: Part(Profile(rows, {}))
    for group in range(groups):
        for share in range(shares):
            yield lambda group=group, share=share: _row_group(file, group, reference, names[share::shares])


def _row_group(file: Path, group: int, reference: Profile, names: list[str]) -> Part:
    """The profile of these columns of a row group; the number of rows is counted once per file."""
    profile, kernel = reference.empty_like(names), Kernel()
    texts = [name for name, kind in profile.types.items() if kind not in NUMERIC]
    batch_rows = min(BATCH_ROWS, max(1, BATCH_CELLS // max(1, len(reference.columns))))
    with pq.ParquetFile(file, read_dictionary=texts, pre_buffer=False, buffer_size=PAGE_BYTES) as opened:
        wanted = [name for name in names if name in opened.schema_arrow.names]
        for batch in opened.iter_batches(batch_rows, row_groups=[group], columns=wanted, use_threads=False):
            profile.update(batch, kernel)
    return Part(Profile(0, profile.columns))


def _csv_tasks(file: Path, reference: Profile) -> Iterator[Callable[[], Part]]:
    """Tasks of whole lines. A quoted value must not contain a line break: both halves would be bad lines."""
    with file.open("rb") as opened:
        header = opened.readline()
        if not header.strip():
            return
        names = pacsv.read_csv(io.BytesIO(header)).column_names
        while block := opened.read(CSV_BLOCK_BYTES):
            block += opened.readline()
            yield lambda block=block: _csv_block(file.name, block, names, reference)


def _csv_block(file: str, block: bytes, names: list[str], reference: Profile) -> Part:
    part = Part(reference.empty_like())

    def skip(row: Any) -> str:
        part.bad.add(file, row.text or "")
        return "skip"

    types = {name: CSV_TYPES.get(kind, pa.string()) for name, kind in reference.types.items()}
    parse = pacsv.ParseOptions(invalid_row_handler=skip)

    def table(column_types: dict[str, pa.DataType], parsed_bytes: int) -> pa.Table:
        read = pacsv.ReadOptions(column_names=names, use_threads=False, block_size=parsed_bytes)
        wanted = [name for name in reference.columns if name in names]
        options = pacsv.ConvertOptions(column_types=column_types, include_columns=wanted, strings_can_be_null=True)
        return pacsv.read_csv(pa.BufferReader(block), read, parse, options).combine_chunks()

    try:
        rows = table(types, CSV_PARSED_BYTES)
    except pa.ArrowInvalid:  # a value that is not a number, or a line longer than CSV_PARSED_BYTES
        part.bad = BadLines()
        rows = table(dict.fromkeys(types, pa.string()), len(block) + 1)
        rows = _without_bad_numbers(rows, reference.types, file, part.bad)
    part.profile.update(rows)
    return part


def _without_bad_numbers(rows: pa.Table, types: dict[str, str], file: str, bad: BadLines) -> pa.Table:
    """The rows of strings whose numeric columns are numbers, converted; all others are bad lines."""
    fitting = []
    for name in rows.column_names:
        if types[name] == "boolean":
            fits = compute.match_substring_regex(rows[name], r"^(?i)\s*(true|false|0|1)\s*$")
        elif types[name] in NUMERIC:
            fits = compute.match_substring_regex(rows[name], NUMBER)
        else:
            continue
        fitting.append(compute.coalesce(fits, compute.is_null(fits)))
    good = reduce(compute.and_, fitting)
    for line in rows.filter(compute.invert(good)).to_pylist():
        bad.add(file, ",".join("" if value is None else value for value in line.values()))
    rows = rows.filter(good)
    for index, name in enumerate(rows.column_names):
        if types[name] == "boolean":
            truth = compute.match_substring_regex(rows[name], r"^(?i)\s*(true|1)\s*$").cast(pa.float64())
            rows = rows.set_column(index, name, truth)
        elif types[name] in NUMERIC:
            rows = rows.set_column(index, name, compute.utf8_trim_whitespace(rows[name]).cast(pa.float64()))
    return rows


NUMBER = r"^\s*[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|(?i:inf|nan))\s*$"
