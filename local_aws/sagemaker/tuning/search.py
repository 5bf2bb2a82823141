"""Search strategies of tuning jobs: which values of the hyperparameters the next training job gets.

Values are strings, as in the API. The same seed and results give the same values. Sources: SageMaker developer guide, "Understand
the hyperparameter tuning strategies available in Amazon SageMaker AI" and "Define Hyperparameter Ranges" (scaling types). AWS
does not publish its Bayesian optimization; here it is optuna's TPE sampler.
"""

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ...json_api import Record

type Values = dict[str, str]

STARTUP = 5
"""Random values before the first that a Bayesian search chooses."""


class SearchError(Exception):
    """The search cannot go on; the message is the tuning job's FailureReason."""


class Search(Protocol):
    """Chooses values. `ask` is called once for each training job, `tell` once for each that has ended, in the order of `ask`."""

    def ask(self) -> Values | None:
        """Values of the next training job; None when there are no more."""
        ...

    def tell(self, objective: float | None) -> None:
        """The result of the oldest training job that has none yet; None for one without objective metric."""
        ...

    def learn(self, values: Mapping[str, str], objective: float) -> None:
        """A result of another tuning job, which a warm start takes into account."""
        ...


@dataclass(frozen=True)
class Range:
    """A range of numbers. `scaling`: Auto, Linear, Logarithmic or ReverseLogarithmic."""

    name: str
    low: float
    high: float
    scaling: str
    whole: bool

    @classmethod
    def of(cls, described: Record, whole: bool) -> "Range":
        """A member of IntegerParameterRanges or ContinuousParameterRanges."""
        low, high = float(described["MinValue"]), float(described["MaxValue"])
        return cls(described["Name"], low, high, described.get("ScalingType", "Auto"), whole)

    def at(self, share: float) -> str:
        """The value that far into the range on its scale; `share` is from 0 to 1."""
        low, high, wide = self.low, self.high, 0.5 if self.whole else 0.0
        match self.scaling:
            case "Logarithmic":
                low, high = max(low - wide, low / 2), high + wide
                value = low * (high / low) ** share
            case "ReverseLogarithmic":
                value = 1 - (1 - low) * ((1 - high) / (1 - low)) ** share
            case _:
                low, high = low - wide, high + wide
                value = low + (high - low) * share
        return self.text(value)

    def text(self, value: float) -> str:
        """A value as the API writes it, within the range."""
        inside = min(max(value, self.low), self.high)
        return str(math.floor(inside + 0.5) if self.whole else float(inside))


def ranges(described: Record) -> tuple[list[Range], dict[str, list[str]]]:
    """ParameterRanges as ranges of numbers, and values by the name of the categorical hyperparameter."""
    numbers = [Range.of(each, whole=True) for each in described.get("IntegerParameterRanges", [])]
    numbers += [Range.of(each, whole=False) for each in described.get("ContinuousParameterRanges", [])]
    return numbers, {each["Name"]: each["Values"] for each in described.get("CategoricalParameterRanges", [])}


def make(strategy: str, described: Record, *, maximize: bool, seed: int | None) -> Search:
    """The search of a strategy in ParameterRanges. Raises SearchError for one that is not supported here."""
    if strategy == "Random":
        return RandomSearch(described, seed)
    if strategy == "Grid":
        return GridSearch(described)
    if strategy == "Bayesian":
        return BayesianSearch(described, maximize=maximize, seed=seed)
    raise SearchError(f"the embedded AWS does not support the strategy {strategy}; use Bayesian, Random or Grid")


class _Unlearned:
    """A search that results do not change."""

    def tell(self, objective: float | None) -> None:
        """Nothing."""

    def learn(self, values: Mapping[str, str], objective: float) -> None:
        """Nothing."""


class RandomSearch(_Unlearned):
    """Independent values, uniform on the scale of each range."""

    def __init__(self, described: Record, seed: int | None) -> None:
        self._numbers, self._categories = ranges(described)
        self._random = random.Random(seed)  # noqa: S311 (not for secrets)

    def ask(self) -> Values | None:
        """Values of the next training job."""
        values = {each.name: each.at(self._random.random()) for each in self._numbers}
        return values | {name: self._random.choice(choices) for name, choices in self._categories.items()}


class GridSearch(_Unlearned):
    """Every combination of categorical values once."""

    def __init__(self, described: Record) -> None:
        categories = ranges(described)[1]
        self._left: Iterator[Values] = (
            dict(zip(categories, combination, strict=True)) for combination in itertools.product(*categories.values())
        )

    def ask(self) -> Values | None:
        """Values of the next training job; None when there are no more."""
        return next(self._left, None)


class BayesianSearch:
    """Values that optuna's TPE sampler proposes; jobs that still run count as bad ones, so that it proposes others."""

    def __init__(self, described: Record, *, maximize: bool, seed: int | None) -> None:
        try:
            import optuna
        except ImportError:
            raise SearchError(
                "the embedded AWS needs optuna for the strategy Bayesian: pip install 'local-aws[tuning]'"
            ) from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna: Any = optuna
        self._numbers, self._categories = ranges(described)
        self._distributions = {each.name: self._distribution(each) for each in self._numbers} | {
            name: optuna.distributions.CategoricalDistribution(values) for name, values in self._categories.items()
        }
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP, constant_liar=True)
        self._study = optuna.create_study(sampler=sampler, direction="maximize" if maximize else "minimize")
        self._asked: list[Any] = []

    def ask(self) -> Values | None:
        """Values of the next training job."""
        trial = self._study.ask(self._distributions)
        self._asked.append(trial)
        numbers = {each.name: each.text(_unscaled(each, trial.params[each.name])) for each in self._numbers}
        return numbers | {name: trial.params[name] for name in self._categories}

    def tell(self, objective: float | None) -> None:
        """The result of the oldest training job that has none yet."""
        trial = self._asked.pop(0)
        if objective is None or not math.isfinite(objective):
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, objective)

    def learn(self, values: Mapping[str, str], objective: float) -> None:
        """A result of another tuning job; one outside of the ranges is left out."""
        if set(values) != set(self._distributions):
            return
        found: dict[str, Any] = {}
        for each in self._numbers:
            if not each.low <= float(values[each.name]) <= each.high:
                return
            value = _unscaled(each, float(values[each.name]))
            found[each.name] = int(value) if each.whole else value
        for name, choices in self._categories.items():
            if values[name] not in choices:
                return
            found[name] = values[name]
        self._study.add_trial(
            self._optuna.trial.create_trial(params=found, distributions=self._distributions, value=objective)
        )

    def _distribution(self, each: Range) -> Any:
        kinds = self._optuna.distributions
        log = each.scaling in ("Logarithmic", "ReverseLogarithmic")
        low, high = sorted((_unscaled(each, each.low), _unscaled(each, each.high)))
        if each.whole:
            return kinds.IntDistribution(int(low), int(high), log=log)
        return kinds.FloatDistribution(low, high, log=log)


def _unscaled(each: Range, value: float) -> float:
    """Between a range and the logarithmic scale of optuna, in both directions: a reverse logarithmic one counts from 1."""
    return 1 - value if each.scaling == "ReverseLogarithmic" else value
