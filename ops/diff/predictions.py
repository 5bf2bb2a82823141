"""Predictions of two versions on the same rows: the kept test rows of the newer one, each version scored by its own code here."""

import io
import json
import os
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .changes import Change, Section
from .kept import Kept, PieceError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from model_factory.jobs.evaluation.labels import Labels

TOLERANCE = 1e-9
"""Scores that are nearer are equal: the last digits may differ between processors."""
SEED = 0
_LIBRARIES = ("scikit-learn", "numpy", "pandas", "scipy", "joblib")
_TITLE = "predictions on the same rows"


@dataclass(frozen=True)
class Scored:
    """Scores of one version, (rows,) or (rows x classes), and its classes; empty in regression."""

    scores: "np.ndarray"
    classes: list[Any]


def predictions(before: Kept, after: Kept, newer: Kept, limit: int) -> Section:
    """Score at most `limit` of `newer`'s test rows with both versions' artifacts.

    Says how many scores differ and by how much, how many labels flip, and how the metrics differ on these rows, with an interval
    of the difference.
    """
    section = Section(_TITLE)
    if before.digest("artifact") and before.digest("artifact") == after.digest("artifact"):
        section.notes.append("both have the same artifact, so the same predictions")
        return section
    try:
        rows, label = _rows(newer, limit), newer.json("baseline/columns.json")["label"]
        with tempfile.TemporaryDirectory(prefix="diff-") as folder:
            one, other = (_score(kept, rows, Path(folder) / side) for side, kept in (("a", before), ("b", after)))
        _compare(section, one, other, rows[label], newer.json("evaluation")["problem"])
    except PieceError as error:
        section.problems.append(str(error))
        return section
    section.notes += [f"{len(rows):,} test rows of {newer.label}, scored here by each version's own code"]
    section.notes += _other_libraries((before, after))
    return section


def _rows(newer: Kept, limit: int) -> "pd.DataFrame":
    """The first `limit` test rows, with the label. Raises PieceError."""
    import pandas as pd

    found: list[pd.DataFrame] = []
    count = 0
    for name in newer.names("test/"):
        if count >= limit:
            break
        found.append(pd.read_parquet(io.BytesIO(newer.read(name))).iloc[: limit - count])
        count += len(found[-1])
    if not count:
        raise PieceError(f"test rows of {newer.label} were not kept")
    return pd.concat(found, ignore_index=True)


def _score(kept: Kept, rows: "pd.DataFrame", folder: Path) -> Scored:
    """Scores by the artifact's own code, in a process without the AWS variables of this one. Raises PieceError."""
    import numpy as np

    from model_factory.jobs.evaluation.champion import scoring_command

    (given := folder / "rows").mkdir(parents=True)
    rows.to_parquet(given / "part-0.parquet", index=False)
    kept.download("artifact", archive := folder / "model.tar.gz")
    try:
        with tarfile.open(archive) as opened:
            opened.extractall(model := folder / "model", filter="data")
        classes: list[Any] = json.loads((model / "serving.json").read_text()).get("classes") or []
    except (tarfile.TarError, OSError, ValueError) as error:
        raise PieceError(f"the artifact of {kept.label} cannot be read: {error}") from None
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = scoring_command(model, given, out := folder / "scores.npy")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise PieceError(f"{kept.label} cannot score these rows: {lines[-1]}")
    return Scored(np.load(out), classes)


def _compare(section: Section, one: Scored, other: Scored, truth: "pd.Series", problem: str) -> None:
    from model_factory.jobs.evaluation.labels import Labels
    from model_factory.jobs.failures import JobFailure

    try:
        labels = Labels.of(problem, truth, one.classes or other.classes)
        before, after = (labels.aligned(each.scores, each.classes, "a version") for each in (one, other))
    except JobFailure as error:
        raise PieceError(f"the versions cannot be compared on these rows: {error}") from None
    _scores(section, before, after)
    _flips(section, before, after, labels)
    _metrics(section, before, after, labels)


def _scores(section: Section, one: "np.ndarray", other: "np.ndarray") -> None:
    """How many rows have another score, and by how much; of several classes, by the class that differs most."""
    import numpy as np

    apart = np.abs(other - one).reshape(len(one), -1).max(axis=1)
    scale = np.maximum(1.0, np.maximum(np.abs(one), np.abs(other)).reshape(len(one), -1).max(axis=1))
    differing = int((apart > TOLERANCE * scale).sum())
    middle, most = (float(np.quantile(apart, each)) for each in (0.5, 1.0))
    section.facts["scores"] = {"rows": len(one), "differing": differing, "median": middle, "largest": most}
    if differing:
        means = [f"{each.mean():.4f}" if each.ndim == 1 else None for each in (one, other)]
        note = f"{differing:,} of {len(one):,} differ: median {middle:.4f}, largest {most:.4f}"
        section.changes.append(Change("mean score", means[0], means[1], note))


def _flips(section: Section, one: "np.ndarray", other: "np.ndarray", labels: "Labels") -> None:
    """Labels that flip: at 0.5 of two classes, the largest score of several."""
    import numpy as np

    from model_factory.jobs.metrics import THRESHOLD

    if labels.problem == "regression":
        return
    binary = labels.problem == "binary_classification"
    before, after = ((each >= THRESHOLD) * 1 if binary else each.argmax(axis=1) for each in (one, other))
    pairs, counts = np.unique(np.stack([before, after]), axis=1, return_counts=True)
    flipped = [
        {"from": labels.classes[was], "to": labels.classes[now], "rows": int(count)}
        for was, now, count in zip(*pairs.tolist(), counts.tolist(), strict=True)
        if was != now
    ]
    flipped.sort(key=lambda each: -each["rows"])
    section.facts["flips"] = flipped
    total = sum(each["rows"] for each in flipped)
    if total:
        shown = ", ".join(f"{each['from']} to {each['to']}: {each['rows']:,}" for each in flipped[:4])
        right = [f"{(each == labels.truth).mean():.1%}" for each in (before, after)]
        note = f"{total:,} of {len(one):,} flip ({total / len(one):.1%}); {shown}"
        section.changes.append(Change("right labels", right[0], right[1], note))


def _metrics(section: Section, one: "np.ndarray", other: "np.ndarray", labels: "Labels") -> None:
    """The metrics of both on these rows, with the 95 % interval of the difference: the rows are the same, so it is paired."""
    from model_factory.jobs import metrics
    from model_factory.jobs.evaluation.comparison import compare

    before, after = (metrics.bootstrap(labels.problem, labels.truth, each, SEED) for each in (one, other))
    measured: dict[str, dict[str, float]] = {}
    for name in before.values:
        if before.values[name] == after.values[name]:
            continue
        advantage = compare(name, after, before, labels)
        sign = -1 if name in metrics.LESS_IS_BETTER else 1
        low, high = sorted((sign * advantage.low, sign * advantage.high))
        difference = after.values[name] - before.values[name]
        measured[name] = {"before": before.values[name], "after": after.values[name], "low": low, "high": high}
        said = "may be chance" if low <= 0 <= high else "better" if advantage.value > 0 else "worse"
        note = f"{difference:+.4f} ({low:+.4f} to {high:+.4f}): {said}"
        section.changes.append(Change(name, f"{before.values[name]:.4f}", f"{after.values[name]:.4f}", note))
    section.facts["metrics"] = measured


def _other_libraries(sides: tuple[Kept, Kept]) -> list[str]:
    """Libraries of this machine that are not the recorded ones, as scores may depend on them."""
    notes = list[str]()
    for kept in sides:
        try:
            recorded: dict[str, str] = kept.json("train_facts").get("libraries") or {}
        except PieceError:
            continue
        other = [
            f"{name} {_installed(name) or 'is missing'} here, {recorded[name]} recorded"
            for name in _LIBRARIES
            if name in recorded and _installed(name) != recorded[name]
        ]
        if other:
            notes.append(f"v{kept.number} was scored with other libraries than it was trained with: {', '.join(other)}")
    return notes


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
