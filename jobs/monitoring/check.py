"""One check of a window: features and scores, slow drift, joint drift, data quality; false alarms limited over all of them.

What late labels say of the model is judged apart (model_quality.py): it has a window of its own.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ..drift import decision, quality
from ..drift.decision import ColumnDrift, DriftLimits, DriftReport
from ..drift.explain import meaning, quantiles_now
from ..drift.history import History, slow_drift
from ..drift.joint import joint_drift
from ..drift.quality import Finding
from .live import Live
from .window import Window

TODAY, SLOW, JOINT = 0.6, 0.2, 0.2
"""How a check's false-alarm rate is shared out: to its columns and scores, to the days together, to the rows as a whole."""


@dataclass
class Check:
    """What was found. `explanations` and `since` are by drifted column."""

    drift: DriftReport
    scores: DriftReport
    slow: DriftReport
    joint: ColumnDrift | None
    history: History
    findings: list[Finding] = field(default_factory=list)
    quantiles: dict[str, list[float]] = field(default_factory=dict)
    explanations: dict[str, str] = field(default_factory=dict)
    since: dict[str, str] = field(default_factory=dict)

    @property
    def reports(self) -> list[DriftReport]:
        """All comparisons."""
        joint = DriftReport(self.drift.rows, self.drift.reference_rows, [self.joint] if self.joint else [], True)
        return [self.drift, self.scores, self.slow, joint]

    @property
    def drifted(self) -> list[str]:
        """Names of what drifted; a feature counts once, whichever test found it."""
        return list(dict.fromkeys(column.name for report in self.reports for column in report.drifted))

    @property
    def reason(self) -> str:
        """In a sentence."""
        if not self.drift.decided and not self.drifted:
            return self.drift.reason
        return f"drifted: {', '.join(self.drifted)}" if self.drifted else "no column drifted"

    @property
    def decided(self) -> bool:
        """Whether there were rows enough to say anything; a check that decided nothing must not end an alarm."""
        return bool(self.drift.decided or self.drifted)

    def violations(self, window: Window) -> list[tuple[str, str]]:
        """(column, description) of what breaks the schema or the data's usual shape."""
        return [*window.violations, *((f.column, f.text) for f in self.findings if f.violation)]


def examine(found: Live, window: Window, history: History, scheduled: datetime, monitoring: dict[str, Any]) -> Check:
    """Decide everything about the window; its counts join the history."""
    limits = DriftLimits.from_settings(monitoring["drift"])
    rate = limits.false_alarm_rate
    drift = decision.compare_all(found.baseline, window.data, found.importance)
    scores = decision.compare_all(found.score_baseline, window.scores)
    decision.judge([drift, scores], replace(limits, false_alarm_rate=rate * TODAY))
    today = f"{scheduled:%Y-%m-%d}"
    if window.data.rows:
        history.add(today, window.data, (column.name for column in drift.drifted))
    slow = slow_drift(history, found.baseline, replace(limits, false_alarm_rate=rate * SLOW))
    sample = window.sample.table()
    joint = None
    if found.sample is not None and sample is not None:
        joint = joint_drift(found.sample, sample, found.baseline.types, replace(limits, false_alarm_rate=rate * JOINT))
    check = Check(drift, scores, slow, joint, history)
    check.findings = quality.new_categories(found.baseline, window.data, window.new_values)
    check.findings += quality.duplicates(found.sample, sample)
    _explain(check, found, window)
    return check


def _explain(check: Check, found: Live, window: Window) -> None:
    sample = window.sample.table()
    for name, column in found.baseline.columns.items():
        if column.numeric and sample is not None:
            check.quantiles[name] = quantiles_now(sample.column(name))
    for column in [*check.drift.drifted, *check.slow.drifted]:
        name = column.name
        before, now = found.baseline.columns[name], window.data.columns[name]
        check.explanations.setdefault(name, meaning(column, before, now, check.quantiles.get(name, [])))
        check.since[name] = check.history.since(found.baseline, name)
