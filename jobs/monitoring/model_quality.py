"""Model quality from ground truth: late, partial and repeated labels, joined with the predictions they belong to.

Metrics and 95 % intervals are those of `metrics` (Poisson bootstrap), so a version is measured in service as it was at its gate.
It is called worse only when the whole interval misses the limit.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any, Self

import numpy as np

from .. import metrics
from ..drift.quality import Finding
from ..metrics import LESS_IS_BETTER
from . import ground_truth, predictions
from .attribution import UNKNOWN
from .context import Context
from .label_join import LabelJoin
from .live_version import LiveVersion
from .predictions import Predictions

SLACK = timedelta(days=1)
"""Labels may be written before the monitor has read their requests."""
SEED = 0
SHOWN_FILES = 5


@dataclass(frozen=True)
class Quality:
    """The model quality that the labels show. `judged` is False while it cannot be measured; `reason` says why, or the result.

    `records` are predictions of the judged `versions`, `labelled` those with a label; `labels` are all that were read, of which
    `duplicates` are further ones for the same record, `without_record` belong to no prediction and `missing` have no value.
    `shortfall`: by how much the interval's better end misses `limit`, negative when it does not. `seen`: digest of the files.
    """

    judged: bool = False
    reason: str = "there are no labels yet"
    versions: list[int] = field(default_factory=list)
    records: int = 0
    labelled: int = 0
    labels: int = 0
    duplicates: int = 0
    without_record: int = 0
    missing: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)
    first_error: str = ""
    sampled: bool = False
    metric: str = ""
    limit: float = 0.0
    shortfall: float = 0.0
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    seen: str = ""

    @classmethod
    def from_report(cls, report: Mapping[str, Any] | None) -> Self | None:
        """From the last run's latest.json."""
        kept = (report or {}).get("quality")
        return cls(**{each.name: kept[each.name] for each in fields(cls)}) if kept else None

    @property
    def coverage(self) -> float:
        """Share of the judged records that have a label."""
        return self.labelled / self.records if self.records else 0.0

    @property
    def worse(self) -> bool:
        """Whether even the interval's better end misses the limit."""
        return self.judged and self.shortfall > 0

    def findings(self, allowed: float) -> list[Finding]:
        """Labels that cannot be used; a violation when they are more than the share `allowed` of all."""
        bad = sum(self.unreadable.values())
        if not bad:
            return []
        names = sorted(self.unreadable, key=lambda key: -self.unreadable[key])
        files = ", ".join(f"{name} ({self.unreadable[name]})" for name in names[:SHOWN_FILES])
        text = f"{bad} of {self.labels} labels cannot be used: {files}; the first: {self.first_error}"
        return [Finding("ground_truth", "ground truth", text, bad > allowed * self.labels)]


@dataclass(frozen=True)
class Judgement:
    """A quality, and whether this run measured it: an old one publishes no metrics."""

    quality: Quality
    is_new: bool


def judge(context: Context, live: LiveVersion, last: Quality | None, has_new_records: bool) -> Judgement:
    """Measure the predictions of the window `monitoring.quality.window` that have a label.

    The `last` quality stands when the files of labels are the same, unless labels were waiting for records and
    `has_new_records`.
    """
    since = context.scheduled - timedelta(seconds=context.monitoring["quality"]["window"])
    files = ground_truth.new_files(context.data_uri, since - SLACK)
    seen = _digest(files)
    if last and last.seen == seen and not (has_new_records and last.without_record):
        return Judgement(last, is_new=False)
    if not files:
        return Judgement(Quality(seen=seen), is_new=False)
    if live.classes is None and not context.regression:
        reason = f"version {live.version} was registered without its classes; the next one can be judged"
        return Judgement(Quality(seen=seen, reason=reason), is_new=True)
    stored = predictions.read(context.reports_uri, since, live.width)
    reader = ground_truth.LabelReader(ground_truth.Label(context.label, live.classes or [], context.regression))
    join = LabelJoin(stored)
    for entry in files:
        join.add_all(reader.read(context.data_uri, entry))
    counted = Quality(
        seen=seen,
        labels=reader.labels,
        missing=reader.missing,
        unreadable=reader.bad_by_object,
        first_error=reader.first_error,
        duplicates=join.duplicates,
        without_record=join.without_record,
        sampled=stored.sampled,
    )
    return Judgement(_measure(counted, stored.predictions, join.truth, context, live), is_new=True)


def _digest(files: list[dict[str, Any]]) -> str:
    """Of names, times and contents: S3 has whole seconds, and a file may be written twice in one."""
    names = [f"{entry['Key']} {entry['LastModified'].isoformat()} {entry['ETag']}" for entry in files]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def _measure(
    counted: Quality, predicted: Predictions, truth: np.ndarray, context: Context, live: LiveVersion
) -> Quality:
    limits, gate = context.monitoring["quality"], context.settings["gate"]
    versions = _versions_to_judge(predicted, truth, limits["minimum_labels"], live.version)
    of_versions = np.isin(predicted.versions, versions)
    has_label = of_versions & ~np.isnan(truth)
    quality = replace(counted, versions=versions, records=int(of_versions.sum()), labelled=int(has_label.sum()))
    if quality.labelled < limits["minimum_labels"] or quality.coverage < limits["minimum_coverage"]:
        return replace(quality, reason=_too_few_labels(quality, limits))
    measured = _metrics(context.settings["problem"], truth[has_label], predicted.take(has_label))
    quality = replace(quality, metric=gate["metric"], metrics=measured)
    if quality.metric not in measured:
        reason = f"{quality.metric} cannot be measured: all {quality.labelled} labels are the same"
        return replace(quality, reason=reason)
    return _compare(quality, limit_of(gate, limits["margin"], live.evaluation))


def _versions_to_judge(predicted: Predictions, truth: np.ndarray, minimum_labels: int, live: int) -> list[int]:
    """The live version when it has enough labels, else it and those before it, back until they have enough.

    A model that is trained every night has been replaced when its labels arrive. Versions after the live one were taken back,
    and predictions whose version is ambiguous or unknown are judged as nobody's.
    """
    versions: list[int] = []
    labels = 0
    newest_first = [version for version in np.unique(predicted.versions)[::-1].tolist() if UNKNOWN < version <= live]
    for version in newest_first:
        count = int((~np.isnan(truth[predicted.versions == version])).sum())
        if count:
            versions.append(version)
            labels += count
        if labels >= minimum_labels:
            break
    return versions or newest_first[:1]


def _too_few_labels(quality: Quality, limits: Mapping[str, Any]) -> str:
    return (
        f"not enough labels yet: {quality.labelled} of {quality.records} records have one ({quality.coverage:.1%}); "
        f"at least {limits['minimum_labels']} and {limits['minimum_coverage']:.1%} are needed"
    )


def _metrics(problem: str, truth: np.ndarray, predicted: Predictions) -> dict[str, dict[str, float]]:
    """The metrics that the labels allow: with one class only, for instance, there is no auc."""
    labels = truth if problem == "regression" else truth.astype("int64")
    measured = metrics.evaluate(problem, labels, predicted.metric_scores, SEED)
    return {name: each for name, each in measured.items() if np.isfinite(list(each.values())).all()}


def limit_of(gate: Mapping[str, Any], margin: float | None, evaluation: Mapping[str, Any]) -> float:
    """The gate's limit; with a margin the stricter of it and the live version's value at its gate less the margin."""
    less_is_better = gate["metric"] in LESS_IS_BETTER
    limit = gate["maximum"] if less_is_better else gate["minimum"]
    at_gate = evaluation.get("metrics", {}).get(gate["metric"], {}).get("value")
    if margin is None or at_gate is None:
        return limit
    return min(limit, at_gate + margin) if less_is_better else max(limit, at_gate - margin)


def _compare(quality: Quality, limit: float) -> Quality:
    """Compare the interval with the limit."""
    less_is_better, measured = quality.metric in LESS_IS_BETTER, quality.metrics[quality.metric]
    value, low, high = measured["value"], measured["low"], measured["high"]
    shortfall = low - limit if less_is_better else limit - high
    judged = replace(quality, judged=True, limit=limit, shortfall=shortfall)
    bound = "at most" if less_is_better else "at least"
    verdict = "the whole interval misses the limit" if judged.worse else "within the limit"
    reason = (
        f"{quality.metric} {value:.4f} ({low:.4f} to {high:.4f}) on {quality.labelled} labelled records "
        f"({quality.coverage:.1%}): {verdict}, {bound} {limit:.4g}"
    )
    return replace(judged, reason=reason)
