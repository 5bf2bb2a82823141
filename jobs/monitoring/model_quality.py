"""How right the answers were, once labels come: late, partial and repeated ones, joined with what was answered.

Measures and 95 % intervals are those of jobs/metrics.py (Poisson bootstrap), so a version is judged in service as it was at its
gate. It is called worse only when the whole interval is: even the interval's better end misses the limit.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np

from .. import metrics
from ..drift.quality import Finding
from ..metrics import LESS_IS_BETTER
from . import ground_truth, predictions
from .live import Live

SLACK = timedelta(days=1)
"""Labels may be written before the monitor has seen their requests."""
SEED = 0
SHOWN_FILES = 5


@dataclass
class Quality:
    """What the labels say. `judged` is False where they are too few; `reason` says why, or how good the answers were.

    `records` are answers of the judged `versions`, `labelled` those with a label; `labels` are all that were read, of which
    `duplicates` came again for the same record, `without_record` belong to no answer, and `missing` have no value.
    """

    judged: bool = False
    reason: str = "no labels have come"
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
        """What is wrong with the labels themselves; a violation when more than the share `allowed` cannot be used."""
        bad = sum(self.unreadable.values())
        if not bad:
            return []
        names = sorted(self.unreadable, key=lambda key: -self.unreadable[key])
        files = ", ".join(f"{name} ({self.unreadable[name]})" for name in names[:SHOWN_FILES])
        text = f"{bad} of {self.labels} labels cannot be used: {files}; the first: {self.first_error}"
        return [Finding("ground_truth", "ground truth", text, bad > allowed * self.labels)]


def judge(
    found: Live, settings: dict[str, Any], data_uri: str, scheduled: datetime, last: Quality | None, fresh: bool
) -> tuple[Quality, bool]:
    """The quality of the window's answers, and whether it was judged anew.

    Without new labels nothing new can be said and the last result stands, unless labels had been waiting for their records and
    records are `fresh`.
    """
    since = scheduled - timedelta(seconds=settings["monitoring"]["quality"]["window"])
    files = ground_truth.objects(data_uri, since - SLACK)
    # S3 tells whole seconds: a file may be written twice in one.
    names = [f"{entry['Key']} {entry['LastModified'].isoformat()} {entry['ETag']}" for entry in files]
    seen = hashlib.sha256("\n".join(names).encode()).hexdigest()
    if last and last.seen == seen and not (fresh and last.without_record):
        return last, False
    quality = Quality(seen=seen)
    if not files:
        return quality, False
    if found.classes is None and settings["problem"] != "regression":
        quality.reason = f"version {found.version} was registered without its classes; the next one can be judged"
        return quality, True
    known, threshold = predictions.read(since, found.width)
    reading = ground_truth.Reading(settings["data"]["label"], found.classes or [], settings["problem"] == "regression")
    truth = _join(known, threshold, data_uri, files, reading, quality)
    quality.labels, quality.missing = reading.labels, reading.missing
    quality.unreadable, quality.first_error = reading.bad_by_object, reading.first_error
    quality.sampled = threshold < predictions.EVERY_KEY
    _measure(quality, known, truth, found, settings)
    return quality, True


def _join(
    known: predictions.Answers,
    threshold: int,
    data_uri: str,
    files: list[dict[str, Any]],
    reading: ground_truth.Reading,
    quality: Quality,
) -> np.ndarray:
    """The label of each answer, NaN where there is none. `known` is sorted by key; of several labels the last one counts."""
    truth = np.full(len(known), np.nan)
    for entry in files:
        for keys, values in ground_truth.read(data_uri, entry, reading):
            inside = keys <= np.uint64(threshold)
            keys, values = keys[inside], values[inside]
            places = np.minimum(np.searchsorted(known.keys, keys), max(0, len(known) - 1))
            fits = known.keys[places] == keys if len(known) else np.zeros(len(keys), bool)
            quality.without_record += int((~fits).sum())
            places, values = places[fits], values[fits]
            first = np.unique(places[np.isnan(truth[places])])
            truth[places] = values
            quality.duplicates += len(places) - len(first)
    return truth


def _measure(
    quality: Quality, known: predictions.Answers, truth: np.ndarray, found: Live, settings: dict[str, Any]
) -> None:
    limits, gate = settings["monitoring"]["quality"], settings["gate"]
    judged = _versions(known, truth, limits["minimum_labels"])
    chosen = np.isin(known.versions, judged)
    labelled = chosen & ~np.isnan(truth)
    quality.versions, quality.records, quality.labelled = judged, int(chosen.sum()), int(labelled.sum())
    if quality.labelled < limits["minimum_labels"] or quality.coverage < limits["minimum_coverage"]:
        quality.reason = (
            f"not enough labels yet: {quality.labelled} of {quality.records} records have one ({quality.coverage:.1%}); "
            f"at least {limits['minimum_labels']} and {limits['minimum_coverage']:.1%} are needed"
        )
        return
    problem, scores, labels = settings["problem"], known.scores[labelled], truth[labelled]
    if problem != "regression":
        labels = labels.astype("int64")
    measured = metrics.evaluate(problem, labels, scores if scores.shape[1] > 1 else scores[:, 0], SEED)
    quality.metrics = {name: each for name, each in measured.items() if np.isfinite(list(each.values())).all()}
    quality.metric = gate["metric"]
    if quality.metric not in quality.metrics:
        quality.reason = f"{quality.metric} cannot be measured: all {quality.labelled} labels are the same"
        return
    quality.judged = True
    quality.limit = limit_of(gate, limits["margin"], found.evaluation)
    _compare(quality)


def _versions(known: predictions.Answers, truth: np.ndarray, enough: int) -> list[int]:
    """The live version when it has enough labels; else it and those before it, back until there are enough.

    A model that is trained every night is long replaced when its labels come.
    """
    chosen: list[int] = []
    labels = 0
    for version in np.unique(known.versions)[::-1].tolist():
        count = int((~np.isnan(truth[known.versions == version])).sum())
        if count:
            chosen.append(version)
            labels += count
        if labels >= enough:
            break
    return chosen or np.unique(known.versions)[::-1].tolist()[:1]


def limit_of(gate: Mapping[str, Any], margin: float | None, evaluation: Mapping[str, Any]) -> float:
    """The gate's limit; with a margin the stricter of it and what the live version reached at its gate, less the margin."""
    less = gate["metric"] in LESS_IS_BETTER
    limit = gate["maximum"] if less else gate["minimum"]
    reached = evaluation.get("metrics", {}).get(gate["metric"], {}).get("value")
    if margin is None or reached is None:
        return limit
    return min(limit, reached + margin) if less else max(limit, reached - margin)


def _compare(quality: Quality) -> None:
    less, measured = quality.metric in LESS_IS_BETTER, quality.metrics[quality.metric]
    value, low, high = measured["value"], measured["low"], measured["high"]
    quality.shortfall = low - quality.limit if less else quality.limit - high
    bound = "at most" if less else "at least"
    verdict = "even the better end misses" if quality.worse else "within"
    quality.reason = (
        f"{quality.metric} {value:.4f} ({low:.4f} to {high:.4f}) on {quality.labelled} labelled records "
        f"({quality.coverage:.1%}): {verdict} what is asked for, {bound} {quality.limit:.4g}"
    )


def statistics(problem: str, quality: Quality) -> dict[str, Any]:
    """As Model Monitor writes statistics.json of model quality."""
    measured = {
        name: {"value": each["value"], "standard_deviation": each["standard_deviation"]}
        for name, each in quality.metrics.items()
    }
    return {"version": 0.0, "dataset": {"item_count": quality.labelled}, f"{problem}_metrics": measured}


def violations(quality: Quality) -> dict[str, Any]:
    """As Model Monitor writes constraint_violations.json of model quality."""
    if not quality.worse:
        return {"violations": []}
    less, measured = quality.metric in LESS_IS_BETTER, quality.metrics[quality.metric]
    kind = "GreaterThanThreshold" if less else "LessThanThreshold"
    description = (
        f"Metric {quality.metric} with {measured['value']:g} +/- {measured['standard_deviation']:g} was {kind} "
        f"'{quality.limit:g}'"
    )
    return {
        "violations": [
            {"constraint_check_type": kind, "description": description, "metric_name": quality.metric},
        ]
    }


def metrics_of(quality: Quality) -> dict[str, float]:
    """CloudWatch metrics of a judgement: none of quality while there are too few labels."""
    if not quality.labels:
        return {}
    values = {"LabelledRecords": float(quality.labelled), "LabelCoverage": quality.coverage}
    if quality.judged:
        values |= {name: each["value"] for name, each in quality.metrics.items()}
        values |= {
            "QualityLow": quality.metrics[quality.metric]["low"],
            "QualityHigh": quality.metrics[quality.metric]["high"],
            "QualityShortfall": quality.shortfall,
        }
    return values


def report(quality: Quality, evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """The part of report.json; `evaluation` is the live version's at its gate."""
    at_gate = {name: each["value"] for name, each in evaluation.get("metrics", {}).items()}
    return asdict(quality) | {"coverage": quality.coverage, "worse": quality.worse, "at_gate": at_gate}
