"""The gate: limits, the comparison with the champion, and the reason in one sentence."""

import pytest

from jobs.evaluation.comparison import Advantage
from jobs.evaluation.gate import Comparison, decide

GATE = {"metric": "auc", "minimum": 0.7, "maximum": None, "champion_margin": 0.01}
LESS = {"metric": "rmse", "minimum": None, "maximum": 2.0, "champion_margin": 0.1}
LOSS = {"metric": "log_loss", "minimum": None, "maximum": 9.0, "champion_margin": 0.1}


def live(value: float, *advantage: float) -> Comparison:
    return Comparison(3, value, Advantage(*advantage))


def measured(gate: dict, value: float, width: float = 0.01) -> dict:
    return {gate["metric"]: {"value": value, "low": value - width, "high": value + width}}


@pytest.mark.parametrize(
    ("gate", "value", "champion", "passed", "advantage", "reason"),
    [
        (GATE, 0.69, None, 0, 0.0, "auc 0.6900 is below the minimum 0.7"),
        (GATE, 0.7, None, 1, 0.0, "auc 0.7000; there is no live version yet"),
        (GATE, 0.69, live(0.6, 0.09, 0.08, 0.1), 0, 0.1, "auc 0.6900 is below the minimum 0.7"),
        (GATE, 0.8, live(0.805, -0.005, -0.009, -0.001), 1, -0.001,
         "auc 0.8000 against 0.8050 of the live version 3 on the same rows"),
        (GATE, 0.9, live(0.8, 0.1, 0.09, 0.11), 1, 0.11, "auc 0.9000 against 0.8000 of the live version 3 on the same rows"),
        (GATE, 0.8, live(0.9, -0.1, -0.12, -0.08), 0, -0.08,
         "auc 0.8000 is 0.1000 (0.0800 to 0.1200) worse than the live version 3 (0.9000), more than the margin 0.01"),
        (GATE, 0.8, live(0.82, -0.02, -0.03, -0.01), 1, -0.01,
         "auc 0.8000 is 0.0200 (0.0100 to 0.0300) worse than the live version 3 (0.8200), which may be chance"),
        (GATE, 0.8, live(0.81, -0.01, -0.02, 0.0), 1, 0.0, "auc 0.8000 against 0.8100 of the live version 3 on the same rows"),
        (GATE, 0.8, Comparison(3, reason="the live version 3 cannot score"), 1, 0.0,
         "auc 0.8000; not compared: the live version 3 cannot score"),
        (LESS, 2.5, None, 0, 0.0, "rmse 2.5000 is above the maximum 2"),
        (LESS, 2.0, None, 1, 0.0, "rmse 2.0000; there is no live version yet"),
        (LESS, 1.5, live(1.0, -0.5, -0.52, -0.48), 0, -0.48,
         "rmse 1.5000 is 0.5000 (0.4800 to 0.5200) worse than the live version 3 (1.0000), more than the margin 0.1"),
        (LESS, 1.0, live(1.5, 0.5, 0.49, 0.51), 1, 0.51, "rmse 1.0000 against 1.5000 of the live version 3 on the same rows"),
    ],
)  # fmt: skip
def test_verdict_and_its_reason(gate, value, champion, passed, advantage, reason):
    verdict = decide(gate, measured(gate, value), 5_000, champion)
    assert verdict.to_dict() == {
        "passed": passed,
        "reason": reason,
        "metric": gate["metric"],
        "value": value,
        "champion_advantage": pytest.approx(advantage),
        "measured": f"{gate['metric']} {value:.4f} on 5000 test rows",
        "too_few_rows": False,
    }
    # As the condition step of the pipeline compares them.
    passes_limit = value >= 0.7 if gate is GATE else value <= 2.0
    assert passed == (passes_limit and verdict.champion_advantage >= -gate["champion_margin"])


@pytest.mark.parametrize(
    ("gate", "value", "width", "champion", "is_few"),
    [
        (GATE, 0.8, 0.049, None, False),
        (GATE, 0.8, 0.051, None, True),
        (GATE, 0.8, float("nan"), None, True),
        (GATE, 0.8, 0.01, live(0.8, 0.0, -0.049, 0.049), False),
        (GATE, 0.8, 0.01, live(0.8, 0.0, -0.051, 0.051), True),
        (GATE, 0.8, 0.051, live(0.8, 0.0, -0.01, 0.01), True),
        (LESS, 1.0, 0.049, None, False),
        (LESS, 1.0, 0.051, None, True),
        (LESS, 0.1, 0.01, None, True),
        (LOSS, 2.0, 0.09, None, False),
    ],
)
def test_too_few_rows_are_said(gate, value, width, champion, is_few):
    verdict = decide(gate, measured(gate, value, width), 22, champion)
    assert verdict.too_few_rows == is_few
    assert ("; 22 test rows are too few to see a difference of 5%" in verdict.reason) == is_few
    assert ("on 22 test rows, too few to see a difference of 5%: the interval is" in verdict.measured) == is_few
    assert verdict.passed == 1


def test_difference_of_five_percent_is_seen():
    bounds = {"low": 0.0, "high": 0.1}
    assert not decide(GATE, {"auc": bounds | {"value": 0.8}}, 22, None).too_few_rows
    assert not decide(LESS, {"rmse": bounds | {"value": 1.0}}, 22, None).too_few_rows


def test_width_of_the_wider_interval_is_said():
    said = decide(GATE, measured(GATE, 0.8, 0.01), 22, live(0.8, 0.0, -0.2, 0.2)).measured
    assert said == "auc 0.8000 on 22 test rows, too few to see a difference of 5%: the interval is 0.2000 to each side"


def test_description_stays_within_its_200_characters():
    assert len(decide(LESS, measured(LESS, 1e300), 22, None).measured) == 200
