"""Exact contributions of trees: by definition on a few columns, and adding up on many."""

import json
import shutil

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression

from jobs.train import copy_code
from ops.explanation import columns, shapley, tree_process, trees
from ops.explanation.artifact import Artifact

from .explained import ROOT

PLANS = ("basic", "family", "company", "student", "trial")


def table(rows, columns, seed=0):
    """Numbers with missing ones, and a categorical column `plan` in the middle, with a category that is rare."""
    random = np.random.default_rng(seed)
    found = pd.DataFrame({f"c{number}": random.normal(size=rows).round(1) for number in range(columns - 1)})
    found = found.mask(random.random(found.shape) < 0.1)
    plan = pd.Categorical(random.choice(PLANS, rows, p=(0.4, 0.3, 0.2, 0.09, 0.01)), categories=PLANS)
    found.insert(columns // 2, "plan", plan)
    return found


def target(rows):
    numbers = rows.drop(columns="plan").fillna(0.5).to_numpy()
    of_plan = rows["plan"].cat.codes.to_numpy() * numbers[:, 0]
    return numbers[:, 0] * numbers[:, 1] + np.abs(numbers[:, 2]) + of_plan + numbers.sum(axis=1) / 5


def numeric(rows):
    return rows.assign(plan=rows["plan"].cat.codes.astype(float)).fillna(-1.0)


def fitted(model, rows, transform, classes=2):
    labels = target(rows)
    is_classifier = hasattr(model, "predict_proba")
    model.fit(transform(rows), pd.qcut(labels, classes, labels=False) if is_classifier else labels)
    return lambda frame: (
        model.predict_proba(transform(frame))[:, 1] if is_classifier else model.predict(transform(frame))
    )


def summed(model, frame, scores):
    """What the trees add up to: the score, or of boosted classifiers the raw score."""
    if isinstance(model, GradientBoostingClassifier | HistGradientBoostingClassifier):
        raw = model.decision_function(frame)
        return raw if raw.ndim == 1 else raw[:, 1]
    return scores


def contributions(model, columns, background=20, max_rows=20_000, transform=lambda rows: rows, classes=2):
    """Of a record against some background records: by the trees, and by the sums of all or of sampled coalitions."""
    score = fitted(model, table(1500, columns), transform, classes)
    others, record = table(background, columns, seed=1), table(1, columns, seed=2)
    together = pd.concat([others, record], ignore_index=True)
    values = together.astype(object).where(together.notna(), None).to_numpy()
    plan = shapley.plan(
        np.array([[x != y for x, y in zip(row, values[-1], strict=True)] for row in values[:-1]]), max_rows
    )
    index = np.where(plan.explained, background, plan.background[:, None])
    frame = pd.DataFrame({name: together[name].take(index[:, at]).array for at, name in enumerate(together)})
    scores = score(frame)
    column = 1 if hasattr(model, "predict_proba") else 0
    arrays = tree_process.arrays_of(model, transform(together), column)
    found = trees.exact(arrays, list(together), plan, scores)
    return found, plan.contributions(summed(model, transform(frame), scores))


MODELS = {
    "boosted": (HistGradientBoostingRegressor(max_iter=30, categorical_features="from_dtype"), lambda rows: rows),
    "forest": (RandomForestRegressor(10, max_depth=6, random_state=0), numeric),
    "classes": (RandomForestClassifier(10, max_depth=6, random_state=0), numeric),
    "gradient": (GradientBoostingRegressor(n_estimators=30, random_state=0), numeric),
    "boosted classes": (
        HistGradientBoostingClassifier(max_iter=20, categorical_features="from_dtype"),
        lambda rows: rows,
    ),
    "gradient classes": (GradientBoostingClassifier(n_estimators=20, random_state=0), numeric),
}
SCALES = {"boosted classes": "log-odds", "gradient classes": "log-odds"}


@pytest.mark.parametrize("name", MODELS)
def test_trees_give_the_values_of_all_coalitions(name):
    model, transform = MODELS[name]
    found, all_coalitions = contributions(model, 10, transform=transform)
    assert all_coalitions.method == "exact"
    assert found.values == pytest.approx(all_coalitions.values, abs=1e-9)
    assert found.background_error == pytest.approx(all_coalitions.background_error, abs=1e-9)
    assert np.abs(found.values).max() > 0.05
    assert found.scale == SCALES.get(name, "score")


@pytest.mark.parametrize("name", MODELS)
def test_contributions_of_forty_columns_add_up(name):
    model, transform = MODELS[name]
    found, sampled = contributions(model, 40, transform=transform)
    assert (found.method, sampled.method) == ("exact", "sampled")
    assert found.values.sum() == pytest.approx(found.score - found.base, abs=1e-6)
    # A sample may miss a rare category altogether.
    assert np.all(np.abs(found.values - sampled.values) <= 6 * sampled.error + 5e-4)
    assert not found.error.any()


def test_score_that_is_no_sum_of_the_trees_has_no_exact_values():
    model = HistGradientBoostingRegressor(max_iter=10, loss="poisson", categorical_features="from_dtype")
    labels = table(1500, 20)
    model.fit(labels, np.abs(target(labels)))
    fit, model.fit = model.fit, lambda *_: model
    found, _ = contributions(model, 20)
    assert found is None
    model.fit = fit


def test_class_of_three_is_explained_by_its_raw_score():
    model = HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype")
    found, all_coalitions = contributions(model, 8, classes=3)
    assert found.scale == "raw score"
    assert found.values == pytest.approx(all_coalitions.values, abs=1e-9)
    assert found.score - found.base == pytest.approx(found.values.sum(), abs=1e-9)


def test_first_of_two_classes_has_the_opposite_log_odds():
    model = GradientBoostingClassifier(n_estimators=3, random_state=0)
    rows = numeric(table(300, 6))
    model.fit(rows, target(table(300, 6)) > 0)
    first, second = (tree_process.arrays_of(model, rows[:2], column) for column in (0, -1))
    assert first["bases"] == [-each for each in second["bases"]]
    assert np.array_equal(first["value0"], -second["value0"])


def test_model_without_trees_is_no_sum_of_them():
    with pytest.raises(TypeError, match="LinearRegression is no sum of trees"):
        tree_process.arrays_of(LinearRegression(), table(2, 6), -1)


CODE = """
def features(raw):
    return FEATURES

def train(train, validation, hyperparameters): ...

def predict(model, features):
    return model.predict(features)
"""


@pytest.fixture
def explained(tmp_path, monkeypatch):
    """Contributions of a record of sixteen columns, by an artifact as the job train writes it with these `features`."""

    def run(features):
        source, target = tmp_path / "source", tmp_path / "artifact"
        (source / "project").mkdir(parents=True)
        (source / "project/model.py").write_text(CODE.replace("FEATURES", features))
        (source / "project/settings.json").write_text(json.dumps({"problem": "regression"}))
        shutil.copytree(ROOT / "jobs", source / "jobs", ignore=shutil.ignore_patterns("__pycache__"))
        copy_code(target / "code", source)
        random = np.random.default_rng(0)
        raw = pd.DataFrame({f"c{number}": random.normal(size=600) for number in range(16)})
        (target / "serving.json").write_text(
            json.dumps({"columns": [{"name": name, "type": "number"} for name in raw]})
        )
        seen = eval(features, {"raw": raw})
        model = HistGradientBoostingRegressor(max_iter=30, random_state=0)
        joblib.dump(model.fit(seen, raw["c0"] * raw["c1"] + raw.sum(axis=1)), target / "model.joblib")
        monkeypatch.setattr(columns, "_background", lambda *_: raw[1:101].reset_index(drop=True))
        artifact = Artifact(target, "here", "", verified=False)
        return columns.contributions(None, {}, artifact, raw[:1], None, tmp_path)

    return run


@pytest.mark.slow
def test_artifact_with_boosted_trees_of_sixteen_columns_is_explained_exactly(explained):
    found = explained("raw")
    assert (found.method, found.background) == ("exact", 100)
    assert found.values.sum() == pytest.approx(found.score - found.base, abs=1e-6)


@pytest.mark.slow
def test_artifact_whose_features_mix_columns_is_sampled(explained):
    found = explained("raw.assign(c0=raw['c0'] * raw['c1'])")
    assert found.method == "sampled"
    assert found.values.sum() == pytest.approx(found.score - found.base, abs=1e-6)
