"""The section `training.tuning` of model.yaml: which hyperparameters are searched, and how."""

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from . import hyperparameters
from .fields import HyperparameterName, Section

MOST_TRIALS, MOST_PARALLEL, MOST_RANGES = 750, 10, 30
"""Limits of SageMaker. Source: developer guide, "Resource Limits for Automatic Model Tuning"."""
_DEFAULT_TRIALS = 20


class Range(Section):
    """The values of one hyperparameter that are tried."""

    type: Literal["integer", "continuous", "categorical"] = Field(description="Kind of values.")
    minimum: float | None = Field(default=None, description="Smallest number.")
    maximum: float | None = Field(default=None, description="Largest number.")
    scaling: Literal["auto", "linear", "logarithmic", "reverse_logarithmic"] = Field(
        default="auto",
        description="How numbers are searched: `logarithmic` for ranges above 0 that span orders of magnitude, "
        "`reverse_logarithmic` for continuous ranges close to 1.",
    )
    values: list[bool | int | float | str] | None = Field(
        default=None, min_length=1, max_length=30, description="The values of a categorical hyperparameter."
    )

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.type == "categorical":
            self._check_values()
        else:
            self._check_numbers()
        return self

    def _check_values(self) -> None:
        if self.values is None:
            raise ValueError("a categorical range needs `values`")
        if self.minimum is not None or self.maximum is not None or self.scaling != "auto":
            raise ValueError("a categorical range has `values` only; remove minimum, maximum and scaling")
        texts = [hyperparameters.text(value) for value in self.values]
        if twice := [text for text in texts if texts.count(text) > 1]:
            raise ValueError(f"values has {twice[0]} twice")
        if long := [text for text in texts if len(text) > 256]:
            raise ValueError(f"a value has {len(long[0])} characters, SageMaker allows 256")

    def _check_numbers(self) -> None:
        if self.values is not None:
            raise ValueError(f"values is for `type: categorical`; a range of type {self.type} has minimum and maximum")
        low, high = self.minimum, self.maximum
        if low is None or high is None:
            raise ValueError(f"a range of type {self.type} needs `minimum` and `maximum`")
        if not low < high:
            raise ValueError(f"minimum {low:g} is not below maximum {high:g}")
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError("minimum and maximum must be finite numbers")
        if self.type == "integer" and not (low.is_integer() and high.is_integer()):
            raise ValueError("minimum and maximum of an integer range must be whole numbers")
        if self.scaling == "logarithmic" and low <= 0:
            raise ValueError(f"scaling logarithmic needs a minimum above 0; it is {low:g}")
        if self.scaling == "reverse_logarithmic" and (self.type == "integer" or low < 0 or high >= 1):
            raise ValueError("scaling reverse_logarithmic is for continuous ranges within 0 <= x < 1")


class Tuning(Section):
    """The search for good hyperparameters before each training (docs/how-to/tune-a-model.md)."""

    ranges: dict[HyperparameterName, Range] = Field(
        min_length=1, max_length=MOST_RANGES, description="Values to try, by the name of the hyperparameter."
    )
    metric: str | None = Field(
        default=None,
        description="Metric on the validation rows by which the best hyperparameters are chosen. Default: that of the gate.",
    )
    trials: int = Field(
        default=_DEFAULT_TRIALS,
        ge=1,
        le=MOST_TRIALS,
        description="Number of training jobs of a search. A grid has one for each combination of values.",
    )
    parallel: int = Field(
        default=2, ge=1, le=MOST_PARALLEL, description="Number of training jobs that run at the same time."
    )
    strategy: Literal["bayesian", "random", "grid"] = Field(
        default="bayesian", description="How values are chosen. `grid` tries every combination of categorical values."
    )
    early_stopping: bool = Field(
        default=False,
        description="Stop a training job that is worse than the median of the others after as many epochs. `train` must print "
        "its metric after each epoch.",
    )
    seed: int | None = Field(
        default=None, ge=0, le=2**31 - 1, description="Seed of the search. Default: `training.seed`."
    )

    @model_validator(mode="after")
    def _trials_fit_together(self) -> Self:
        if self.strategy == "grid":
            self._check_grid()
        if self.parallel > self.jobs:
            raise ValueError(f"parallel {self.parallel} is more than the {self.jobs} trials; lower it")
        return self

    def _check_grid(self) -> None:
        numbers = [name for name, each in self.ranges.items() if each.type != "categorical"]
        if numbers:
            raise ValueError(
                f"strategy grid is for categorical ranges only; give {numbers[0]} `type: categorical` with values"
            )
        if self.jobs > MOST_TRIALS:
            raise ValueError(f"the grid has {self.jobs} combinations; SageMaker runs at most {MOST_TRIALS} trials")
        if "trials" in self.model_fields_set and self.trials != self.jobs:
            raise ValueError(f"the grid has {self.jobs} combinations; remove trials")

    @property
    def jobs(self) -> int:
        """Number of training jobs of a search."""
        if self.strategy != "grid":
            return self.trials
        return math.prod(len(each.values or []) for each in self.ranges.values())
