"""The gate's comparison on simulated test rows whose truth is known: versions that are equally good, and worse ones.

`python -m benchmarks.gate_trials [trials]`: for each metric and number of rows the share of versions that are not registered,
by the difference alone and by its interval. The versions score with errors of their own beside those that both share, so their
true difference is known: none, the margin, and ten times the margin.
"""

import sys
import time
from dataclasses import dataclass

import numpy as np
from scipy import special

from jobs import metrics
from jobs.evaluation.comparison import compare
from jobs.evaluation.labels import Labels

MARGIN = 0.01
FACTORS = (0, 1, 10)
ROWS = (22, 100, 400, 2_000)
LARGE = 100_000
"""Rows from which a true difference is measured."""


@dataclass(frozen=True)
class Case:
    """A metric, and rows of it: labels and the scores of two versions, the second with `worse` more noise."""

    problem: str
    metric: str
    share: float = 0.3

    def rows(self, rng: np.random.Generator, count: int, worse: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Labels, scores of the new version and of the champion."""
        known, shared, ours, theirs = rng.normal(size=(4, count))
        if self.problem == "regression":
            return known + shared, known + 0.5 * (1 + worse) * ours, known + 0.5 * theirs
        signal = 1.5 * known + special.logit(self.share)
        truth = (rng.random(count) < special.expit(signal)).astype("int64")
        if len(np.unique(truth)) < 2:
            truth[:2] = (0, 1)
        return truth, *(
            special.expit(signal + 0.5 * scale * each) for scale, each in ((1 + worse, ours), (1.0, theirs))
        )

    def labels(self, truth: np.ndarray) -> Labels:
        """As Evaluate has them."""
        return Labels(self.problem, truth, [] if self.problem == "regression" else [0, 1])


CASES = [
    Case("binary_classification", "auc"),
    Case("binary_classification", "auc", share=0.05),
    Case("binary_classification", "accuracy"),
    Case("regression", "rmse"),
]


def noise_for(case: Case, difference: float) -> float:
    """How much more noise makes the new version truly worse by `difference`; by bisection on many rows."""
    if not difference:
        return 0.0
    low, high = 0.0, 30.0
    for _ in range(14):
        middle = (low + high) / 2
        truth, new, champion = case.rows(np.random.default_rng(1), LARGE, middle)
        loss = (
            metrics.values(case.problem, truth, champion)[case.metric]
            - metrics.values(case.problem, truth, new)[case.metric]
        )
        loss = -loss if case.metric in metrics.LESS_IS_BETTER else loss
        low, high = (middle, high) if loss < difference else (low, middle)
    return low


def rejected(case: Case, count: int, worse: float, trials: int) -> tuple[float, float]:
    """Shares of the trials in which the new version is not registered: by the difference alone, and by its interval."""
    alone = by_interval = 0
    for trial in range(trials):
        truth, new, champion = case.rows(np.random.default_rng([trial, count]), count, worse)
        of_new, of_champion = (metrics.bootstrap(case.problem, truth, each, 0) for each in (new, champion))
        advantage = compare(case.metric, of_new, of_champion, case.labels(truth))
        alone += advantage.value < -MARGIN
        by_interval += advantage.high < -MARGIN
    return alone / trials, by_interval / trials


def main(trials: int) -> None:
    """Print one line for each metric and true difference: shares by number of rows."""
    print(f"margin {MARGIN}; not registered by the difference alone / by its interval, {trials} trials at most")
    print(f"{'metric':<24}{'truly worse by':<16}" + "".join(f"{count:>16,}" for count in ROWS), flush=True)
    for case in CASES:
        for factor in FACTORS:
            worse = noise_for(case, factor * MARGIN)
            cells = []
            for count in ROWS:
                alone, by_interval = rejected(case, count, worse, max(50, min(trials, trials * 400 // count)))
                cells.append(f"{alone:>7.1%} / {by_interval:>5.1%}")
            name = f"{case.metric}, {case.share:.0%} positive" if case.problem != "regression" else case.metric
            print(f"{name:<24}{factor * MARGIN:<16g}" + "".join(f"{cell:>16}" for cell in cells), flush=True)
    _time()


def _time(count: int = 1_000_000) -> None:
    case = CASES[0]
    truth, new, champion = case.rows(np.random.default_rng(0), count, 0.0)
    started = time.process_time()
    of_new, of_champion = (metrics.bootstrap(case.problem, truth, each, 0) for each in (new, champion))
    of_both = time.process_time() - started
    started = time.process_time()
    compare(case.metric, of_new, of_champion, case.labels(truth))
    compared = (time.process_time() - started) * 1e3
    print(
        f"1,000,000 rows: metrics of both versions {of_both:.2f} s, the interval of their difference {compared:.1f} ms"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
