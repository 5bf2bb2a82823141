"""Equal inputs give equal bytes whatever the number of threads, or the training says that they may not."""

import io
import sys
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
import threadpoolctl
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from jobs import reproducibility

X = np.random.default_rng(0).normal(size=(2000, 6))
X[:, 5] = np.abs(X[:, 5]).round()
Y = (X[:, 0] + X[:, 1] * X[:, 2] > 0) * 1
BOOSTING = HistGradientBoostingClassifier(random_state=0, max_iter=5)
CATEGORIES = HistGradientBoostingClassifier(random_state=0, max_iter=5, categorical_features=[5])
FOREST = RandomForestClassifier(5, random_state=0)


def pickled(model, threads: int) -> bytes:
    with threadpoolctl.threadpool_limits(threads):
        model.fit(X, Y)
        reproducibility.leave_out_threads()
        target = io.BytesIO()
        joblib.dump(model, target)
        return target.getvalue()


@pytest.mark.parametrize("model", [BOOSTING, CATEGORIES, FOREST, make_pipeline(StandardScaler(), BOOSTING)], ids=repr)
def test_trees_have_same_bytes_on_other_threads(model):
    assert len({pickled(model, threads) for threads in (1, 2, 4)}) == 1
    assert reproducibility.describe(model)["same_bytes"] == "any threads"


class CatBoost:
    """As catboost.CatBoost: a model whose metadata are part of its bytes."""

    def __init__(self, fitted=True):
        self.metadata = {"model_guid": "a4ec29a2", "train_finish_time": "2026-11-26T17:40:50Z", "params": "{}"}
        self.fitted = fitted

    def is_fitted(self):
        return self.fitted

    def get_metadata(self):
        return self.metadata if self.fitted else {}[0]


def test_catboost_models_have_no_id_and_no_time(monkeypatch):
    monkeypatch.setitem(sys.modules, "catboost", SimpleNamespace(CatBoost=CatBoost))
    model = CatBoost()
    reproducibility.leave_out_identity(make_pipeline(StandardScaler(), model))
    assert model.metadata == {"model_guid": "", "train_finish_time": "", "params": "{}"}
    reproducibility.leave_out_identity([CatBoost(fitted=False), lambda x: x])


def test_boosted_trees_score_equally_without_threads():
    restored = joblib.load(io.BytesIO(pickled(BOOSTING, 2)))
    assert np.array_equal(restored.predict_proba(X), BOOSTING.predict_proba(X))


@pytest.mark.parametrize("model", [LogisticRegression(), KMeans(2, random_state=0)], ids=repr)
def test_models_that_depend_on_threads_say_so(model):
    found = reproducibility.describe(model.fit(X, Y))
    assert found["same_bytes"] == "same threads and processor"
    assert type(model).__module__ in found["reason"]


@pytest.mark.parametrize("model", [np.zeros(3), lambda x: x], ids=["array", "function"])
def test_unexamined_model_is_not_called_identical(model):
    assert reproducibility.describe(model)["same_bytes"] == "same threads and processor"
