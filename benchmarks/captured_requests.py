"""Captured requests of one record each, read by the monitor, against merely reading their JSON: `make bench`.

`python -m benchmarks.captured_requests [requests]`: 16 columns; the best of three runs each, in turn. Exits with 1 when the
monitor's reading takes more than 30 times as long.
"""

import io
import json
import sys
import time
from unittest.mock import patch

import numpy as np

from jobs.columns import Column
from jobs.monitoring import captured

ALLOWED = 30
COLUMNS = [
    *(Column(f"n{index}", "number") for index in range(8)),
    *(Column(f"i{index}", "integer", nullable=False) for index in range(4)),
    *(Column(f"s{index}") for index in range(4)),
]


def request(rng: np.random.Generator, number: int, kind: str) -> bytes:
    """A line as SageMaker captures it."""
    values = [*rng.normal(size=8).round(4).tolist(), *rng.integers(0, 9, 4).tolist(), "red", "green", "a", "b"]
    if kind == "text/csv":
        body = ",".join(map(str, values))
    else:
        names = [column.name for column in COLUMNS]
        body = json.dumps({"instances": [dict(zip(names, values, strict=True))]})
    given = {"observedContentType": kind, "mode": "INPUT", "data": body, "encoding": kind[-4:].strip("/").upper()}
    answer = {"observedContentType": "text/csv", "mode": "OUTPUT", "data": "0.5\n", "encoding": "CSV"}
    meta = {"eventId": f"event-{number}", "inferenceTime": "2026-11-24T10:00:00Z"}
    line = {
        "captureData": {"endpointInput": given, "endpointOutput": answer},
        "eventMetadata": meta,
        "eventVersion": "0",
    }
    return json.dumps(line).encode()


class Bucket:
    """One object, as S3 hands it out."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines

    def get_object(self, **_: str) -> dict[str, "Bucket"]:
        """The object."""
        return {"Body": self}

    def iter_lines(self) -> io.BytesIO:
        """Its lines."""
        return io.BytesIO(b"\n".join(self._lines))


def main(requests: int) -> int:
    """Print a line for each content type; 1 when one is slow."""
    slow = False
    for kind in ("text/csv", "application/json"):
        rng = np.random.default_rng(0)
        lines = [request(rng, number, kind) for number in range(requests)]
        ours, merely = [], []
        for _ in range(3):
            started = time.process_time()
            with patch("jobs.s3.client", lambda lines=lines: Bucket(lines)):
                found = captured.read("bucket", "key", COLUMNS)
            ours.append(time.process_time() - started)
            started = time.process_time()
            for line in lines:
                json.loads(line)
            merely.append(time.process_time() - started)
            if found.rows is None or len(found.rows) != requests or found.bad_lines:
                sys.exit(f"not all were read: {found.first_error}")
        ratio = min(ours) / min(merely)
        slow |= ratio > ALLOWED
        rate = f"{requests / min(ours):,.0f} requests/s"
        print(f"{kind}: {rate}, {ratio:.1f} times merely reading their JSON (at most {ALLOWED})", flush=True)
    return int(slow)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
