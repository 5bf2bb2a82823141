"""Whole drift checks on simulated tables, as counts: thousands of them are cheap, because no row is ever made.

A trial draws what a reference and a window would have counted. Of a numeric column the bins are quantiles of the deciding rows,
so their true shares are spacings of uniform numbers; of a text column they are the categories most frequent among those rows.
The benchmarks measure by the same trials as the tests.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from jobs.drift.decision import ColumnDrift, DriftLimits, DriftReport, effect_size, judge, p_value, share_moved
from jobs.drift.profile import BINS, DECIDING_SHARE, MAX_CATEGORIES, MAX_DECIDING_ROWS

type Shares = np.ndarray
type Table = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Sizes:
    """Rows of the reference that decide bins, that are counted, and rows of the window."""

    deciding: int
    counted: int
    window: int

    @classmethod
    def of(cls, reference: int, window: int) -> "Sizes":
        """As `Builder` splits a reference."""
        deciding = min(MAX_DECIDING_ROWS, int(np.ceil(DECIDING_SHARE * reference)))
        return cls(deciding, reference - deciding, window)


def numeric(rng: np.random.Generator, sizes: Sizes, changed: Callable[[np.ndarray], np.ndarray] | None = None) -> Table:
    """Counts of a continuous column; `changed` maps the distribution function before to the one now."""
    before = np.cumsum(rng.dirichlet(np.full(BINS, sizes.deciding / BINS)))[:-1]
    now = before if changed is None else changed(before)
    return _draw(rng, sizes, np.diff([0.0, *before, 1.0]), np.diff([0.0, *now, 1.0]))


def text(rng: np.random.Generator, sizes: Sizes, before: Shares, now: Shares | None = None) -> Table:
    """Counts of a column with these true shares of its categories."""
    now = before if now is None else now
    order = np.argsort(-rng.multinomial(sizes.deciding, before), kind="stable")[:MAX_CATEGORIES]
    return _draw(rng, sizes, _with_other(before, order), _with_other(now, order))


def with_nulls(rng: np.random.Generator, sizes: Sizes, before: float, now: float) -> Table:
    """Counts of a continuous column, a share of which is missing."""
    bins = rng.dirichlet(np.full(BINS, sizes.deciding / BINS))
    return _draw(rng, sizes, np.append(bins * (1 - before), before), np.append(bins * (1 - now), now))


def _with_other(shares: Shares, kept: np.ndarray) -> Shares:
    return np.append(shares[kept], max(0.0, 1.0 - shares[kept].sum()))


def _draw(rng: np.random.Generator, sizes: Sizes, before: Shares, now: Shares) -> Table:
    old = rng.multinomial(sizes.counted, before / before.sum())
    return old.astype("float64"), rng.multinomial(sizes.window, now / now.sum()).astype("float64")


def zipf(categories: int) -> Shares:
    """Shares that fall as 1/rank."""
    shares = 1.0 / np.arange(1, categories + 1)
    return shares / shares.sum()


QUIET: dict[str, Callable[[np.random.Generator, Sizes], Table]] = {
    "continuous": numeric,
    "ten categories": lambda rng, sizes: text(rng, sizes, zipf(10)),
    "300 equal categories": lambda rng, sizes: text(rng, sizes, np.full(300, 1 / 300)),
    "2,000 categories": lambda rng, sizes: text(rng, sizes, zipf(2000)),
    "rare flag": lambda rng, sizes: text(rng, sizes, np.array([0.999, 0.001])),
    "2 % missing": lambda rng, sizes: with_nulls(rng, sizes, 0.02, 0.02),
    "many rare values": lambda rng, sizes: text(rng, sizes, np.append(0.9, np.full(80, 0.1 / 80))),
}
"""Columns that do not drift, the easy and the hard ones."""

SHIFTS: dict[str, Callable[[np.random.Generator, Sizes], Table]] = {
    "mean by 0.25 sd": lambda rng, sizes: numeric(rng, sizes, lambda f: stats.norm.cdf(stats.norm.ppf(f) - 0.25)),
    "variance +25 %": lambda rng, sizes: numeric(rng, sizes, lambda f: stats.norm.cdf(stats.norm.ppf(f) / 1.25**0.5)),
    "variance -25 %": lambda rng, sizes: numeric(rng, sizes, lambda f: stats.norm.cdf(stats.norm.ppf(f) / 0.75**0.5)),
    "category 50 to 55 %": lambda rng, sizes: text(rng, sizes, np.array([0.5, 0.5]), np.array([0.55, 0.45])),
    "category 20 to 25 %": lambda rng, sizes: text(rng, sizes, *_grown(zipf(30), 0, 0.05)),
    "rare category +5": lambda rng, sizes: text(rng, sizes, *_grown(zipf(300), 40, 0.05)),
    "5 % new nulls": lambda rng, sizes: with_nulls(rng, sizes, 0.0, 0.05),
    "mean by 0.02 sd": lambda rng, sizes: numeric(rng, sizes, lambda f: stats.norm.cdf(stats.norm.ppf(f) - 0.02)),
}
"""What is to be found (and, last, what is to be reported but not to alarm)."""


def _grown(shares: Shares, index: int, points: float) -> tuple[Shares, Shares]:
    now = shares * (1 - points / (1 - shares[index]))
    now[index] = shares[index] + points
    return shares, now


def check(tables: Iterator[Table] | list[Table], limits: DriftLimits, window: int) -> DriftReport:
    """A whole check of such tables."""
    columns = [
        ColumnDrift(str(index), effect_size(old, new), p_value(old, new), share_moved(old, new), moved=[("", 0.0, 0.0)])
        for index, (old, new) in enumerate(tables)
    ]
    report = DriftReport(window, 0, columns)
    judge([report], limits)
    return report


def quiet_tables(rng: np.random.Generator, sizes: Sizes, features: int) -> Iterator[Table]:
    """Tables of a check in which nothing drifts: half of the columns continuous, the others hard ones in turn."""
    kinds = list(QUIET.values())
    for index in range(features):
        yield (numeric if index % 2 == 0 else kinds[1 + (index // 2) % (len(kinds) - 1)])(rng, sizes)


def interval(hits: int, trials: int) -> tuple[float, float]:
    """95 % confidence interval of a share (Clopper and Pearson 1934)."""
    low = 0.0 if hits == 0 else float(stats.beta.ppf(0.025, hits, trials - hits + 1))
    high = 1.0 if hits == trials else float(stats.beta.ppf(0.975, hits + 1, trials - hits))
    return low, high
