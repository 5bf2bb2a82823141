"""Tables for docs/explanation/drift.md: several days tested together (slow drift), and whole rows (joint drift).

    PYTHONPATH=.:constructs python -m benchmarks.drift_days --part slow|joint [--trials N]

Slow: series of 32 days, with the monitor's code. 'significant at 1 %': the check on the last day, over all five windows and
columns (calibrated means at most 1 %); an alarm also exceeds the effect size, at slow drift's share of the default rate.
Series with a shift are checked every day. Joint: generated rows of five correlated columns.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
from scipy import stats

from benchmarks.drift_calibration import DEFAULT, NOMINAL, WORKERS, share
from jobs.drift.column import ColumnProfile
from jobs.drift.decision import DriftLimits, compare
from jobs.drift.history import History, slow_drift
from jobs.drift.joint import joint_drift
from jobs.drift.profile import Profile
from jobs.monitoring.check import JOINT, SLOW, TODAY
from tests.unit.drift.trials import Sizes, Table, numeric, quiet_tables

DAYS = 32
SLOW_DEFAULT = replace(DEFAULT, false_alarm_rate=DEFAULT.false_alarm_rate * SLOW)
JOINT_DEFAULT = replace(DEFAULT, false_alarm_rate=DEFAULT.false_alarm_rate * JOINT)


def shifted(rng: np.random.Generator, sizes: Sizes, by: float) -> Table:
    """A continuous column whose mean shifts by `by` standard deviations."""
    return numeric(rng, sizes, lambda f: stats.norm.cdf(stats.norm.ppf(f) - by))


def series(
    rng: np.random.Generator, reference: int, rows: int, features: int, by: float
) -> tuple[Profile, list[Profile]]:
    """A reference and 32 days of `rows` rows; the first column's mean is shifted by `by` on all days.

    The counts of all days are drawn together and then divided: given their sum, the days' counts are multivariate hypergeometric.
    """
    sizes = Sizes.of(reference, DAYS * rows)
    tables = [shifted(rng, sizes, by), *quiet_tables(rng, sizes, features - 1)]
    before, days = Profile(reference, {}), [Profile(rows, {}) for _ in range(DAYS)]
    for index, (old, new) in enumerate(tables):
        edges = [float(edge) for edge in range(len(old) - 1)]
        before.columns[str(index)] = ColumnProfile("number", reference, edges=edges, counts=old.astype(int).tolist())
        remaining = new.astype("int64")
        for day in days:
            counts = rng.multivariate_hypergeometric(remaining, rows)
            remaining = remaining - counts
            day.columns[str(index)] = ColumnProfile("number", rows, edges=edges, counts=counts.tolist())
    return before, days


def drifted_columns(
    before: Profile, days: list[Profile], limits: DriftLimits, every_day: bool = True
) -> list[set[str]]:
    """Columns with slow drift, for each day or for the last day only."""
    history, named = History(1), []
    for number, day in enumerate(days, 1):
        history.add(f"2026-{number:04d}", day)
        if every_day or number == len(days):
            named.append({column.name for column in slow_drift(history, before, limits).drifted})
    return named


def unshifted_series(case: tuple[int, int, int], seed: int) -> tuple[bool, bool]:
    """For a series without a shift: whether the last day is significant at 1 %, and whether it alarms at the defaults."""
    before, days = series(np.random.default_rng([seed, *case]), *case, 0.0)
    (significant,) = drifted_columns(before, days, replace(NOMINAL, effect=-1.0), every_day=False)
    # Only a significant series can alarm.
    return bool(significant), bool(significant and drifted_columns(before, days, SLOW_DEFAULT, every_day=False)[0])


def shifted_series(case: tuple[int, int, int, float], seed: int) -> tuple[int, bool, bool]:
    """For a series with a shift: the first day with slow drift of the column (0: none), drift on a single day, other columns."""
    reference, rows, features, by = case
    before, days = series(np.random.default_rng([seed, 7, reference, rows]), reference, rows, features, by)
    named = drifted_columns(before, days, SLOW_DEFAULT)
    alone = False
    for day in days:
        column = compare("0", before.columns["0"], day.columns["0"])
        alone |= column.p_value <= DEFAULT.false_alarm_rate * TODAY / features and column.effect >= DEFAULT.effect
    first = next((number for number, found in enumerate(named, 1) if "0" in found), 0)
    return first, alone, any(found - {"0"} for found in named)


UNSHIFTED_SERIES = (
    (10_000, 1_000, 5),
    (10_000, 10_000, 5),
    (400_000, 10_000, 5),
    (10_000, 1_000, 20),
    (400_000, 10_000, 20),
)
SHIFTED_SERIES = ((0.0, 1_000), (0.02, 10_000), (0.05, 1_000), (0.05, 10_000), (0.1, 300), (0.1, 1_000))


def slow(pool: ProcessPoolExecutor, trials: int) -> None:
    """Print both tables of slow drift."""
    head = f"{'reference':>9} {'rows/day':>8} {'features':>8} {'series':>6}"
    print(f"{head}  {'significant at 1 %':28} alarms at the defaults", flush=True)
    for case in UNSHIFTED_SERIES:
        results = list(pool.map(partial(unshifted_series, case), range(trials), chunksize=8))
        significant, alarms = (share(sum(each), trials) for each in zip(*results, strict=True))
        print(f"{case[0]:>9,} {case[1]:>8,} {case[2]:>8} {trials:>6}  {significant:28} {alarms}", flush=True)
    head = f"{'shift':>8} {'rows/day':>8} {'series':>6}"
    print(f"\n{head}  {'found within 32 days':28} {'median day':>10}  {'by a single day':28} others alarm", flush=True)
    count = max(20, trials // 10)
    for by, rows in SHIFTED_SERIES:
        results = list(pool.map(partial(shifted_series, (100_000, rows, 5, by)), range(count), chunksize=4))
        found = sorted(first for first, _, _ in results if first)
        median = str(found[len(found) // 2]) if found else "-"
        alone, others = sum(alone for _, alone, _ in results), sum(other for *_, other in results)
        line = f"{by:>5} sd {rows:>8,} {count:>6}  {share(len(found), count):28} {median:>10}"
        print(f"{line}  {share(alone, count):28} {others}", flush=True)


def correlated(rng: np.random.Generator, rows: int, correlation: float) -> pa.Table:
    """Five columns; the first two have this correlation, the fourth depends on the third."""
    x, noise, z = (rng.normal(size=rows) for _ in range(3))
    y = correlation * x + np.sqrt(1 - correlation**2) * noise
    words = np.array(["low", "middle", "high"], dtype=object)[np.digitize(z + rng.normal(size=rows), [-1, 1])]
    return pa.table(
        {"x": x, "y": y, "z": z, "c": pa.array(words, pa.string()), "n": rng.integers(0, 50, rows).astype(float)}
    )


TYPES = {"x": "number", "y": "number", "z": "number", "c": "string", "n": "number"}


def joint_trial(case: tuple[int, float], seed: int) -> tuple[float, bool]:
    """The p value of one check, and whether it alarms at the defaults."""
    rows, now = case
    rng = np.random.default_rng([seed, rows, round(100 * now)])
    found = joint_drift(correlated(rng, rows, 0.8), correlated(rng, rows, now), TYPES, JOINT_DEFAULT, seed)
    return found.p_value, found.drifted


def joint(pool: ProcessPoolExecutor, trials: int) -> None:
    """Print the table of joint drift."""
    print(
        f"{'correlation':14} {'rows':>6} {'trials':>6}  {'p at most 1 %':28} {'p at most 5 %':28} alarms at the defaults"
    )
    for rows, now, part in (
        (1_000, 0.8, 1.0),
        (5_000, 0.8, 0.5),
        (1_000, 0.5, 0.1),
        (5_000, 0.6, 0.1),
        (5_000, 0.0, 0.1),
    ):
        count = max(20, int(trials * part))
        results = list(pool.map(partial(joint_trial, (rows, now)), range(count), chunksize=4))
        shares = [share(sum(p <= rate for p, _ in results), count) for rate in (0.01, 0.05)]
        alarms = share(sum(drifted for _, drifted in results), count)
        print(f"{f'0.8, now {now:g}':14} {rows:>6,} {count:>6}  {shares[0]:28} {shares[1]:28} {alarms}", flush=True)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["slow", "joint"], required=True)
    parser.add_argument("--trials", type=int, default=1000)
    chosen = parser.parse_args()
    with ProcessPoolExecutor(WORKERS) as pool:
        (slow if chosen.part == "slow" else joint)(pool, chosen.trials)


if __name__ == "__main__":
    main()
