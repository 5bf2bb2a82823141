"""Captured objects: lines are read, and bad ones are quarantined with their errors."""

import numpy as np
import pandas as pd
import pytest

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
