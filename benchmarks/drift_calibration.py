"""Tables for docs/explanation/drift.md: rate of false alarms of whole checks, and power for several shifts.

    PYTHONPATH=.:constructs python -m benchmarks.drift_calibration --part false-alarms|power [--trials N]

`significant`: share of checks with a column whose p value is significant at a false-alarm rate of 1 % (calibrated means at most
1 %). `alarms`: share of checks that also exceed the effect size, at the defaults of model.yaml.
"""

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product

import numpy as np

from jobs.drift.decision import DriftLimits, judge
from model_factory.config.monitoring import Drift
from tests.unit.drift.trials import SHIFTS, Sizes, check, interval, quiet_tables

WORKERS = 2
DEFAULT = DriftLimits.from_settings(Drift().model_dump())
NOMINAL = replace(DEFAULT, false_alarm_rate=0.01)


def false_alarms(arguments: tuple[int, int, int, int, int]) -> tuple[int, int]:
    """Number of checks with a significant column at 1 %, and of checks that alarm at the defaults."""
    reference, window, features, trials, seed = arguments
    rng, sizes = np.random.default_rng([seed, reference, window, features]), Sizes.of(reference, window)
    significant = alarms = 0
    for _ in range(trials):
        report = check(quiet_tables(rng, sizes, features), NOMINAL, window)
        significant += any(column.significant for column in report.columns)
        judge([report], DEFAULT)
        alarms += bool(report.drifted)
    return significant, alarms


def power(arguments: tuple[str, int, int, int, int, int]) -> tuple[int, int, int]:
    """Number of checks in which the shifted column alarms, is significant, and in which another column alarms."""
    name, reference, window, features, trials, seed = arguments
    rng, sizes = np.random.default_rng([seed, reference, window]), Sizes.of(reference, window)
    alarms = significant = wrong = 0
    for _ in range(trials):
        tables = [SHIFTS[name](rng, sizes), *quiet_tables(rng, sizes, features - 1)]
        first, *others = check(tables, DEFAULT, window).columns
        alarms += first.drifted
        significant += first.significant
        wrong += any(column.drifted for column in others)
    return alarms, significant, wrong


def share(hits: int, trials: int) -> str:
    """A share and its 95 % interval."""
    low, high = interval(hits, trials)
    return f"{hits / trials:7.2%} ({low:.2%} to {high:.2%})"


def calibration(pool: ProcessPoolExecutor, cases: list[tuple[int, int, int]], trials: int) -> Iterator[str]:
    """The lines of the table of false alarms."""
    yield f"{'reference':>9} {'window':>9} {'features':>8} {'trials':>6}  {'significant at 1 %':28} {'alarms at the defaults'}"
    started = [(*case, trials, 1) for case in cases]
    for case, (significant, alarms) in zip(cases, pool.map(false_alarms, started), strict=True):
        reference, window, features = case
        yield f"{reference:>9,} {window:>9,} {features:>8} {trials:>6}  {share(significant, trials):28} {share(alarms, trials)}"


def powers(pool: ProcessPoolExecutor, trials: int) -> Iterator[str]:
    """The lines of the table of power."""
    yield f"{'shift in one of 20 columns':26} {'reference':>9} {'window':>9} {'alarms':28} {'reported':28} {'others alarm'}"
    cases = [
        (name, reference, window, 20, trials, 2)
        for name in SHIFTS
        for reference, window in ((10_000, 10_000), (50_000, 10_000), (500_000, 1_000_000))
    ]
    for case, (alarms, significant, wrong) in zip(cases, pool.map(power, cases), strict=True):
        shares = f"{share(alarms, trials):28} {share(significant, trials):28} {wrong}"
        yield f"{case[0]:26} {case[1]:>9,} {case[2]:>9,} {shares}"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["false-alarms", "power"], required=True)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--reference", type=int, nargs="+", default=[10_000, 500_000], help="rows, for false alarms")
    parser.add_argument("--window", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000], help="rows")
    parser.add_argument("--features", type=int, nargs="+", default=[5, 20, 200])
    chosen = parser.parse_args()
    print(f"limits: effect {DEFAULT.effect:g}, false_alarm_rate {DEFAULT.false_alarm_rate:g}\n")
    cases = list(product(chosen.reference, chosen.window, chosen.features))
    with ProcessPoolExecutor(WORKERS) as pool:
        false = chosen.part == "false-alarms"
        for line in calibration(pool, cases, chosen.trials) if false else powers(pool, chosen.trials):
            print(line, flush=True)


if __name__ == "__main__":
    main()
