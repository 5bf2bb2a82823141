"""Captured objects: lines are read, and bad ones are quarantined with their errors."""

import io
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from botocore.response import StreamingBody

from jobs.monitoring import captured

from ..conftest import BUCKET
from .live_traffic import COLUMNS, line, requests


@pytest.mark.parametrize("bytes_at_once", [1, 1_000, captured.BYTES_AT_ONCE])
def test_bad_value_affects_only_its_own_line(s3, records, monkeypatch, bytes_at_once):
    monkeypatch.setattr(captured, "BYTES_AT_ONCE", bytes_at_once)
    rows, scores = records(200), np.linspace(0, 1, 200)
    lines = requests(rows, scores, "a", size=2)
    lines[40] = line("b", "1.0,red\nmany,red\n", "0.5\n0.5\n")
    lines[7] = line("c", '{"instances": [{"x": "few", "colour": "red"}]}', "0.5\n", "application/json")
    lines[60] = "{"
    s3.put_object(Bucket=BUCKET, Key="captured.jsonl", Body="\n".join(lines).encode())
    batch = captured.read(BUCKET, "captured.jsonl", COLUMNS)
    assert (batch.lines, batch.bad_lines, len(batch.scored)) == (100, 3, 97)
    rest = [number for number in range(200) if number // 2 not in (7, 40, 60)]
    assert batch.rows is not None
    pd.testing.assert_frame_equal(batch.rows, rows.loc[rest, ["x", "colour"]].reset_index(drop=True), check_dtype=False)
    assert batch.scores.tolist() == scores[rest].tolist()
    assert [(each["line"], each["text"]) for each in batch.bad] == [(str(n + 1), lines[n]) for n in (7, 40, 60)]
    assert batch.first_error.endswith("line 8: column 'x': 1 values are no number; the first is 'few' in row 1")
    assert "the first is 'many' in row 2" in batch.bad[1]["error"]


class CountedReads(io.BytesIO):
    """The connection behind a response body. Each read of a part of a line may copy the line so far."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        return super().read(size)

    def readinto(self, buffer) -> int:
        self.reads += 1
        return super().readinto(buffer)


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_largest_request_is_read_in_few_parts(monkeypatch, ending):
    line = b"x" * 6_291_456
    connection = CountedReads(line + ending)
    body = StreamingBody(connection, len(line + ending))
    monkeypatch.setattr(captured.s3, "client", lambda: SimpleNamespace(get_object=lambda **_: {"Body": body}))
    batch = captured.read(BUCKET, "captured.jsonl", COLUMNS)
    assert (batch.lines, batch.bad_lines, batch.bad[0]["text"]) == (1, 1, "x" * captured.QUARANTINED_CHARACTERS)
    assert connection.reads <= 10


def test_file_that_was_written_again_is_not_analysed_again():
    """As `model-factory forget` does, without requests that had to be forgotten."""
    written, later = datetime(2026, 11, 26, 12, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC)
    mark = captured.Watermark(written, frozenset({"old"}))
    assert not mark.is_new({"Key": "old", "LastModified": later})
    assert mark.is_new({"Key": "new", "LastModified": later})
