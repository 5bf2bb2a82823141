"""Tails of the hypergeometric distribution, for Fisher's exact test.

scipy.stats has them, but takes a second to import: twice as long as counting a million rows.
"""

import numpy as np
from scipy import special


def upper_tail(count: int, rows: int, marked: int, drawn: int) -> float:
    """Probability of at least `count` marked rows among `drawn` of `rows`, `marked` of which are marked; `count` above the mean.

    The first term is exp of logarithms of factorials, so its relative error is some 1e-16 of `rows` times their logarithm
    (1e-8 at a million rows). The others follow by their ratio, which falls; after ten standard deviations they are negligible,
    and one is at most the root of `count`.
    """
    if count > min(marked, drawn):
        return 0.0
    last = int(min(marked, drawn, count + 10 * np.sqrt(count) + 100))
    at = np.arange(count, last, dtype="float64")
    ratios = (marked - at) * (drawn - at) / ((at + 1) * (rows - marked - drawn + at + 1))
    first = _log_choose(marked, count) + _log_choose(rows - marked, drawn - count) - _log_choose(rows, drawn)
    return float(np.exp(first) * (1 + np.cumprod(ratios).sum()))


def lower_tail(count: int, rows: int, marked: int, drawn: int) -> float:
    """Probability of at most `count` marked rows; `count` below the mean."""
    return upper_tail(drawn - count, rows, rows - marked, drawn)


def _log_choose(total: int, chosen: int) -> float:
    return float(special.gammaln(total + 1) - special.gammaln(chosen + 1) - special.gammaln(total - chosen + 1))
