"""Writes the trees of an artifact's model, and which way rows go at each node. Runs in a process of its own, by its path.

    python tree_process.py <model folder> <rows.parquet> <class or -1> <out.npz>

It imports the artifact's own code, and nothing of this package. It fails when the model is not a sum of scikit-learn's trees, or
features() makes other columns than those of the data; then contributions are computed without it.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

type Tree = dict[str, np.ndarray]


def main(folder: Path, rows: Path, column: int, out: Path) -> None:
    """Write base, names of the features, and of each tree `feature`, `left`, `right`, `value`, `goes_left` (rows x nodes)."""
    sys.path.insert(0, str(folder / "code"))
    from jobs import columns, serve  # the artifact's

    served: Any = serve.model_fn(str(folder))
    raw: Any = columns.canonical(pd.read_parquet(rows), served.columns)[0]
    features = served.project.features(raw)
    base, order, trees = _sum_of_trees(served.model, features, column)
    names = [str(features.columns[index]) for index in order]
    arrays = {f"{name}{number}": each[name] for number, each in enumerate(trees) for name in each}
    np.savez(out, allow_pickle=False, base=base, names=names, trees=len(trees), **arrays)


def _sum_of_trees(model: Any, features: pd.DataFrame, column: int) -> tuple[float, list[int], list[Tree]]:
    """What the score is without trees, the columns of `features` in the order in which the trees number them, and the trees."""
    from sklearn import ensemble, tree

    order = list(range(features.shape[1]))
    if isinstance(model, ensemble.HistGradientBoostingRegressor):
        return _boosted(model, features)
    if isinstance(model, ensemble.GradientBoostingRegressor):
        values = _numbers(features)
        base = float(model._raw_predict_init(values[:1])[0, 0])
        found = [_tree(each.tree_, values, 0, model.learning_rate) for each in model.estimators_[:, 0]]
        return base, order, found
    if isinstance(model, tree.DecisionTreeClassifier | tree.DecisionTreeRegressor):
        return 0.0, order, [_tree(model.tree_, _numbers(features), column, 1.0)]
    if isinstance(
        model,
        ensemble.RandomForestClassifier
        | ensemble.RandomForestRegressor
        | ensemble.ExtraTreesClassifier
        | ensemble.ExtraTreesRegressor,
    ):
        values, share = _numbers(features), 1.0 / len(model.estimators_)
        return 0.0, order, [_tree(each.tree_, values, column, share) for each in model.estimators_]
    raise TypeError(f"{type(model).__name__} is no sum of trees")


def _numbers(features: pd.DataFrame) -> np.ndarray:
    """As trees of sklearn.tree compare them."""
    return features.to_numpy(dtype=np.float32)


def _tree(arrays: Any, values: np.ndarray, column: int, factor: float) -> Tree:
    """A tree of sklearn.tree: `value` is (nodes x outputs x classes), of classifiers the share of each class."""
    leaf = arrays.children_left < 0
    feature = np.where(leaf, 0, arrays.feature)
    at = values[:, feature]
    goes_left = np.where(np.isnan(at), arrays.missing_go_to_left.astype(bool), at <= arrays.threshold)
    return {
        "feature": feature,
        "left": arrays.children_left,
        "right": arrays.children_right,
        "value": arrays.value[:, 0, column] * factor,
        "goes_left": goes_left,
    }


def _boosted(model: Any, features: pd.DataFrame) -> tuple[float, list[int], list[Tree]]:
    """Histogram-based boosted trees, with categories as sets of bits; categorical columns come first."""
    values = np.asarray(model._preprocess_X(features, reset=False))
    order = list(range(features.shape[1]))
    if model._preprocessor is not None:
        order = sorted(order, key=lambda at: not model.is_categorical_[at])
    known, index = model._bin_mapper.make_known_categories_bitsets()
    trees: list[Tree] = []
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        feature = np.where(leaf, 0, nodes["feature_idx"])
        at = values[:, feature]
        missing = nodes["missing_go_to_left"].astype(bool)
        goes_left = np.where(np.isnan(at), missing, at <= nodes["num_threshold"])
        for node in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~leaf):
            left = _in_set(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]], at[:, node])
            seen = _in_set(known[index[feature[node]]], at[:, node])
            goes_left[:, node] = np.where(seen, left, missing[node])
        trees.append(
            {
                "feature": feature,
                "left": np.where(leaf, -1, nodes["left"].astype(int)),
                "right": np.where(leaf, -1, nodes["right"].astype(int)),
                "value": nodes["value"],
                "goes_left": goes_left,
            }
        )
    return float(model._baseline_prediction[0, 0]), order, trees


def _in_set(words: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Whether the categories are in a set of bits, 32 in each word; a missing or other value is not."""
    possible = (values >= 0) & (values < 32 * len(words))
    number = np.where(possible, np.nan_to_num(values), 0).astype(np.int64)
    return possible & ((words[number // 32] >> (number % 32).astype(np.uint32) & 1) == 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
