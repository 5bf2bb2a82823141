"""Requests to the live endpoint, with a count of those that fail."""

import threading
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from botocore.exceptions import BotoCoreError, ClientError

ROWS_PER_REQUEST = 250


@dataclass
class Traffic:
    """Sends CSV requests to one endpoint and counts them. `inputs`: the columns of a request, in the model's order."""

    runtime: Any
    endpoint: str
    inputs: list[str]
    requests: int = 0
    failures: list[str] = field(default_factory=list)

    def send(self, records: pd.DataFrame, name: str = "") -> int:
        """Send all records, 250 a request, with the inference ids `<name>-<number>`; returns the number of predictions."""
        predictions = 0
        for number, start in enumerate(range(0, len(records), ROWS_PER_REQUEST)):
            rows = records[self.inputs].iloc[start : start + ROWS_PER_REQUEST]
            predictions += self._request(rows, {"InferenceId": f"{name}-{number}"} if name else {})
        return predictions

    def _request(self, rows: pd.DataFrame, inference_id: dict[str, str]) -> int:
        self.requests += 1
        try:
            response = self.runtime.invoke_endpoint(
                EndpointName=self.endpoint,
                ContentType="text/csv",
                Accept="text/csv",
                Body=rows.to_csv(index=False, header=False).encode(),
                **inference_id,
            )
            scores = response["Body"].read().decode().split()
        except (ClientError, BotoCoreError) as error:
            self.failures.append(str(error))
            return 0
        if len(scores) != len(rows):
            self.failures.append(f"the response to {len(rows)} rows has {len(scores)} scores")
        return len(scores)

    def in_background(self, records: pd.DataFrame) -> "BackgroundTraffic":
        """Context manager that sends requests from the records in a thread, ten a second, until it exits."""
        return BackgroundTraffic(self, records)


def labels(records: pd.DataFrame, name: str, label: str) -> pd.DataFrame:
    """Ground truth of the requests that `Traffic.send` sent for these records, in the monitor's format."""
    numbers = pd.RangeIndex(len(records))
    return pd.DataFrame(
        {
            "inference_id": [f"{name}-{number // ROWS_PER_REQUEST}" for number in numbers],
            "record": numbers % ROWS_PER_REQUEST,
            label: records[label].to_numpy(),
        }
    )


class BackgroundTraffic:
    """Requests in a thread, to count those that fail during a deployment."""

    def __init__(self, traffic: Traffic, records: pd.DataFrame) -> None:
        self._traffic, self._records = traffic, records
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        row = 0
        while not self._stop.wait(0.1):
            self._traffic.send(self._records.iloc[row : row + 5])
            row = (row + 5) % max(1, len(self._records) - 5)

    def __enter__(self) -> "BackgroundTraffic":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=30)
