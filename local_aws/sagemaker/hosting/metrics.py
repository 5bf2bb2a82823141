"""An endpoint's CloudWatch metrics, buffered so that not every invocation becomes a call."""

import threading

from ...json_api import Record
from ..service import Service
from ..state import State

NAMESPACE = "AWS/SageMaker"
MAX_VALUES = 150
"""CloudWatch's limit of values in one datum."""


class EndpointMetrics:
    """Invocations, errors by kind and latencies (microseconds), by endpoint and variant."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._buffer: dict[tuple[str, str, str, str], list[tuple[int, float, float]]] = {}

    def add(self, state: State, endpoint: str, variant: str, answer: tuple[int, float, float]) -> None:
        """Buffer one invocation: HTTP status, seconds in the model, seconds of overhead."""
        with self._lock:
            self._buffer.setdefault((state.account, state.region, endpoint, variant), []).append(answer)

    def flush(self) -> None:
        """Publish the buffer."""
        with self._lock:
            buffered, self._buffer = self._buffer, {}
        for (account, region, endpoint, variant), answers in buffered.items():
            dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
            state = self._service.state(account, region)
            for start in range(0, len(answers), MAX_VALUES):
                self._service.count(state, NAMESPACE, _data(answers[start : start + MAX_VALUES], dimensions))


def _data(answers: list[tuple[int, float, float]], dimensions: list[Record]) -> list[Record]:
    values = {
        "Invocations": ("Count", [1.0] * len(answers)),
        "Invocation4XXErrors": ("Count", [float(400 <= status < 500) for status, _, _ in answers]),
        "Invocation5XXErrors": ("Count", [float(status >= 500) for status, _, _ in answers]),
        "ModelLatency": ("Microseconds", [model * 1e6 for _, model, _ in answers]),
        "OverheadLatency": ("Microseconds", [overhead * 1e6 for _, _, overhead in answers]),
    }
    return [
        {"MetricName": name, "Dimensions": dimensions, "Values": each, "Unit": unit}
        for name, (unit, each) in values.items()
    ]
