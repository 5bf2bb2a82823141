"""The job evaluate: the metrics of a new version and of the champion on the same test rows, and the gate's verdict."""

import hashlib
import json
import os
import tarfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import facts, metrics, paths, serve
from ..drift import profile
from ..failures import JobFailure
from ..metrics import LESS_IS_BETTER
from ..prepared_rows import Rows
from . import champion, comparison, gate
from .calibration import calibration
from .dependence import partial_dependence
from .importance import permutation_importance
from .labels import Labels
from .slices import slices


@dataclass(frozen=True)
class TestRows:
    """The test rows: raw columns without the label, and the labels."""

    raw: pd.DataFrame
    labels: Labels


@dataclass(frozen=True)
class Evaluation:
    """What was measured of the new version; `champion` and `verdict` are the sections of evaluation.json."""

    problem: str
    classes: list[Any] | None
    scores: np.ndarray
    metrics: dict[str, dict[str, float]]
    importance: dict[str, float]
    explanation: dict[str, Any]
    champion: dict[str, Any] | None
    verdict: gate.Verdict


def run() -> None:
    """Run the job. Raises JobFailure when the new version cannot score the test rows, or these cannot be measured."""
    artifact = paths.processing_input("model") / "model.tar.gz"
    # Before the model is loaded, which runs its code: what is deployed or promoted must be this file.
    artifact_digest = champion.file_digest(artifact)
    rows_folder = paths.processing_input("test")
    # The champion is scored in a process of its own while this one scores the new version.
    with champion.start(os.environ["MODEL_PACKAGE_GROUP"], rows_folder) as scoring:
        unpacked = _unpack(artifact)
        served = serve.model_fn(str(unpacked))
        rows = _read_rows(rows_folder, served)
        evaluation = _evaluate(served, rows, scoring)
    lineage = {"artifact_digest": artifact_digest, "hyperparameters_digest": _hyperparameters_digest(unpacked)}
    _write(evaluation, len(rows.raw), lineage, served.project.settings)
    verdict = evaluation.verdict
    print(f"evaluate  {verdict.metric} {verdict.value:.4f} on {len(rows.raw)} rows: {verdict.reason}")


def _unpack(artifact: Path) -> Path:
    folder = artifact.parent / "unpacked"
    with tarfile.open(artifact) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _read_rows(folder: Path, served: serve.Served) -> TestRows:
    table = Rows.of(folder, "there are no test rows; the data is too small for its test_fraction").frame()
    label = served.project.label
    labels = Labels.of(served.project.problem, table[label], served.classes or [])
    return TestRows(table.drop(columns=label), labels)


def _evaluate(served: serve.Served, rows: TestRows, scoring: champion.Scoring | None) -> Evaluation:
    project, labels = served.project, rows.labels
    seed = int(project.settings["training"]["seed"])

    def score(raw: pd.DataFrame) -> np.ndarray:
        predicted = project.predict(served.model, project.features(raw))
        return labels.aligned(predicted, served.classes or [], "model.py")

    metric = project.settings["gate"]["metric"]
    scores = score(rows.raw)
    measured = metrics.bootstrap(project.problem, labels.truth, scores, seed)
    found = metrics.intervals(measured)
    importance = permutation_importance(metric, score, rows.raw, labels, seed)
    multiclass = project.problem == "multiclass_classification"
    explanation = {
        "calibration": calibration(scores, labels),
        "partial_dependence": partial_dependence(
            score, rows.raw, list(importance), labels.classes if multiclass else [], seed
        ),
        "slices": slices(project.settings["report"]["groups"], metric, rows.raw, scores, labels, seed),
    }
    section, compared = _compare(scoring, metric, measured, labels, seed)
    verdict = gate.decide(project.settings["gate"], found, len(rows.raw), compared)
    return Evaluation(project.problem, served.classes, scores, found, importance, explanation, section, verdict)


def _compare(
    scoring: champion.Scoring | None, metric: str, measured: metrics.Bootstrap, labels: Labels, seed: int
) -> tuple[dict[str, Any] | None, gate.Comparison | None]:
    """Section `champion` of evaluation.json and the comparison for the gate; None before the first version.

    A champion that cannot be measured on the rows has no metrics, but the reason why.
    """
    if scoring is None:
        return None, None
    version = scoring.version
    try:
        theirs = metrics.bootstrap(labels.problem, labels.truth, _scores_of(scoring, labels), seed)
    except (JobFailure, ValueError) as error:
        return {"version": version, "metrics": None, "reason": str(error)}, gate.Comparison(version, reason=str(error))
    advantage = comparison.compare(metric, measured, theirs, labels)
    section = {"version": version, "metrics": metrics.intervals(theirs), "advantage": asdict(advantage)}
    return section, gate.Comparison(version, theirs.values[metric], advantage)


def _scores_of(scoring: champion.Scoring, labels: Labels) -> np.ndarray:
    """The champion's scores; its own code made them. Raises JobFailure when they do not fit the rows or the classes."""
    name = f"the live version {scoring.version}"
    scores = labels.aligned(*scoring.scores(), name)
    if len(scores) != len(labels.truth):
        raise JobFailure(f"{name} gave {len(scores)} scores for {len(labels.truth)} test rows")
    return scores


def _hyperparameters_digest(artifact: Path) -> str:
    """SHA-256 of the hyperparameters that an unpacked artifact was trained with; it does not depend on their order."""
    hyperparameters = json.loads((artifact / "serving.json").read_text()).get("hyperparameters", {})
    canonical = json.dumps(hyperparameters, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _write(evaluation: Evaluation, rows: int, lineage: dict[str, str], settings: dict[str, Any]) -> None:
    """The files of the output `evaluation`."""
    prepared = json.loads((paths.processing_input("report") / "report.json").read_text())
    content = {
        "gate": evaluation.verdict.to_dict(),
        "problem": evaluation.problem,
        "classes": evaluation.classes,
        "metrics": evaluation.metrics,
        "rows": rows,
        "champion": evaluation.champion,
        "lineage": {"data_digest": prepared["data_digest"], **lineage},
        "uses": {"intended": settings["report"]["intended_use"], "limits": settings["report"]["limits_of_use"]},
    }
    files = {
        "evaluation.json": content,
        "statistics.json": _statistics(evaluation),
        "constraints.json": _constraints(evaluation),
        "importance.json": evaluation.importance,
        "explanation.json": evaluation.explanation,
        "score_profile.json": _score_profile(evaluation.scores),
    }
    folder = paths.processing_output("evaluation")
    for name, each in files.items():
        (folder / name).write_text(json.dumps(each, indent=1))
    facts.write(folder, facts.of_run("evaluate", int(settings["training"]["seed"])))


def _statistics(evaluation: Evaluation) -> dict[str, Any]:
    """statistics.json of model quality, as Model Monitor writes it."""
    measured = {
        name: {"value": each["value"], "standard_deviation": each["standard_deviation"]}
        for name, each in evaluation.metrics.items()
    }
    return {f"{evaluation.problem}_metrics": measured}


def _constraints(evaluation: Evaluation) -> dict[str, Any]:
    """constraints.json of model quality, as Model Monitor writes it."""
    verdict = evaluation.verdict
    operator = "GreaterThanThreshold" if verdict.metric in LESS_IS_BETTER else "LessThanThreshold"
    threshold = {"threshold": verdict.value, "comparison_operator": operator}
    return {f"{evaluation.problem}_constraints": {verdict.metric: threshold}}


def _score_profile(scores: np.ndarray) -> dict[str, Any]:
    """Baseline profile of the scores; of several classes, the largest score of each row."""
    score = scores if scores.ndim == 1 else scores.max(axis=1)
    builder = profile.Builder({"score": "number"})
    builder.update(pd.DataFrame({"score": score.astype("float64")}))
    return builder.build().to_dict()
