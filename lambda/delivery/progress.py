"""Progress of the retrain action: the state of every model in this delivery, and the next trainings. Pure: no AWS here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from outcome import Succeeded

REQUEST_INTERVAL_SECONDS = 60
"""Time before a training is requested again. Requests during a training wait for its end, as one."""


@dataclass
class Progress:
    """The models of an environment by their state in this delivery.

    Names, except `failed` (reasons by name), and `to_promote` and `to_train` (the models' settings by name). `leftovers` are
    deployed, but not in the delivered commit, and nothing is done with them.
    """

    unchanged: list[str] = field(default_factory=list[str])
    without_data: list[str] = field(default_factory=list[str])
    running: list[str] = field(default_factory=list[str])
    trained: list[str] = field(default_factory=list[str])
    promoted: list[str] = field(default_factory=list[str])
    leftovers: list[str] = field(default_factory=list[str])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    to_promote: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    to_train: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    @property
    def finished(self) -> bool:
        """Whether no training or promotion is running or outstanding."""
        return not (self.running or self.to_train or self.to_promote)

    @property
    def failure(self) -> str | None:
        """The failed models and their reasons; None while trainings are still running, or when none failed."""
        if self.running or not self.failed:
            return None
        return "; ".join(f"model {model}: {reason}" for model, reason in self.failed.items())

    def result(self) -> Succeeded:
        """The outcome when all trainings and promotions have succeeded."""
        variables = {"trained": self.trained, "promoted": self.promoted, "leftovers": self.leftovers}
        return Succeeded(self.summary(), {name: ",".join(models) or "none" for name, models in variables.items()})

    def to_request(self, requested: Mapping[str, int], parallel: int, now: float) -> list[str]:
        """The models whose training to request now; none after a failure.

        `requested`: times of earlier requests by model, in seconds since 1970, as is `now`. `parallel`: limit of running ones.
        """
        if self.failed:
            return []
        next_models = list(self.to_train)[: max(parallel - len(self.running), 0)]
        return [name for name in next_models if now - requested.get(name, 0) > REQUEST_INTERVAL_SECONDS]

    def summary(self) -> str:
        """The models by state, in one line."""
        states = {
            "trained": self.trained,
            "promoted": self.promoted,
            "to be promoted": self.to_promote,
            "training": self.running,
            "waiting": self.to_train,
            "no data yet": self.without_data,
            "not in this commit": self.leftovers,
        }
        parts = [f"{state}: {', '.join(models)}" for state, models in states.items() if models]
        return "; ".join([*parts, f"unchanged: {len(self.unchanged)}"])
