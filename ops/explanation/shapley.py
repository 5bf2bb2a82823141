"""Shapley values of raw columns for one prediction, from scores alone: exact where that is possible, else sampled.

The game (Shapley 1953; interventional value function, Janzing et al. 2020): a coalition of columns takes its values from the
explained record and all others from a background record, and its value is the score of that row, averaged over the background.
The scores are the artifact's own, through features() and predict(), so contributions are to the score itself and to columns
that a person knows. Nothing here calls AWS or loads a model.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

MAX_ROWS = 400_000
"""Rows that are scored for one explanation; fewer of wide tables, so that they have at most MAX_CELLS values."""
MAX_CELLS = 40_000_000
MAX_BACKGROUND, MIN_BACKGROUND = 200, 50
"""Background records; fewer than the smaller number are no background, so then contributions are sampled."""
SAMPLED_BACKGROUND, MIN_PAIRS, MAX_PAIRS = 100, 2, 20


type Scale = Literal["score", "log-odds", "raw score"]


@dataclass(frozen=True)
class Contributions:
    """Contributions of the columns; they add up to `score` - `base`.

    `error`: standard error by the sampled permutations, 0 where exact. `background_error`: standard error by the choice of the
    background records, both one for each column. `base`: mean score of the `background` records. `scale`: what both are: the
    score, or, of a boosted classifier, the log-odds or the raw score of the class that the score, a probability, follows from.
    """

    method: Literal["exact", "sampled"]
    values: np.ndarray
    error: np.ndarray
    background_error: np.ndarray
    score: float
    base: float
    background: int
    scale: Scale = "score"


@dataclass(frozen=True)
class Plan:
    """The rows to score: row i takes the columns of `explained[i]` from the record, the others from `background[i]`.

    `columns`: of each background record that is used, the columns in which it differs from the record; only these contribute.
    """

    method: Literal["exact", "sampled"]
    background: np.ndarray
    explained: np.ndarray
    columns: list[np.ndarray]
    orders: list[np.ndarray]
    names: int

    def contributions(self, scores: np.ndarray) -> Contributions:
        """From the scores of the rows, one each."""
        each = np.zeros((len(self.columns), self.names))
        variance = np.zeros_like(each)
        ends = np.zeros((len(self.columns), 2))
        start = 0
        for number, columns in enumerate(self.columns):
            if self.method == "exact":
                values = scores[start : start + 2 ** len(columns)]
                each[number, columns] = _exact(values)
                ends[number] = values[0], values[-1]
                start += len(values)
            else:
                size = self.orders[number].shape[0] * (len(columns) + 1)
                values = scores[start : start + size].reshape(-1, len(columns) + 1)
                each[number, columns], variance[number, columns] = _sampled(values, self.orders[number])
                ends[number] = values[0, 0], values[0, -1]
                start += size
        count = len(self.columns)
        spread = each.std(axis=0, ddof=1) / math.sqrt(count) if count > 1 else np.zeros(self.names)
        error = np.sqrt(variance.sum(axis=0)) / count
        return Contributions(
            self.method, each.mean(axis=0), error, spread, float(ends[0, 1]), float(ends[:, 0].mean()), count
        )


def plan(differs: np.ndarray, max_rows: int = MAX_ROWS, seed: int = 0) -> Plan:
    """What to score. `differs` (background records x columns): whether a record's value is another one than the explained.

    Exact: all coalitions of the columns that differ, 2^n of n for each background record, as long as there are enough of these
    within `max_rows`. Sampled: pairs of a permutation and its reverse (antithetic), at least two pairs for each record.
    """
    max_rows = min(max_rows, MAX_CELLS // max(1, differs.shape[1]))
    count = differs.sum(axis=1)
    rows = np.cumsum(2.0 ** np.minimum(count, 60))
    fits = int(np.searchsorted(rows, max_rows, side="right"))
    if fits >= min(MIN_BACKGROUND, len(differs)):
        return _exact_plan(differs[: min(fits, MAX_BACKGROUND)])
    smallest = 2 * MIN_PAIRS * (int(count.max(initial=0)) + 1)
    records = max(2, min(SAMPLED_BACKGROUND, max_rows // smallest))
    return _sampled_plan(differs[:records], max_rows, np.random.default_rng(seed))


def _exact_plan(differs: np.ndarray) -> Plan:
    columns = [np.flatnonzero(row) for row in differs]
    masks, background = [], []
    for number, chosen in enumerate(columns):
        mask = np.zeros((2 ** len(chosen), differs.shape[1]), bool)
        mask[:, chosen] = np.arange(len(mask))[:, None] >> np.arange(len(chosen)) & 1
        masks.append(mask)
        background.append(np.full(len(mask), number))
    return Plan("exact", np.concatenate(background), np.concatenate(masks), columns, [], differs.shape[1])


def _sampled_plan(differs: np.ndarray, max_rows: int, generator: np.random.Generator) -> Plan:
    columns = [np.flatnonzero(row) for row in differs]
    pair = 2 * sum(len(chosen) + 1 for chosen in columns)
    pairs = int(np.clip(max_rows // pair, MIN_PAIRS, MAX_PAIRS))
    masks, background, orders = [], [], []
    for number, chosen in enumerate(columns):
        drawn = np.argsort(generator.random((pairs, len(chosen))), axis=1)
        order = np.stack([drawn, drawn[:, ::-1]], axis=1).reshape(2 * pairs, len(chosen))
        rank = np.argsort(order, axis=1)
        mask = np.zeros((2 * pairs, len(chosen) + 1, differs.shape[1]), bool)
        mask[:, :, chosen] = rank[:, None, :] < np.arange(len(chosen) + 1)[None, :, None]
        masks.append(mask.reshape(-1, differs.shape[1]))
        background.append(np.full(len(masks[-1]), number))
        orders.append(order)
    return Plan("sampled", np.concatenate(background), np.concatenate(masks), columns, orders, differs.shape[1])


def _exact(values: np.ndarray) -> np.ndarray:
    """Shapley values of n players from the values of all 2^n coalitions; bit i of an index says whether player i is in it."""
    players = len(values).bit_length() - 1
    index = np.arange(len(values))
    size = sum((index >> bit & 1) for bit in range(players)) if players else index
    weights = [math.factorial(s) * math.factorial(players - s - 1) / math.factorial(players) for s in range(players)]
    result = np.zeros(players)
    for bit in range(players):
        without = index[(index >> bit & 1) == 0]
        gained = values[without | 1 << bit] - values[without]
        result[bit] = (np.asarray(weights)[np.asarray(size)[without]] * gained).sum()
    return result


def _sampled(values: np.ndarray, orders: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the mean, over pairs of permutations, of what each player adds."""
    gained = np.zeros(orders.shape)
    np.put_along_axis(gained, orders, np.diff(values, axis=1), axis=1)
    pairs = gained.reshape(-1, 2, orders.shape[1]).mean(axis=1)
    return pairs.mean(axis=0), pairs.var(axis=0, ddof=1) / len(pairs)
