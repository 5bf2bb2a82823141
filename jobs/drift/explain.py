"""The likely cause of a drift, in words: an inference from the distributions before and now, with its numbers."""

import numpy as np
import pyarrow as pa

from .arrays import numbers_of
from .column import ColumnProfile
from .decision import ColumnDrift

STEADY = 0.02
"""Largest relative spread of the ratios of quantiles that counts as one factor."""
NULLS_BROKEN, NULLS_MORE, CONSTANT, NEW_SHARE = 0.5, 0.01, 0.99, 0.005
UNITS = {
    12.0: "years to months", 1 / 12: "months to years", 7.0: "weeks to days", 24.0: "days to hours", 60.0: "a factor of 60",
    100.0: "a factor of 100, such as units to cents", 0.01: "a factor of 1/100, such as cents to units",
    1000.0: "a factor of 1,000", 0.001: "a factor of 1/1,000", 1 / 60: "a factor of 1/60", 2.2046: "kilograms to pounds",
    0.4536: "pounds to kilograms", 2.54: "inches to centimetres", 1 / 2.54: "centimetres to inches",
    1.609: "miles to kilometres", 0.6214: "kilometres to miles",
}  # fmt: skip


def quantiles_now(sample: pa.ChunkedArray, count: int = 11) -> list[float]:
    """`count` evenly spaced quantiles of a column of sampled rows; empty when it has no finite value."""
    numbers = numbers_of(sample)
    finite = numbers[np.isfinite(numbers)]
    return np.quantile(finite, np.linspace(0, 1, count)).tolist() if len(finite) else []


def meaning(column: ColumnDrift, before: ColumnProfile, now: ColumnProfile, quantiles: list[float]) -> str:
    """The likely cause of the drift of one column; `quantiles` are those of the current sample."""
    return (
        _broken(before, now)
        or (_unit(before.quantiles, quantiles) if before.numeric else "")
        or _new_values(column, before, now)
        or _nulls(before, now)
        or _population(before, quantiles)
    )


def _broken(before: ColumnProfile, now: ColumnProfile) -> str:
    missing_before, missing_now = _share(before.nulls, before.rows), _share(now.nulls, now.rows)
    if missing_now >= NULLS_BROKEN and missing_now - missing_before >= NULLS_BROKEN / 2:
        missing = f"{missing_now:.0%} of the values are missing, {missing_before:.0%} before"
        return f"broken feed: {missing}; training again will not help"
    if before.numeric and now.finite and now.minimum == now.maximum and before.std > 0:
        return f"broken feed: every value is {now.minimum:g}; training again will not help"
    if not before.numeric and now.present and max(now.counts) >= CONSTANT * now.present:
        top_now = int(np.argmax(now.counts))
        if _share(before.counts[top_now], sum(before.counts)) < NULLS_BROKEN:
            return f"broken feed: nearly every value is {now.label(top_now)}; training again will not help"
    return ""


def _share(part: int, whole: int) -> float:
    """0 of nothing: a column without rows in this run may have drifted over the last days."""
    return part / whole if whole else 0.0


def _unit(before: list[float], now: list[float]) -> str:
    """One factor between all quantiles that are not zero, without minimum and maximum, which are single rows."""
    if len(before) != len(now) or len(before) < 5:
        return ""
    old, new = np.asarray(before[1:-1]), np.asarray(now[1:-1])
    ratio = _one_factor(old, new)
    if ratio is None or 0.8 < ratio < 1.25:
        return ""
    known = [name for factor, name in UNITS.items() if abs(ratio / factor - 1) < STEADY]
    named = f" ({known[0]})" if known else ""
    return f"changed unit: every quantile is {ratio:.4g} times what it was{named}"


def _one_factor(old: np.ndarray, new: np.ndarray) -> float | None:
    if (((old == 0) != (new == 0)) & (np.abs(old - new) > STEADY * np.abs(old).max())).any():
        return None
    both = (old != 0) & (new != 0)
    if both.sum() < 4 or len(np.unique(old[both])) < 3:
        return None
    ratios = new[both] / old[both]
    middle = float(np.median(ratios))
    # Quantiles of a sample vary: a spread of 6 % is still one factor when the factor is far from one.
    steady = np.abs(ratios / middle - 1).max() <= 3 * STEADY if middle else False
    return middle if steady else None


def _new_values(column: ColumnDrift, before: ColumnProfile, now: ColumnProfile) -> str:
    if before.numeric or not now.counts:
        return ""
    grown = _share(now.counts[-1], sum(now.counts)) - _share(before.counts[-1], sum(before.counts))
    if grown < NEW_SHARE or grown < 0.3 * column.share:
        return ""
    return f"new category: {grown:.1%} of the rows have a value that the training did not list"


def _nulls(before: ColumnProfile, now: ColumnProfile) -> str:
    more = _share(now.nulls, now.rows) - _share(before.nulls, before.rows)
    return f"more missing values: {more:+.1%} of the rows" if more >= NULLS_MORE else ""


def _population(before: ColumnProfile, quantiles: list[float]) -> str:
    if not before.numeric or len(before.quantiles) != len(quantiles) or not quantiles:
        return "population change: the mix of the values is another"
    half = len(quantiles) // 2
    return f"population change: the median went from {before.quantiles[half]:.4g} to {quantiles[half]:.4g}"
