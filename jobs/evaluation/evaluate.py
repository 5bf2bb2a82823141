"""Evaluate: the new version and the live one on the same raw rows, what the new one looks at, and the gate's verdict in words."""

import hashlib
import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from .. import metrics, paths, serve
from ..drift import profile
from ..failures import JobFailure
from ..metrics import LESS_IS_BETTER
from . import champion

IMPORTANCE_ROWS = 2_000
IMPORTANCE_CALL_ROWS = 50_000


def run() -> None:
    """The job. Raises JobFailure."""
    # The live version is scored in a process of its own, while this one scores the new version.
    with champion.start(os.environ["MODEL_PACKAGE_GROUP"], paths.processing_input("test")) as scoring:
        _evaluate(scoring)


def _evaluate(scoring: champion.Scoring | None) -> None:
    artifact = paths.processing_input("model") / "model.tar.gz"
    served = serve.model_fn(str(_unpack(artifact)))
    settings, problem = served.project.settings, served.project.problem
    test = _read_test()
    raw, seed = test.drop(columns=served.project.label), int(settings["training"]["seed"])
    labels = Labels.of(problem, test[served.project.label], served.classes or [])

    def scores_of(rows: pd.DataFrame) -> np.ndarray:
        made = served.project.predict(served.model, served.project.features(rows))
        return labels.aligned(made, served.classes or [], "model.py")

    scores = scores_of(raw)
    measured = metrics.evaluate(problem, labels.truth, scores, seed)
    importance = permutation_importance(problem, settings["gate"]["metric"], scores_of, raw, labels.truth, seed)
    compared = _compare(problem, scoring, labels, seed)
    gate = verdict(settings["gate"], measured, compared)
    prepared = json.loads((paths.processing_input("report") / "report.json").read_text())
    evaluation = {
        "gate": gate,
        "problem": problem,
        "classes": served.classes,
        "metrics": measured,
        "rows": len(test),
        "champion": compared,
        "lineage": {"data_digest": prepared["data_digest"], "artifact_digest": _digest(artifact)},
    }
    _write(problem, evaluation, measured, scores, importance, gate)
    print(f"evaluate  {gate['metric']} {gate['value']:.4f} on {len(test)} rows: {gate['reason']}", flush=True)


def _unpack(artifact: Path) -> Path:
    target = artifact.parent / "unpacked"
    with tarfile.open(artifact) as archive:
        archive.extractall(target, filter="data")
    return target


def _digest(artifact: Path) -> str:
    """SHA-256 of the bytes that were measured: those that go live, and to further environments, must be the same."""
    with artifact.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _read_test() -> pd.DataFrame:
    files = sorted(paths.processing_input("test").glob("*.parquet"))
    if not files:
        raise JobFailure("there are no test rows; the data is too small for its test_fraction")
    return pd.concat([pd.read_parquet(path) for path in files], ignore_index=True)


@dataclass(frozen=True)
class Labels:
    """The test rows' labels as numbers: what is measured, or the index of the class in `classes`."""

    problem: str
    truth: np.ndarray
    classes: list[Any]

    @classmethod
    def of(cls, problem: str, labels: pd.Series, known: list[Any]) -> Self:
        """`known`: the labels of the training rows, sorted; one that only the test has is a class nothing predicts."""
        if problem == "regression":
            return cls(problem, labels.to_numpy(dtype="float64"), [])
        seen = labels.unique().tolist()
        if len(seen) < 2:
            raise JobFailure(f"all test rows have the label {seen[0]!r}; nothing can be measured")
        classes = [*known, *sorted(set(seen) - set(known))]
        if problem == "binary_classification" and len(classes) != 2:
            raise JobFailure(f"the labels are {classes}; binary_classification needs two")
        return cls(problem, pd.Index(classes).get_indexer(pd.Index(labels)), classes)

    def aligned(self, scores: np.ndarray, known: list[Any], whose: str) -> np.ndarray:
        """Scores with a column for each of our classes, of a model that knows `known`. Raises JobFailure."""
        if self.problem == "binary_classification" and known and known != self.classes:
            raise JobFailure(f"{whose}: it tells {known} apart, the labels are {self.classes}")
        if self.problem != "multiclass_classification":
            return scores
        if scores.shape[1] != len(known):
            raise JobFailure(
                f"{whose}: predict(model, features) gave {scores.shape[1]} columns of scores; "
                f"the training rows have the {len(known)} labels {known}, in this order"
            )
        made = np.zeros((len(scores), len(self.classes)))
        places = [self.classes.index(label) if label in self.classes else -1 for label in known]
        ours = [index for index, place in enumerate(places) if place >= 0]
        made[:, [places[index] for index in ours]] = scores[:, ours]
        return made


def _compare(problem: str, scoring: champion.Scoring | None, labels: Labels, seed: int) -> dict[str, Any] | None:
    """The live version's measures on the same rows; None before the first. One that cannot score them says why."""
    if scoring is None:
        return None
    try:
        scores = labels.aligned(*scoring.scores(), f"the live version {scoring.version}")
        return {"version": scoring.version, "metrics": metrics.evaluate(problem, labels.truth, scores, seed)}
    except (JobFailure, ValueError) as error:
        return {"version": scoring.version, "metrics": None, "reason": str(error)}


def verdict(gate: dict[str, Any], measured: dict[str, Any], compared: dict[str, Any] | None) -> dict[str, Any]:
    """Whether the version may be registered, and why, in a sentence. `champion_advantage`: positive is better."""
    metric, value = gate["metric"], measured[gate["metric"]]["value"]
    less = metric in LESS_IS_BETTER
    limit, margin = (gate["maximum"] if less else gate["minimum"]), gate["champion_margin"]
    live = compared["metrics"][metric]["value"] if compared and compared["metrics"] else None
    advantage = 0.0 if live is None else (live - value if less else value - live)
    if value > limit if less else value < limit:
        relation, bound = ("above", "maximum") if less else ("below", "minimum")
        passed, reason = 0, f"{metric} {value:.4f} is {relation} the {bound} {limit:g}"
    elif advantage < -margin:
        version = compared["version"] if compared else "?"
        passed = 0
        worse = f"{-advantage:.4f} worse than the live version {version} ({live:.4f})"
        reason = f"{metric} {value:.4f} is {worse}, more than the margin {margin:g}"
    elif live is not None and compared:
        passed, reason = (
            1,
            f"{metric} {value:.4f} against {live:.4f} of the live version {compared['version']} on the same rows",
        )
    elif compared:
        passed, reason = 1, f"{metric} {value:.4f}; not compared: {compared['reason']}"
    else:
        passed, reason = 1, f"{metric} {value:.4f}; there is no live version yet"
    return {"passed": passed, "reason": reason, "metric": metric, "value": value, "champion_advantage": advantage}


def permutation_importance(
    problem: str,
    metric: str,
    scores_of: Callable[[pd.DataFrame], np.ndarray],
    raw: pd.DataFrame,
    truth: np.ndarray,
    seed: int,
) -> dict[str, float]:
    """How much worse the metric gets when one raw column is shuffled (Breiman 2001), as shares that add up to one."""
    rng = np.random.default_rng(seed)
    sample = _importance_sample(problem, truth, rng)
    rows, wanted = raw.iloc[sample].reset_index(drop=True), truth[sample]
    base = metrics.values(problem, wanted, scores_of(rows))[metric]
    sign = 1 if metric in LESS_IS_BETTER else -1
    losses: dict[str, float] = {}
    # Features are made row by row, so the tables of many shuffled columns are scored as one.
    per_call = max(1, IMPORTANCE_CALL_ROWS // len(rows))
    names = list(rows.columns)
    for start in range(0, len(names), per_call):
        block = names[start : start + per_call]
        tables = [rows.assign(**{name: rows[name].take(rng.permutation(len(rows))).array}) for name in block]
        for name, scores in zip(
            block, np.split(scores_of(pd.concat(tables, ignore_index=True)), len(block)), strict=True
        ):
            losses[name] = max(0.0, sign * (metrics.values(problem, wanted, scores)[metric] - base))
    total = sum(losses.values())
    return {name: loss / total if total else 0.0 for name, loss in sorted(losses.items(), key=lambda item: -item[1])}


def _importance_sample(problem: str, truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows to shuffle: of each class as many as of the others, as far as there are, so that a rare one is seen at all."""
    order = rng.permutation(len(truth))
    if problem == "regression":
        return order[:IMPORTANCE_ROWS]
    rank = pd.Series(truth[order]).groupby(truth[order]).cumcount().to_numpy()
    return order[np.argsort(rank, kind="stable")[:IMPORTANCE_ROWS]]


def _write(
    problem: str,
    evaluation: dict[str, Any],
    measured: dict[str, Any],
    scores: np.ndarray,
    importance: dict[str, float],
    gate: dict[str, Any],
) -> None:
    folder = paths.processing_output("evaluation")
    quality = {
        f"{problem}_metrics": {
            name: {"value": each["value"], "standard_deviation": each["standard_deviation"]}
            for name, each in measured.items()
        }
    }
    direction = "GreaterThanThreshold" if gate["metric"] in LESS_IS_BETTER else "LessThanThreshold"
    constraints = {
        f"{problem}_constraints": {gate["metric"]: {"threshold": gate["value"], "comparison_operator": direction}}
    }
    score = scores if scores.ndim == 1 else scores.max(axis=1)
    builder = profile.Builder({"score": "number"})
    builder.update(pd.DataFrame({"score": score.astype("float64")}))
    files = {
        "evaluation.json": evaluation,
        "statistics.json": quality,
        "constraints.json": constraints,
        "importance.json": importance,
        "score_profile.json": builder.build().to_dict(),
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1))
