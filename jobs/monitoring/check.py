"""One check of a window: drift of features and scores, slow drift, joint drift, data quality.

The false-alarm rate is that of all comparisons together. Model quality from labels has its own window (model_quality.py).
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ..drift import decision, quality
from ..drift.decision import ColumnDrift, DriftLimits, DriftReport
from ..drift.explain import meaning, quantiles_now
from ..drift.history import History, slow_drift
from ..drift.joint import joint_drift
from ..drift.profile import Profile
from ..drift.quality import Finding
from .live_version import LiveVersion
from .window import Window

TODAY, SLOW, JOINT = 0.6, 0.2, 0.2
"""Shares of a check's false-alarm rate: columns and scores today, windows of days, rows as a whole."""


@dataclass
class Check:
    """The comparisons and findings of one check.

    `scores` are the live version's; `other_scores` compare those of other versions that answered with their own baselines, each
    as a column `score of version 6`. `quantiles` are by numeric column, `explanations` and `since` by drifted one.
    """

    drift: DriftReport
    scores: DriftReport
    slow: DriftReport
    joint: ColumnDrift | None
    history: History
    other_scores: list[DriftReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    quantiles: dict[str, list[float]] = field(default_factory=dict)
    explanations: dict[str, str] = field(default_factory=dict)
    since: dict[str, str] = field(default_factory=dict)

    @property
    def reports(self) -> list[DriftReport]:
        """All comparisons."""
        joint = DriftReport(self.drift.rows, self.drift.reference_rows, [self.joint] if self.joint else [], True)
        return [self.drift, self.scores, *self.other_scores, self.slow, joint]

    @property
    def drifted(self) -> list[str]:
        """Names of the drifted columns, `score` and `(joint)` among them; each once, whichever comparison found it."""
        return list(dict.fromkeys(column.name for report in self.reports for column in report.drifted))

    @property
    def reason(self) -> str:
        """The result in one sentence."""
        if not self.drift.decided and not self.drifted:
            return self.drift.reason
        return f"drifted: {', '.join(self.drifted)}" if self.drifted else "no column drifted"

    @property
    def decided(self) -> bool:
        """Whether there were enough rows to decide; a check that decided nothing must not end an alarm."""
        return bool(self.drift.decided or self.drifted)

    def violations(self, window: Window) -> list[tuple[str, str]]:
        """(column, description) of values that break the schema, and of findings that are violations."""
        return [*window.violations, *((f.column, f.text) for f in self.findings if f.violation)]


def examine(
    live: LiveVersion, window: Window, history: History, scheduled: datetime, monitoring: dict[str, Any]
) -> Check:
    """Compare the window with the live version's baselines, and add its counts to the history's day of `scheduled`."""
    limits = DriftLimits.from_settings(monitoring["drift"])
    rate = limits.false_alarm_rate
    drift = decision.compare_all(live.baseline, window.data, live.importance)
    scores = decision.compare_all(live.score_baseline, window.scores)
    others = [_scores_of(version, *found) for version, found in sorted(window.other_scores.items()) if found]
    decision.judge([drift, scores, *others], replace(limits, false_alarm_rate=rate * TODAY))
    today = f"{scheduled:%Y-%m-%d}"
    if window.data.rows:
        history.add(today, window.data, (column.name for column in drift.drifted))
    slow = slow_drift(history, live.baseline, replace(limits, false_alarm_rate=rate * SLOW))
    sample = window.sample.table()
    joint = None
    if live.sample is not None and sample is not None:
        joint = joint_drift(live.sample, sample, live.baseline.types, replace(limits, false_alarm_rate=rate * JOINT))
    check = Check(drift, scores, slow, joint, history, others)
    check.findings = quality.new_categories(live.baseline, window.data, window.new_values)
    check.findings += quality.duplicates(live.sample, sample)
    _explain(check, live, window)
    return check


def _scores_of(version: int, baseline: Profile, current: Profile) -> DriftReport:
    report = decision.compare_all(baseline, current)
    for column in report.columns:
        column.name = f"score of version {version}"
    return report


def _explain(check: Check, live: LiveVersion, window: Window) -> None:
    sample = window.sample.table()
    for name, column in live.baseline.columns.items():
        if column.numeric and sample is not None:
            check.quantiles[name] = quantiles_now(sample.column(name))
    for column in [*check.drift.drifted, *check.slow.drifted]:
        name = column.name
        before, now = live.baseline.columns[name], window.data.columns[name]
        check.explanations.setdefault(name, meaning(column, before, now, check.quantiles.get(name, [])))
        check.since[name] = check.history.since(live.baseline, name)
