"""Writes the trees of an artifact's model, and which way rows go at each node. Runs in a process of its own, by its path.

    python tree_process.py <model folder> <rows.parquet> <class or -1> <out.npz>

It imports the artifact's own code, and nothing of this package. It fails when the score follows from no sums of scikit-learn's
trees, or features() makes other columns than those of the data; then contributions are computed without it.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

type Tree = dict[str, np.ndarray]
type Link = Literal["identity", "logistic", "softmax"]


@dataclass(frozen=True)
class Sums:
    """Sums of trees that scores follow from: one for each output of the model.

    Args:
        bases: What each output is without trees.
        order: The columns of the features in the order in which the trees number them.
        trees: The trees.
        outputs: The output that each tree is of.
        link: How a score follows from the outputs.
        output: The output that is explained.
    """

    bases: list[float]
    order: list[int]
    trees: list[Tree]
    outputs: list[int]
    link: Link = "identity"
    output: int = 0


def main(folder: Path, rows: Path, column: int, out: Path) -> None:
    """Write what `arrays_of` returns."""
    sys.path.insert(0, str(folder / "code"))
    from jobs import columns, serve  # the artifact's

    served: Any = serve.model_fn(str(folder))
    raw: Any = columns.canonical(pd.read_parquet(rows), served.columns)[0]
    features = served.project.features(raw)
    np.savez(out, allow_pickle=False, **arrays_of(served.model, features, column))


def arrays_of(model: Any, features: pd.DataFrame, column: int) -> dict[str, Any]:
    """Members of Sums, names of the features, and of each tree `feature`, `left`, `right`, `value`, `goes_left` (rows x nodes).

    `column`: of the scores; -1 where there is one per record. Raises TypeError for a model that is no sum of trees.
    """
    found = _sums(model, features, column)
    names = [str(features.columns[index]) for index in found.order]
    arrays = {f"{name}{number}": each[name] for number, each in enumerate(found.trees) for name in each}
    about = {"bases": found.bases, "outputs": found.outputs, "link": found.link, "output": found.output}
    return arrays | about | {"names": names, "trees": len(found.trees)}


def _sums(model: Any, features: pd.DataFrame, column: int) -> Sums:
    from sklearn import ensemble, tree

    order = list(range(features.shape[1]))
    if isinstance(model, ensemble.HistGradientBoostingRegressor):
        return _boosted(model, features)
    if isinstance(model, ensemble.HistGradientBoostingClassifier):
        return _of_classes(_boosted(model, features), column)
    if isinstance(model, ensemble.GradientBoostingRegressor):
        return _gradient(model, features, order)
    if isinstance(model, ensemble.GradientBoostingClassifier):
        return _of_classes(_gradient(model, features, order), column)
    if isinstance(model, tree.DecisionTreeClassifier | tree.DecisionTreeRegressor):
        return Sums([0.0], order, [_tree(model.tree_, _numbers(features), column, 1.0)], [0])
    if isinstance(
        model,
        ensemble.RandomForestClassifier
        | ensemble.RandomForestRegressor
        | ensemble.ExtraTreesClassifier
        | ensemble.ExtraTreesRegressor,
    ):
        values, share = _numbers(features), 1.0 / len(model.estimators_)
        found = [_tree(each.tree_, values, column, share) for each in model.estimators_]
        return Sums([0.0], order, found, [0] * len(found))
    raise TypeError(f"{type(model).__name__} is no sum of trees")


def _of_classes(sums: Sums, column: int) -> Sums:
    """Of a boosted classifier: two classes have one output, the log-odds of the second, and more have one each."""
    if len(sums.bases) > 1:
        return Sums(sums.bases, sums.order, sums.trees, sums.outputs, "softmax", column % len(sums.bases))
    if column != 0:
        return Sums(sums.bases, sums.order, sums.trees, sums.outputs, "logistic")
    turned = [each | {"value": -each["value"]} for each in sums.trees]
    return Sums([-each for each in sums.bases], sums.order, turned, sums.outputs, "logistic")


def _gradient(model: Any, features: pd.DataFrame, order: list[int]) -> Sums:
    values = _numbers(features)
    bases = [float(each) for each in model._raw_predict_init(values[:1])[0]]
    found = [
        (_tree(each.tree_, values, 0, model.learning_rate), output)
        for stage in model.estimators_
        for output, each in enumerate(stage)
    ]
    return Sums(bases, order, [each for each, _ in found], [output for _, output in found])


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


def _boosted(model: Any, features: pd.DataFrame) -> Sums:
    """Histogram-based boosted trees, with categories as sets of bits; categorical columns come first."""
    values = np.asarray(model._preprocess_X(features, reset=False))
    order = list(range(features.shape[1]))
    if model._preprocessor is not None:
        order = sorted(order, key=lambda at: not model.is_categorical_[at])
    known, index = model._bin_mapper.make_known_categories_bitsets()
    trees: list[Tree] = []
    outputs: list[int] = []
    for output, predictor in (each for stage in model._predictors for each in enumerate(stage)):
        outputs.append(output)
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
    return Sums([float(each) for each in model._baseline_prediction[0]], order, trees, outputs)


def _in_set(words: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Whether the categories are in a set of bits, 32 in each word; a missing or other value is not."""
    possible = (values >= 0) & (values < 32 * len(words))
    number = np.where(possible, np.nan_to_num(values), 0).astype(np.int64)
    return possible & ((words[number // 32] >> (number % 32).astype(np.uint32) & 1) == 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
