"""Restarts of endpoints whose container has ended, as SageMaker restarts them."""

import logging
import threading
import time
from collections import defaultdict, deque
from typing import Protocol

from ...json_api import Record
from ..service import Service
from ..state import State, find
from .fleet import FleetError
from .variants import Variants

log = logging.getLogger(__name__)
POLL_SECONDS = 0.5
MOST, WINDOW_SECONDS = 3, 60.0
"""An endpoint whose container ends more often in that time becomes Failed."""


class Hosting(Protocol):
    """What serves the endpoints."""

    fleets: dict[str, Variants]

    def fail(self, state: State, endpoint: Record, reason: str) -> None:
        """Set an endpoint to Failed."""
        ...


class Restarts:
    """Looks at the containers of all endpoints that are InService, until the embedded AWS stops."""

    def __init__(self, service: Service, hosting: Hosting) -> None:
        self._service, self._hosting = service, hosting
        self._times: dict[str, deque[float]] = defaultdict(deque)
        threading.Thread(target=self._look_regularly, name="endpoint-restarts", daemon=True).start()

    def _look_regularly(self) -> None:
        while not self._service.stopping.wait(POLL_SECONDS):
            for state in self._service.states():
                for endpoint in list(state.endpoints.values()):
                    fleet = self._hosting.fleets.get(endpoint["EndpointArn"])
                    if fleet and not fleet.alive and endpoint["EndpointStatus"] == "InService":
                        self._restart(state, endpoint, fleet)

    def _restart(self, state: State, endpoint: Record, dead: Variants) -> None:
        arn = endpoint["EndpointArn"]
        if self._too_often(arn):
            reason = f"The container ended {MOST + 1} times within {WINDOW_SECONDS:g} s. {dead.last_output()}"
            self._hosting.fail(state, endpoint, reason)
            return
        try:
            config = find(state.endpoint_configs, endpoint["EndpointConfigName"], "endpoint configuration")
            fleet = Variants(self._service, state, endpoint["EndpointName"], config)
        except Exception as error:
            if self._service.stopping.is_set():
                return
            if not isinstance(error, FleetError):
                log.exception("%s", arn)
            self._hosting.fail(state, endpoint, f"The container ended and could not be started again: {error}")
            return
        if self._hosting.fleets.get(arn) is dead:
            self._hosting.fleets[arn] = fleet
            dead.close()
        else:  # the endpoint was updated or deleted meanwhile
            fleet.close()

    def _too_often(self, arn: str) -> bool:
        times, now = self._times[arn], time.monotonic()
        while times and now - times[0] > WINDOW_SECONDS:
            times.popleft()
        times.append(now)
        return len(times) > MOST
