"""Captured objects: lines are read, and bad ones are quarantined with their errors."""

import base64
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
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


def test_objects_within_an_hour_of_the_newest_are_compared_by_key():
    noon = datetime(2026, 11, 26, 12, tzinfo=UTC)
    mark = captured.Watermark(noon, frozenset({"read"}))
    assert not mark.is_new({"Key": "late", "LastModified": noon - timedelta(hours=1)})
    assert mark.is_new({"Key": "late", "LastModified": noon - timedelta(minutes=59)})
    assert captured.Watermark().is_new({"Key": "first", "LastModified": noon - timedelta(days=9)})


def test_watermark_follows_the_newest_object():
    noon = datetime(2026, 11, 26, 12, tzinfo=UTC)
    entries = [{"Key": f"k{hours}", "LastModified": noon + timedelta(hours=hours)} for hours in (2, 1)]
    mark = captured.Watermark().after(entries)
    assert mark == captured.Watermark(noon + timedelta(hours=2), frozenset({"k1", "k2"}))
    assert mark.after([{"Key": "k0", "LastModified": noon}]) == replace(mark, keys=frozenset({"k0", "k1", "k2"}))
    assert mark.after([]) == mark
    assert captured.Watermark().after([]) == captured.Watermark()


def test_watermark_is_read_back_with_the_latest_keys(monkeypatch):
    monkeypatch.setattr(captured, "MAX_KEYS", 2)
    noon = datetime(2026, 11, 26, 12, tzinfo=UTC)
    kept = captured.Watermark(noon, frozenset({"a", "c", "b"})).to_dict()
    assert kept == {"newest": "2026-11-26T12:00:00+00:00", "keys": ["b", "c"]}
    assert captured.Watermark.from_report({"watermark": kept}) == captured.Watermark(noon, frozenset({"b", "c"}))
    for report in (None, {}, {"watermark": captured.Watermark().to_dict()}):
        assert captured.Watermark.from_report(report) == captured.Watermark()


def captured_line(output: dict | None = None, side: dict | None = None, **event) -> bytes:
    """A captured request for one row; `output` over its answer, None for one whose answer was not captured."""
    data = {"endpointInput": {"observedContentType": "text/csv", "encoding": "CSV", "data": "1.5,red"} | (side or {})}
    if output is not None:
        data["endpointOutput"] = {"observedContentType": "text/csv", "encoding": "CSV", "data": "0.25"} | output
    return json.dumps({"captureData": data, "eventMetadata": event}).encode()


@pytest.fixture
def read(monkeypatch):
    def lines(*content: bytes, live: int | None = None) -> captured.Batch:
        body = io.BytesIO(b"\n".join(content))
        stream = StreamingBody(body, len(body.getvalue()))
        monkeypatch.setattr(captured.s3, "client", lambda: SimpleNamespace(get_object=lambda **_: {"Body": stream}))
        return captured.read(BUCKET, "a.jsonl", COLUMNS, live)

    return lines


NOON = "2026-11-26T12:00:00Z"


def test_base64_is_decoded_and_other_text_is_a_bad_line(read):
    encoded = {"encoding": "BASE64", "data": base64.b64encode(b"2.5,blue").decode()}
    batch = read(captured_line({}, encoded), captured_line({}, encoded | {"data": "2.5,blue"}))
    assert batch.rows.to_dict("records") == [{"x": 2.5, "colour": "blue"}]
    assert (batch.bad_lines, batch.first_error) == (
        1, "a.jsonl, line 2: not base64: Only base64 data is allowed",
    )  # fmt: skip


def test_requests_without_captured_answers_have_rows_and_no_scores(read):
    batch = read(captured_line(None, eventId="e", inferenceTime=NOON))
    assert (len(batch.rows), batch.scores.tolist(), batch.scored, batch.bad_lines) == (1, [], [], 0)
    assert (batch.named.tolist(), batch.seconds.tolist()) == ([], [])


@pytest.mark.parametrize(
    ("event", "identifier"),
    [
        ({"eventId": "e", "inferenceId": "mine", "inferenceTime": NOON}, "mine"),
        ({"eventId": "e", "inferenceTime": NOON}, "e"),
        ({"eventId": "e"}, None),
        ({"inferenceTime": NOON}, None),
        ({}, None),
    ],
)
def test_answers_are_joined_by_the_callers_id_else_the_events(read, event, identifier):
    batch = read(captured_line({}, **event))
    assert [each.id for each in batch.scored] == ([identifier] if identifier else [])
    if identifier:
        assert (batch.scored[0].seconds, batch.scored[0].scores.tolist()) == (1795694400, [[0.25]])
    assert (batch.seconds.tolist(), batch.named.tolist()) == ([1795694400 * ("inferenceTime" in event)], [0])


def test_largest_of_several_scores_is_the_rows_score(read):
    several = {"observedContentType": "application/json", "data": '{"predictions": [[0.2, 0.7, 0.1]]}'}
    batch = read(captured_line(several, eventId="e", inferenceTime=NOON))
    assert batch.bad_lines == 0, batch.first_error
    assert (batch.scores.tolist(), batch.scored[0].scores.tolist()) == ([0.7], [[0.2, 0.7, 0.1]])


def test_twenty_bad_lines_are_kept_of_all(read):
    batch = read(*[b"{"] * 15, *[captured_line({}, {"data": "many,red"})] * 15)
    assert (batch.bad_lines, batch.lines, len(batch.bad)) == (30, 30, 20)
    assert [each["line"] for each in batch.bad] == [str(number) for number in range(1, 21)]


def test_file_that_was_written_again_is_not_analysed_again():
    """As `model-factory forget` does, without requests that had to be forgotten."""
    written, later = datetime(2026, 11, 26, 12, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC)
    mark = captured.Watermark(written, frozenset({"old"}))
    assert not mark.is_new({"Key": "old", "LastModified": later})
    assert mark.is_new({"Key": "new", "LastModified": later})
