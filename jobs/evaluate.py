"""Evaluate: the new version and the live one on the same raw rows, what the new one looks at, and the gate's verdict in words."""

import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import champion, metrics, paths, serve
from .drift import profile
from .failures import JobFailure

LESS_IS_BETTER = {"log_loss", "brier", "rmse", "mae"}
IMPORTANCE_ROWS = 2_000
IMPORTANCE_CALL_ROWS = 50_000


def run() -> None:
    """The job. Raises JobFailure."""
    # The live version is scored in a process of its own, while this one scores the new version.
    with champion.start(os.environ["MODEL_PACKAGE_GROUP"], paths.processing_input("test")) as scoring:
        _evaluate(scoring)


def _evaluate(scoring: champion.Scoring | None) -> None:
    folder = _unpack(paths.processing_input("model"))
    served = serve.model_fn(str(folder))
    settings = served.project.settings
    test = _read_test()
    label = served.project.label
    raw, seed = test.drop(columns=label), int(settings["training"]["seed"])
    classes = np.unique(test[label].to_numpy()) if served.project.problem != "regression" else None
    truth = _truth(test[label], classes)

    def scores_of(rows: pd.DataFrame) -> np.ndarray:
        return served.project.predict(served.model, served.project.features(rows))

    scores = scores_of(raw)
    measured = metrics.evaluate(served.project.problem, truth, scores, seed)
    importance = permutation_importance(served.project.problem, settings["gate"]["metric"], scores_of, raw, truth, seed)
    compared = _compare(served.project.problem, scoring, truth, seed)
    gate = verdict(settings["gate"], measured, compared)
    prepared = json.loads((paths.processing_input("report") / "report.json").read_text())
    evaluation = {
        "gate": gate,
        "metrics": measured,
        "rows": len(test),
        "champion": compared,
        "lineage": {"data_digest": prepared["data_digest"]},
    }
    _write(served.project.problem, evaluation, measured, scores, importance, gate)
    print(f"evaluate  {gate['metric']} {gate['value']:.4f} on {len(test)} rows: {gate['reason']}", flush=True)


def _unpack(folder: Path) -> Path:
    target = folder / "unpacked"
    with tarfile.open(folder / "model.tar.gz") as archive:
        archive.extractall(target, filter="data")
    return target


def _read_test() -> pd.DataFrame:
    files = sorted(paths.processing_input("test").glob("*.parquet"))
    if not files:
        raise JobFailure("there are no test rows; the data is too small for its test_fraction")
    return pd.concat([pd.read_parquet(path) for path in files], ignore_index=True)


def _truth(labels: pd.Series, classes: np.ndarray | None) -> np.ndarray:
    if classes is None:
        return labels.to_numpy(dtype="float64")
    if len(classes) < 2:
        raise JobFailure(f"all test rows have the label {classes[0]!r}; nothing can be measured")
    return np.searchsorted(classes, labels.to_numpy())


def _compare(problem: str, scoring: champion.Scoring | None, truth: np.ndarray, seed: int) -> dict[str, Any] | None:
    """The live version's measures on the same rows; None before the first. One that cannot score them says why."""
    if scoring is None:
        return None
    try:
        return {"version": scoring.version, "metrics": metrics.evaluate(problem, truth, scoring.scores(), seed)}
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
    sample = rng.permutation(len(raw))[:IMPORTANCE_ROWS]
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
