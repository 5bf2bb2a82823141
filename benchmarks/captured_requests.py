"""Time of the monitor to read captured requests, relative to `json.loads` alone: `make bench`.

`python -m benchmarks.captured_requests [requests]`: 16 columns; requests of one record each, the best of three runs; then one
request of as many bytes as SageMaker takes. Exit code 1 when the monitor takes more than 30 times as long, or the large
request more than twice as long as the same records in requests of one record each.
"""

import io
import json
import sys
import time
from unittest.mock import patch

import numpy as np
from botocore.response import StreamingBody

from jobs.columns import Column
from jobs.monitoring import captured

MAX_RATIO = 30
MAX_LARGE_RATIO = 2
LARGEST_BODY = 6_291_456
COLUMNS = [
    *(Column(f"n{index}", "number") for index in range(8)),
    *(Column(f"i{index}", "integer", nullable=False) for index in range(4)),
    *(Column(f"s{index}") for index in range(4)),
]


def record(rng: np.random.Generator) -> list:
    """The values of one record."""
    return [*rng.normal(size=8).round(4).tolist(), *rng.integers(0, 9, 4).tolist(), "red", "green", "a", "b"]


def request(records: list[list], number: int, kind: str) -> bytes:
    """A captured request in the format of SageMaker's data capture."""
    if kind == "text/csv":
        body = "\n".join(",".join(map(str, values)) for values in records)
    else:
        names = [column.name for column in COLUMNS]
        body = json.dumps({"instances": [dict(zip(names, values, strict=True)) for values in records]})
    endpoint_input = {
        "observedContentType": kind,
        "mode": "INPUT",
        "data": body,
        "encoding": kind[-4:].strip("/").upper(),
    }
    answer = "0.5\n" * len(records)
    endpoint_output = {"observedContentType": "text/csv", "mode": "OUTPUT", "data": answer, "encoding": "CSV"}
    meta = {"eventId": f"event-{number}", "inferenceTime": "2026-11-24T10:00:00Z"}
    line = {
        "captureData": {"endpointInput": endpoint_input, "endpointOutput": endpoint_output},
        "eventMetadata": meta,
        "eventVersion": "0",
    }
    return json.dumps(line).encode()


class Bucket:
    """A fake S3 client with one object."""

    def __init__(self, lines: list[bytes]) -> None:
        self._content = b"".join(line + b"\n" for line in lines)

    def get_object(self, **_: str) -> dict[str, StreamingBody]:
        """The response of GetObject."""
        return {"Body": StreamingBody(io.BytesIO(self._content), len(self._content))}


def seconds_to_read(lines: list[bytes], rows: int) -> float:
    """CPU seconds of the monitor to read an object of these lines, which have so many rows."""
    bucket = Bucket(lines)
    started = time.process_time()
    with patch("jobs.s3.client", lambda: bucket):
        result = captured.read("bucket", "key", COLUMNS)
    seconds = time.process_time() - started
    if result.rows is None or len(result.rows) != rows or result.bad_lines:
        sys.exit(f"some requests were not read: {result.first_error}")
    return seconds


def main(requests: int) -> int:
    """Print a line for each content type and one for the large request; returns 1 when one exceeds its limit."""
    slow = False
    for kind in ("text/csv", "application/json"):
        rng = np.random.default_rng(0)
        lines = [request([record(rng)], number, kind) for number in range(requests)]
        ours, json_only = [], []
        for _ in range(3):
            ours.append(seconds_to_read(lines, requests))
            started = time.process_time()
            for line in lines:
                json.loads(line)
            json_only.append(time.process_time() - started)
        ratio = min(ours) / min(json_only)
        slow |= ratio > MAX_RATIO
        rate = f"{requests / min(ours):,.0f} requests/s"
        print(f"{kind}: {rate}, {ratio:.1f} times json.loads alone (at most {MAX_RATIO})", flush=True)
    return int(_read_large() > MAX_LARGE_RATIO or slow)


def _read_large() -> float:
    """How many times as long as the same records in requests of one record each the largest request takes."""
    values = record(np.random.default_rng(0))
    records = [values] * (LARGEST_BODY // len(",".join(map(str, values)) + "\n"))
    large = seconds_to_read([request(records, 0, "text/csv")], len(records))
    small = seconds_to_read([request([values], 0, "text/csv")] * len(records), len(records))
    ratio = large / small
    print(
        f"one request of 6 MB, {len(records):,} records: {large:.1f} s, {ratio:.2f} times as long as in requests of one "
        f"record each (at most {MAX_LARGE_RATIO})",
        flush=True,
    )
    return ratio


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
