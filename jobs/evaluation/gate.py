"""The gate: whether a version may be registered, and the reason in one sentence."""

from dataclasses import asdict, dataclass
from typing import Any

from ..metrics import LESS_IS_BETTER
from .comparison import Advantage

SEEN_DIFFERENCE = 0.05
"""Test rows are too few when their interval is wider than this to each side; for metrics without a bound, times the value."""
UNBOUNDED = {"log_loss", "rmse", "mae"}
LONGEST_MEASURED = 200
"""Characters of a version's description, which has trigger and reason before them; SageMaker allows 1,024."""


@dataclass(frozen=True)
class Verdict:
    """`gate` of evaluation.json.

    `champion_advantage` is what the condition step compares with the margin: how much better the new version can be, by the
    better end of the interval; 0 without a comparison. `measured` is part of the registered version's description.
    """

    passed: int
    reason: str
    metric: str
    value: float
    champion_advantage: float
    measured: str
    too_few_rows: bool

    def to_dict(self) -> dict[str, Any]:
        """For evaluation.json."""
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """The comparison with the champion: its version, its value on the same rows, and how much better the new version is.

    `advantage` and `value` are None when the champion could not be measured; `reason` says why.
    """

    version: int
    value: float | None = None
    advantage: Advantage | None = None
    reason: str = ""


def decide(gate: dict[str, Any], measured: dict[str, Any], rows: int, champion: Comparison | None) -> Verdict:
    """Compare the gate's metric with its limit, then the difference to the champion's value on the same rows with the margin.

    A version is worse only when the whole interval of the difference is beyond the margin: on a few rows the better of two
    versions has the smaller value every other time. `gate` is the section of the settings; `measured` the metrics by name, with
    value, low and high, on so many `rows`; `champion` is None before the first version.
    """
    metric = gate["metric"]
    value, width = measured[metric]["value"], (measured[metric]["high"] - measured[metric]["low"]) / 2
    advantage = champion.advantage if champion else None
    if advantage:
        width = max(width, (advantage.high - advantage.low) / 2)
    few = not width <= SEEN_DIFFERENCE * (abs(value) if metric in UNBOUNDED else 1.0)
    told = f"{metric} {value:.4f} on {rows} test rows"
    if few:
        told += f", too few to see a difference of {SEEN_DIFFERENCE:.0%}: the interval is {width:.4f} to each side"

    def verdict(passed: int, detail: str) -> Verdict:
        better_end = advantage.high if advantage else 0.0
        return Verdict(
            passed,
            f"{metric} {value:.4f}{detail}{_note(few, rows)}",
            metric,
            value,
            better_end,
            told[:LONGEST_MEASURED],
            few,
        )

    if missed := _missed_limit(gate, value):
        return verdict(0, f" is {missed}")
    if champion is None:
        return verdict(1, "; there is no live version yet")
    if advantage is None:
        return verdict(1, f"; not compared: {champion.reason}")
    live, margin = f"the live version {champion.version}", gate["champion_margin"]
    interval = f"({-advantage.high:.4f} to {-advantage.low:.4f})"
    if advantage.high < -margin:
        worse = f"{-advantage.value:.4f} {interval} worse than {live} ({champion.value:.4f})"
        return verdict(0, f" is {worse}, more than the margin {margin:g}")
    if advantage.value < -margin:
        return verdict(
            1, f" is {-advantage.value:.4f} {interval} worse than {live} ({champion.value:.4f}), which may be chance"
        )
    return verdict(1, f" against {champion.value:.4f} of {live} on the same rows")


def _note(few: bool, rows: int) -> str:
    return f"; {rows} test rows are too few to see a difference of {SEEN_DIFFERENCE:.0%}" if few else ""


def _missed_limit(gate: dict[str, Any], value: float) -> str:
    """How the value misses the gate's limit; empty when it does not."""
    if gate["metric"] in LESS_IS_BETTER:
        return f"above the maximum {gate['maximum']:g}" if value > gate["maximum"] else ""
    return f"below the minimum {gate['minimum']:g}" if value < gate["minimum"] else ""
