"""The variants of an endpoint: production variants share its requests by weight, a shadow variant gets copies of them."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ...json_api import Record, ServiceError
from ..service import Service
from ..state import State, find
from .fleet import Fleet


@dataclass(frozen=True)
class Variant:
    """A variant and its running fleet."""

    name: str
    fleet: Fleet
    weight: float


class Variants:
    """The running fleets of an endpoint configuration. Raises FleetError when one does not start; then none runs.

    A shadow variant (developer guide, "Testing models with shadow variants") gets copies after the request was answered: its
    weight, against that of the production variant, is the share of requests that are copied. Its answers reach nobody.
    """

    def __init__(self, service: Service, state: State, endpoint: str, config: Record) -> None:
        started: list[Variant] = []
        shadows: list[Record] = config.get("ShadowProductionVariants", [])
        try:
            for described in (*config["ProductionVariants"], *shadows):
                model = find(state.models, described["ModelName"], "model")
                fleet = Fleet(service, state, endpoint, model)
                started.append(Variant(described["VariantName"], fleet, described.get("InitialVariantWeight", 1.0)))
        except Exception:
            for each in started:
                each.fleet.close()
            raise
        self.production = started[: len(config["ProductionVariants"])]
        self.shadow = started[-1] if shadows else None
        self._endpoint = endpoint
        self._copies = ThreadPoolExecutor(1, "shadow") if self.shadow else None

    def __iter__(self) -> Iterator[Variant]:
        return iter([*self.production, *([self.shadow] if self.shadow else [])])

    def choose(self, target: str | None = None) -> Variant:
        """The variant for a request: `target`, or one by weight. Raises ServiceError when no production variant is `target`."""
        if not target:
            return random.choices(self.production, [each.weight for each in self.production])[0]  # noqa: S311 (a sample)
        for each in self.production:
            if each.name == target:
                return each
        raise ServiceError(f"Variant {target} not found for endpoint {self._endpoint}.")

    def copy(self, invoke: Callable[[Variant], Any]) -> None:
        """Send a copy of a request to the shadow variant, if it is in the sample; returns at once."""
        if self.shadow is None or self._copies is None:
            return
        if random.random() < self.shadow.weight / self.production[0].weight:  # noqa: S311 (a sample)
            with suppress(RuntimeError):  # a deployment has ended the copies meanwhile
                self._copies.submit(invoke, self.shadow)

    def drain(self) -> None:
        """Wait until all copies are answered."""
        if self._copies:
            with suppress(RuntimeError, CancelledError):  # a deployment has ended the copies meanwhile
                self._copies.submit(int).result()

    @property
    def alive(self) -> bool:
        """Whether the containers of all production variants run. A shadow variant whose container has ended answers with 500."""
        return all(each.fleet.alive for each in self.production)

    def last_output(self) -> str:
        """The end of what the containers of production variants that have ended have written."""
        return " ".join(each.fleet.last_output() for each in self.production if not each.fleet.alive)

    def retire(self) -> None:
        """End the fleets after their current requests."""
        self._end_copies()
        for each in self:
            each.fleet.retire()

    def close(self) -> None:
        """End the fleets."""
        self._end_copies()
        for each in self:
            each.fleet.close()

    def _end_copies(self) -> None:
        if self._copies:
            self._copies.shutdown(wait=False, cancel_futures=True)
