"""Time of the monitor to read captured requests of one record each, relative to `json.loads` alone: `make bench`.

`python -m benchmarks.captured_requests [requests]`: 16 columns; the best of three runs. Exit code 1 when the
monitor takes more than 30 times as long.
"""

import io
import json
import sys
import time
from unittest.mock import patch

import numpy as np

from jobs.columns import Column
from jobs.monitoring import captured

MAX_RATIO = 30
COLUMNS = [
    *(Column(f"n{index}", "number") for index in range(8)),
    *(Column(f"i{index}", "integer", nullable=False) for index in range(4)),
    *(Column(f"s{index}") for index in range(4)),
]


def request(rng: np.random.Generator, number: int, kind: str) -> bytes:
    """A captured request in the format of SageMaker's data capture."""
    values = [*rng.normal(size=8).round(4).tolist(), *rng.integers(0, 9, 4).tolist(), "red", "green", "a", "b"]
    if kind == "text/csv":
        body = ",".join(map(str, values))
    else:
        names = [column.name for column in COLUMNS]
        body = json.dumps({"instances": [dict(zip(names, values, strict=True))]})
    endpoint_input = {
        "observedContentType": kind,
        "mode": "INPUT",
        "data": body,
        "encoding": kind[-4:].strip("/").upper(),
    }
    endpoint_output = {"observedContentType": "text/csv", "mode": "OUTPUT", "data": "0.5\n", "encoding": "CSV"}
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
        self._lines = lines

    def get_object(self, **_: str) -> dict[str, "Bucket"]:
        """The response of GetObject."""
        return {"Body": self}

    def iter_lines(self) -> io.BytesIO:
        """The lines of the object."""
        return io.BytesIO(b"\n".join(self._lines))


def main(requests: int) -> int:
    """Print a line for each content type; returns 1 when one exceeds the limit."""
    slow = False
    for kind in ("text/csv", "application/json"):
        rng = np.random.default_rng(0)
        lines = [request(rng, number, kind) for number in range(requests)]
        ours, json_only = [], []
        for _ in range(3):
            started = time.process_time()
            with patch("jobs.s3.client", lambda lines=lines: Bucket(lines)):
                result = captured.read("bucket", "key", COLUMNS)
            ours.append(time.process_time() - started)
            started = time.process_time()
            for line in lines:
                json.loads(line)
            json_only.append(time.process_time() - started)
            if result.rows is None or len(result.rows) != requests or result.bad_lines:
                sys.exit(f"some requests were not read: {result.first_error}")
        ratio = min(ours) / min(json_only)
        slow |= ratio > MAX_RATIO
        rate = f"{requests / min(ours):,.0f} requests/s"
        print(f"{kind}: {rate}, {ratio:.1f} times json.loads alone (at most {MAX_RATIO})", flush=True)
    return int(slow)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
