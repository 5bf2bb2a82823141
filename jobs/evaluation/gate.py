"""The gate: whether a version may be registered, and the reason in one sentence."""

from dataclasses import asdict, dataclass
from typing import Any

from ..metrics import LESS_IS_BETTER


@dataclass(frozen=True)
class Verdict:
    """`gate` of evaluation.json. `champion_advantage`: how much better the new version is; 0 without a comparison."""

    passed: int
    reason: str
    metric: str
    value: float
    champion_advantage: float

    def to_dict(self) -> dict[str, Any]:
        """For evaluation.json."""
        return asdict(self)


def decide(gate: dict[str, Any], measured: dict[str, Any], champion: dict[str, Any] | None) -> Verdict:
    """Compare the gate's metric with its limit, then with the champion's value on the same rows.

    `gate` is the section of the settings; `measured` the metrics by name; `champion` the section of evaluation.json: None
    before the first version, and its metrics are None when the champion could not score the rows.
    """
    metric = gate["metric"]
    value = measured[metric]["value"]
    champion_value = champion["metrics"][metric]["value"] if champion and champion["metrics"] else None
    advantage = 0.0 if champion_value is None else _advantage(metric, value, champion_value)

    def verdict(passed: int, detail: str) -> Verdict:
        return Verdict(passed, f"{metric} {value:.4f}{detail}", metric, value, advantage)

    if missed := _missed_limit(gate, value):
        return verdict(0, f" is {missed}")
    if champion is None:
        return verdict(1, "; there is no live version yet")
    if champion_value is None:
        return verdict(1, f"; not compared: {champion['reason']}")
    if advantage < -gate["champion_margin"]:
        live = f"the live version {champion['version']} ({champion_value:.4f})"
        return verdict(0, f" is {-advantage:.4f} worse than {live}, more than the margin {gate['champion_margin']:g}")
    return verdict(1, f" against {champion_value:.4f} of the live version {champion['version']} on the same rows")


def _advantage(metric: str, value: float, champion_value: float) -> float:
    return champion_value - value if metric in LESS_IS_BETTER else value - champion_value


def _missed_limit(gate: dict[str, Any], value: float) -> str:
    """How the value misses the gate's limit; empty when it does not."""
    if gate["metric"] in LESS_IS_BETTER:
        return f"above the maximum {gate['maximum']:g}" if value > gate["maximum"] else ""
    return f"below the minimum {gate['minimum']:g}" if value < gate["minimum"] else ""
