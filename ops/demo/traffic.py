"""Real records sent to the live endpoint, as a caller would, with every refused request counted."""

import threading
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from botocore.exceptions import BotoCoreError, ClientError

ROWS_PER_REQUEST = 250


@dataclass
class Traffic:
    """Sends CSV bodies to one endpoint and keeps count. `inputs` are the raw feature columns in the model's order."""

    runtime: Any
    endpoint: str
    inputs: list[str]
    requests: int = 0
    failures: list[str] = field(default_factory=list)

    def send(self, records: pd.DataFrame, name: str = "") -> int:
        """Send all records, some hundred a request, called `<name>-<number>`; returns how many predictions came back."""
        answered = 0
        for number, start in enumerate(range(0, len(records), ROWS_PER_REQUEST)):
            rows = records[self.inputs].iloc[start : start + ROWS_PER_REQUEST]
            answered += self._request(rows, {"InferenceId": f"{name}-{number}"} if name else {})
        return answered

    def _request(self, rows: pd.DataFrame, named: dict[str, str]) -> int:
        self.requests += 1
        try:
            answer = self.runtime.invoke_endpoint(
                EndpointName=self.endpoint,
                ContentType="text/csv",
                Accept="text/csv",
                Body=rows.to_csv(index=False, header=False).encode(),
                **named,
            )
            scores = answer["Body"].read().decode().split()
        except (ClientError, BotoCoreError) as error:
            self.failures.append(str(error))
            return 0
        if len(scores) != len(rows):
            self.failures.append(f"{len(rows)} rows were answered with {len(scores)} scores")
        return len(scores)

    def steadily(self, records: pd.DataFrame) -> "Steady":
        """Keep sending the records in the background, a request every tenth of a second, until the context ends."""
        return Steady(self, records)


def labels(records: pd.DataFrame, name: str, label: str) -> pd.DataFrame:
    """What turned out true of records that were sent under `name`, as the monitor reads it."""
    numbers = pd.RangeIndex(len(records))
    return pd.DataFrame(
        {
            "inference_id": [f"{name}-{number // ROWS_PER_REQUEST}" for number in numbers],
            "record": numbers % ROWS_PER_REQUEST,
            label: records[label].to_numpy(),
        }
    )


class Steady:
    """A caller that never stops asking, to see whether a deployment is noticed."""

    def __init__(self, traffic: Traffic, records: pd.DataFrame) -> None:
        self._traffic, self._records = traffic, records
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        row = 0
        while not self._stop.wait(0.1):
            self._traffic.send(self._records.iloc[row : row + 5])
            row = (row + 5) % max(1, len(self._records) - 5)

    def __enter__(self) -> "Steady":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=30)
