"""A trial: the live version and its challenger, compared by late labels; trial.json has the result for the deploy function.

With shadow traffic both versions scored the same requests, and the interval of the difference is paired, as at the gate. With
split traffic each version has rows of its own. The versions are compared once, at the first check with enough labels: looking
again and again would find a difference by chance sooner or later.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from .. import metrics, s3
from ..evaluation.comparison import Advantage, compare, compare_apart
from ..evaluation.labels import Labels
from . import captured, ground_truth, predictions
from .attribution import UNKNOWN
from .context import Context
from .label_join import LabelJoin
from .live_version import Challenger, LiveVersion
from .model_quality import SEED, SLACK
from .predictions import Predictions, PredictionSample, StoredPredictions, capacity
from .window import RUNS_PER_WINDOW

SHADOW = "Shadow"
"""Name of the shadow variant, which captured requests have in their keys (lambda/shared/endpoints.py)."""


@dataclass(frozen=True)
class Comparison:
    """What the labels say of the challenger: `better` (not worse), `worse`, or None while there are not enough.

    `labelled`: records with a label, of the version that has fewer. `advantage`: how much better the challenger is.
    """

    live: int
    challenger: int
    mode: str
    result: str | None
    reason: str
    labelled: int = 0
    metric: str = ""
    live_value: float | None = None
    challenger_value: float | None = None
    advantage: Advantage | None = None

    def to_dict(self) -> dict[str, Any]:
        """For trial.json and report.json."""
        return asdict(self)


def is_copy(entry: dict[str, Any]) -> bool:
    """Whether a captured object, an entry of ListObjectsV2, has copies of requests, which the live version answered, too."""
    return f"/{SHADOW}/" in entry["Key"]


def store_copies(context: Context, live: LiveVersion, copies: Sequence[dict[str, Any]]) -> None:
    """Store the challenger's answers to copied requests, apart from those of callers."""
    challenger = live.challenger.version if live.challenger else UNKNOWN
    sample = PredictionSample(live.width, capacity(live.width, RUNS_PER_WINDOW))
    bucket, _ = s3.split(context.data_uri)
    for entry in copies:
        batch = captured.read(bucket, entry["Key"], live.columns, live.version)
        for predicted in Predictions.of(batch.scored, lambda named, _: np.where(named > 0, named, challenger)):
            sample.add(predicted)
    predictions.write(sample, _copies_uri(context), context.scheduled, context.execution_id)


def judge(context: Context, live: LiveVersion) -> Comparison | None:
    """Compare the versions, if a trial is running, and write trial.json.

    None also when model.yaml has no challenger any more, and its variant is still being removed.
    """
    if live.challenger is None or context.settings["serving"]["challenger"] is None:
        return None
    found = _judge(context, live, live.challenger)
    bucket, folder = s3.split(context.reports_uri)
    body = json.dumps(found.to_dict() | {"written": datetime.now(UTC).isoformat()}).encode()
    s3.client().put_object(Bucket=bucket, Key=f"{folder}/trial.json", Body=body)
    return found


def _judge(context: Context, live: LiveVersion, challenger: Challenger) -> Comparison:
    waiting = Comparison(live.version, challenger.version, challenger.mode, None, "there are no labels yet")
    if live.classes is None and not context.regression:
        return replace(waiting, reason=f"version {live.version} was registered without its classes")
    if challenger.classes != live.classes:
        reason = f"the labels of version {challenger.version} are {challenger.classes}, those of the live version {live.classes}"
        return replace(waiting, reason=reason)
    since = context.scheduled - timedelta(seconds=context.monitoring["quality"]["window"])
    files = ground_truth.new_files(context.data_uri, since - SLACK)
    if not files:
        return waiting
    answers = predictions.read(context.reports_uri, since, live.width)
    others = predictions.read(_copies_uri(context), since, live.width) if challenger.mode == "shadow" else answers
    truths = _truths(context, live, files, [answers] if others is answers else [answers, others])
    ours = _Rows(answers.predictions, truths[0]).of_version(live.version)
    theirs = _Rows(others.predictions, truths[-1]).of_version(challenger.version)
    if challenger.mode == "shadow":
        ours, theirs = _both(ours, theirs)
    else:
        ours = _since(ours, theirs)
    return _compare(context, waiting, ours, theirs)


@dataclass(frozen=True)
class _Rows:
    """Records of one version, sorted by key; `truth` is NaN where there is no label."""

    predicted: Predictions
    truth: np.ndarray

    def take(self, chosen: np.ndarray) -> "_Rows":
        """Some of the records."""
        return _Rows(self.predicted.take(chosen), self.truth[chosen])

    def of_version(self, version: int) -> "_Rows":
        """The records that a version scored."""
        return self.take(self.predicted.versions == version)

    def labelled(self) -> "_Rows":
        """The records with a label."""
        return self.take(~np.isnan(self.truth))

    def __len__(self) -> int:
        return len(self.truth)


def _truths(
    context: Context, live: LiveVersion, files: list[dict[str, Any]], stored: list[StoredPredictions]
) -> list[np.ndarray]:
    """The label of each stored prediction, NaN without one."""
    reader = ground_truth.LabelReader(ground_truth.Label(context.label, live.classes or [], context.regression))
    joins = [LabelJoin(each) for each in stored]
    for entry in files:
        for keys, labels in reader.read(context.data_uri, entry):
            for join in joins:
                join.add(keys, labels)
    return [join.truth for join in joins]


def _both(ours: _Rows, theirs: _Rows) -> tuple[_Rows, _Rows]:
    """The records that both versions scored."""
    _, of_ours, of_theirs = np.intersect1d(ours.predicted.keys, theirs.predicted.keys, return_indices=True)
    return ours.take(of_ours), theirs.take(of_theirs)


def _since(ours: _Rows, theirs: _Rows) -> _Rows:
    """The records since the challenger answered its first one."""
    return ours.take(ours.predicted.seconds >= theirs.predicted.seconds.min()) if len(theirs) else ours


def _compare(context: Context, waiting: Comparison, ours: _Rows, theirs: _Rows) -> Comparison:
    """By the gate's rule: the challenger is worse when the whole interval of the difference is beyond the gate's margin."""
    needed, gate = context.settings["serving"]["challenger"]["minimum_labels"], context.settings["gate"]
    scored, paired = min(len(ours), len(theirs)), waiting.mode == "shadow"
    ours, theirs = ours.labelled(), theirs.labelled()
    labelled = min(len(ours), len(theirs))
    found = replace(waiting, labelled=labelled, metric=gate["metric"])
    if labelled < needed:
        of_each = "records that both versions scored" if paired else "records of each version"
        return replace(found, reason=f"{labelled} of {scored} {of_each} have a label; {needed} are needed")
    labels = [_labels(context, rows) for rows in (ours, theirs)]
    live, challenger = (
        metrics.bootstrap(each.problem, each.truth, rows.predicted.metric_scores, SEED + (not paired) * index)
        for index, (rows, each) in enumerate(zip((ours, theirs), labels, strict=True))
    )
    values = {"live_value": live.values[gate["metric"]], "challenger_value": challenger.values[gate["metric"]]}
    if not np.isfinite(list(values.values())).all():
        return replace(found, reason=f"{gate['metric']} cannot be measured: all {labelled} labels are the same")
    advantage = (
        compare(gate["metric"], challenger, live, labels[1])
        if paired
        else compare_apart(gate["metric"], challenger, live, labels)
    )
    margin = gate["champion_margin"]
    worse = advantage.high < -margin
    rows = f"{labelled} labelled records of both" if paired else f"{len(theirs)} and {len(ours)} labelled records"
    verdict = f"worse by more than the margin {margin:g}" if worse else f"not worse by more than the margin {margin:g}"
    difference = f"{advantage.value:.4f} ({advantage.low:.4f} to {advantage.high:.4f})"
    reason = (
        f"{gate['metric']} {values['challenger_value']:.4f} against {values['live_value']:.4f} of the live version "
        f"{found.live}, on {rows}: an advantage of {difference} is {verdict}"
    )
    return replace(found, result="worse" if worse else "better", reason=reason, advantage=advantage, **values)


def _labels(context: Context, rows: _Rows) -> Labels:
    return Labels(context.settings["problem"], rows.truth if context.regression else rows.truth.astype("int64"), [])


def _copies_uri(context: Context) -> str:
    return f"{context.reports_uri}/trial"
