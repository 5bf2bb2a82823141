"""report.json of a monitor run, but for the quality from labels (quality_report.py)."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from ..drift.decision import ColumnDrift
from .attribution import AMBIGUOUS, UNKNOWN
from .check import Check
from .live_version import LiveVersion
from .window import Window


def summary(scheduled: datetime, live: LiveVersion, window: Window, check: Check) -> dict[str, Any]:
    """Drift and data quality of one run, as JSON has them."""
    return {
        "scheduled_time": scheduled.isoformat(),
        "version": live.version,
        "rows": window.data.rows,
        "reference_rows": check.drift.reference_rows,
        "decided": check.drift.decided,
        "reason": check.reason,
        "drifted": check.drifted,
        "features": [_feature(column, live, check) for column in check.drift.columns],
        "prediction": [asdict(column) for each in (check.scores, *check.other_scores) for column in each.columns],
        "answered": {str(version): rows for version, rows in sorted(window.answered.items()) if version > UNKNOWN},
        "ambiguous": window.answered[AMBIGUOUS],
        "slow": {"reason": check.slow.reason, "columns": [asdict(column) for column in check.slow.columns]},
        "joint": asdict(check.joint) if check.joint else None,
        "violations": check.violations(window),
        "findings": [asdict(finding) for finding in check.findings],
        "bad_lines": window.bad_lines,
        "bad_by_object": window.bad_by_object,
        "first_bad_line": window.first_error,
    }


def _feature(column: ColumnDrift, live: LiveVersion, check: Check) -> dict[str, Any]:
    """A column's comparison, with its quantiles, its weight in the model, the first day of its drift, and the likely cause."""
    slow = next((each for each in check.slow.drifted if each.name == column.name), None)
    return asdict(column) | {
        "drifted": column.drifted or slow is not None,
        "reason": slow.reason if slow and not column.drifted else column.reason,
        "quantiles_before": live.baseline.columns[column.name].quantiles,
        "quantiles_now": check.quantiles.get(column.name, []),
        "weight": (column.importance or 0.0) * column.effect,
        "since": check.since.get(column.name, ""),
        "meaning": check.explanations.get(column.name, ""),
    }
