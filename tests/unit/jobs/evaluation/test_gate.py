"""The gate: limits, the comparison with the champion, and the reason in one sentence."""

import pytest

from jobs.evaluation.gate import decide

GATE = {"metric": "auc", "minimum": 0.7, "maximum": None, "champion_margin": 0.01}
LESS = {"metric": "rmse", "minimum": None, "maximum": 2.0, "champion_margin": 0.1}


def champion_of(metric: str, value: float) -> dict:
    return {"version": 3, "metrics": {metric: {"value": value}}}


@pytest.mark.parametrize(
    ("gate", "value", "champion", "passed", "advantage", "reason"),
    [
        (GATE, 0.69, None, 0, 0.0, "auc 0.6900 is below the minimum 0.7"),
        (GATE, 0.8, None, 1, 0.0, "auc 0.8000; there is no live version yet"),
        (GATE, 0.8, champion_of("auc", 0.805), 1, -0.005, "auc 0.8000 against 0.8050 of the live version 3 on the same rows"),
        (GATE, 0.9, champion_of("auc", 0.8), 1, 0.1, "auc 0.9000 against 0.8000 of the live version 3 on the same rows"),
        (GATE, 0.8, champion_of("auc", 0.9), 0, -0.1,
         "auc 0.8000 is 0.1000 worse than the live version 3 (0.9000), more than the margin 0.01"),
        (GATE, 0.8, {"version": 3, "metrics": None, "reason": "the live version 3 cannot score"}, 1, 0.0,
         "auc 0.8000; not compared: the live version 3 cannot score"),
        (LESS, 2.5, None, 0, 0.0, "rmse 2.5000 is above the maximum 2"),
        (LESS, 1.5, champion_of("rmse", 1.0), 0, -0.5,
         "rmse 1.5000 is 0.5000 worse than the live version 3 (1.0000), more than the margin 0.1"),
        (LESS, 1.0, champion_of("rmse", 1.5), 1, 0.5, "rmse 1.0000 against 1.5000 of the live version 3 on the same rows"),
    ],
)  # fmt: skip
def test_verdict_and_its_reason(gate, value, champion, passed, advantage, reason):
    verdict = decide(gate, {gate["metric"]: {"value": value}}, champion)
    assert verdict.to_dict() == {
        "passed": passed,
        "reason": reason,
        "metric": gate["metric"],
        "value": value,
        "champion_advantage": pytest.approx(advantage),
    }
