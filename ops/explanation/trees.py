"""Exact Shapley values of a sum of trees, from the trees themselves, for any number of columns.

The score is the sum itself, or follows from it: boosted classifiers sum up log-odds (with more than two classes a raw score for
each), and a probability is no sum. Then the values are those of the sum, as SHAP's TreeExplainer has them by default.

A leaf is reached by a coalition if each column of its path leads to it: by the value of the record for columns in the coalition,
by that of the background record for the others. So a leaf needs some columns in the coalition (a of them) and others not in it
(b), and its Shapley values have a closed form: value / ((a + b) * binomial(a + b - 1, a - 1)) for the former and less
value / ((a + b) * binomial(a + b - 1, a)) for the latter (interventional TreeSHAP, Lundberg et al. 2020, with one background
record at a time). Whether these are the trees of the score is not assumed: scores of sampled coalitions are compared with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from .shapley import Contributions, Plan, Scale


def _softmax(sums: np.ndarray) -> np.ndarray:
    raised = np.exp(sums - sums.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


_LINKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda sums: sums,
    "logistic": lambda sums: 1 / (1 + np.exp(-sums)),
    "softmax": _softmax,
}
"""Scores from the sums (rows x outputs), by the links of tree_process.py."""
_SCALES: dict[str, Scale] = {"identity": "score", "logistic": "log-odds", "softmax": "raw score"}
TOLERANCE = 1e-9
COMPARED = 2_000
"""Coalitions whose scores by the trees are compared with the artifact's."""
MAX_LEAVES = 100_000
"""More take minutes."""


@dataclass(frozen=True)
class Tree:
    """A tree. Node 0 is its root, and a leaf has no children: -1. `goes_left` is (rows x nodes); the last row is the record."""

    feature: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    goes_left: np.ndarray


def exact(
    arrays: Mapping[str, np.ndarray], names: Sequence[str], plan: Plan, scores: np.ndarray
) -> Contributions | None:
    """Exact contributions to the sum; None when the score does not follow from the trees, or there are too many.

    `arrays`: from tree_process.py, of the background records of `plan` and then the record. `names`: raw columns. `scores`: those
    of the rows of `plan`.
    """
    features = [str(each) for each in arrays["names"]]
    if not set(features) <= set(names):
        return None
    at = np.array([list(names).index(each) for each in features])
    trees = [
        Tree(
            at[arrays[f"feature{number}"]],
            *(arrays[f"{name}{number}"] for name in ("left", "right", "value", "goes_left")),
        )
        for number in range(int(arrays["trees"]))
    ]
    output, link = int(arrays["output"]), str(arrays["link"])
    explained = [each for each, of in zip(trees, arrays["outputs"], strict=True) if of == output]
    if sum(int((each.left < 0).sum()) for each in explained) > MAX_LEAVES:
        return None
    chosen = np.random.default_rng(0).permutation(len(scores))[:COMPARED]
    sums = np.tile(np.asarray(arrays["bases"], dtype=float), (len(chosen), 1))
    for each, of in zip(trees, arrays["outputs"], strict=True):
        sums[:, of] += _scores(each, plan, chosen)
    found = _LINKS[link](sums)[:, output]
    if np.abs(found - scores[chosen]).max() > TOLERANCE * max(1.0, float(np.abs(scores).max())):
        return None
    each = sum(
        (values(tree, len(plan.columns), len(names)) for tree in explained), np.zeros((len(plan.columns), len(names)))
    )
    count = len(each)
    spread = each.std(axis=0, ddof=1) / np.sqrt(count) if count > 1 else np.zeros(len(names))
    if link == "identity":
        sampled = plan.contributions(scores)
        score, base = sampled.score, sampled.base
    else:
        of_rows = sum(map(_of_rows, explained), np.full(count + 1, float(arrays["bases"][output])))
        score, base = float(of_rows[-1]), float(of_rows[:count].mean())
    return Contributions("exact", each.mean(axis=0), np.zeros(len(names)), spread, score, base, count, _SCALES[link])


def values(tree: Tree, background: int, columns: int) -> np.ndarray:
    """Shapley values of one tree (background records x columns)."""
    result = np.zeros((background, columns))
    # A node with, for each column of its path, whether record and background records lead to it.
    paths: list[tuple[int, dict[int, tuple[bool, np.ndarray]]]] = [(0, {})]
    while paths:
        node, path = paths.pop()
        if tree.left[node] < 0:
            _add_leaf(result, float(tree.value[node]), path)
            continue
        column = int(tree.feature[node])
        record, others = path.get(column, (True, np.ones(background, bool)))
        left = tree.goes_left[:, node]
        for child, record_goes, others_go in (
            (tree.left[node], bool(left[-1]), left[:background]),
            (tree.right[node], not left[-1], ~left[:background]),
        ):
            leads = record and record_goes, others & others_go
            if leads[0] or leads[1].any():
                paths.append((int(child), path | {column: leads}))
    return result


def _add_leaf(result: np.ndarray, value: float, path: Mapping[int, tuple[bool, np.ndarray]]) -> None:
    """Add what a leaf gives to the columns of its path."""
    if not path:
        return
    columns = list(path)
    record = np.array([path[column][0] for column in columns])
    others = np.stack([path[column][1] for column in columns], axis=1)
    reached = (record | others).all(axis=1)
    inside, outside = record & ~others, ~record & others
    a, b = inside.sum(axis=1), outside.sum(axis=1)
    weights = _weights(len(columns))
    gained = np.where(reached, value, 0.0)
    result[:, columns] += inside * (gained * weights[a, b])[:, None] - outside * (gained * weights[b, a])[:, None]


def _weights(largest: int) -> np.ndarray:
    """(a - 1)! b! / (a + b)! for a and b up to `largest`; 0 for a = 0."""
    found = np.zeros((largest + 1, largest + 1))
    for a in range(1, largest + 1):
        for b in range(largest + 1 - a):
            found[a, b] = 1 / ((a + b) * comb(a + b - 1, a - 1))
    return found


def _of_rows(tree: Tree) -> np.ndarray:
    """What the tree adds to the sum of each background record, and of the record at the end."""
    node = np.zeros(len(tree.goes_left), int)
    rows = np.arange(len(node))
    while (inner := tree.left[node] >= 0).any():
        node = np.where(inner, np.where(tree.goes_left[rows, node], tree.left[node], tree.right[node]), node)
    return tree.value[node]


def _scores(tree: Tree, plan: Plan, chosen: np.ndarray) -> np.ndarray:
    """What the tree adds to the scores of these rows of the plan."""
    explained, background = plan.explained[chosen], plan.background[chosen]
    node = np.zeros(len(chosen), int)
    rows = np.arange(len(chosen))
    while (inner := tree.left[node] >= 0).any():
        record = explained[rows, tree.feature[node]]
        left = np.where(record, tree.goes_left[-1, node], tree.goes_left[background, node])
        node = np.where(inner, np.where(left, tree.left[node], tree.right[node]), node)
    return tree.value[node]
