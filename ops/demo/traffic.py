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

    def send(self, records: pd.DataFrame) -> int:
        """Send all records, some hundred a request; returns how many predictions came back."""
        answered = 0
        for start in range(0, len(records), ROWS_PER_REQUEST):
            answered += self._request(records[self.inputs].iloc[start : start + ROWS_PER_REQUEST])
        return answered

    def _request(self, rows: pd.DataFrame) -> int:
        self.requests += 1
        try:
            answer = self.runtime.invoke_endpoint(
                EndpointName=self.endpoint,
                ContentType="text/csv",
                Accept="text/csv",
                Body=rows.to_csv(index=False, header=False).encode(),
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
