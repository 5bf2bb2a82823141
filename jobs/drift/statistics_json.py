"""Profiles in the formats of SageMaker Model Monitor: statistics.json, constraints.json, constraint_violations.json.

Source: 'Schema for Statistics', 'Schema for Constraints' and 'Schema for Violations' in SageMaker's developer guide.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .column import ColumnProfile
from .decision import DriftReport
from .profile import Profile
from .quality import Finding

INFERRED = {"integer": "Integral", "number": "Fractional", "boolean": "Integral"}


def statistics(profile: Profile) -> dict[str, Any]:
    """statistics.json."""
    features = [_feature(name, column) for name, column in profile.columns.items()]
    return {"version": 0.0, "dataset": {"item_count": profile.rows}, "features": features}


def constraints(profile: Profile, columns: Iterable[Any]) -> dict[str, Any]:
    """constraints.json; `columns` are the declared ones (name, values)."""
    domains = {column.name: column.values for column in columns}
    features = []
    for name, column in profile.columns.items():
        feature: dict[str, Any] = {
            "name": name,
            "inferred_type": INFERRED.get(column.type, "String"),
            "completeness": column.present / column.rows if column.rows else 0.0,
        }
        if column.numeric:
            feature["num_constraints"] = {"is_non_negative": (column.minimum or 0.0) >= 0}
        elif domains.get(name):
            feature["string_constraints"] = {"domains": [str(value) for value in domains[name]]}
        features.append(feature)
    config = {
        "evaluate_constraints": "Enabled",
        "emit_metrics": "Enabled",
        "datatype_check_threshold": 1.0,
        "domain_content_threshold": 1.0,
        "distribution_constraints": {
            "perform_comparison": "Enabled",
            "comparison_threshold": 0.1,
            "comparison_method": "Robust",
        },
    }
    return {"version": 0.0, "features": features, "monitoring_config": config}


def violations(
    reports: Iterable[DriftReport], data_problems: Iterable[tuple[str, str]], findings: Iterable[Finding] = ()
) -> dict[str, Any]:
    """constraint_violations.json: drifted columns, (column, description) of values that break the schema, and findings.

    Findings have checks that Model Monitor does not know, such as volume_check, freshness_check and ground_truth_check.
    """
    violations = [
        {"feature_name": c.name, "constraint_check_type": "baseline_drift_check", "description": c.reason}
        for report in reports
        for c in report.drifted
    ]
    violations += [
        {"feature_name": name, "constraint_check_type": _kind(text), "description": text}
        for name, text in data_problems
    ]
    violations += [
        {"feature_name": f.column, "constraint_check_type": f"{f.kind}_check", "description": f.text}
        for f in findings
        if f.violation
    ]
    return {"violations": violations}


def _kind(description: str) -> str:
    if "missing" in description:
        return "completeness_check"
    return "categorical_values_check" if "not one of" in description else "data_type_check"


def _feature(name: str, column: ColumnProfile) -> dict[str, Any]:
    common = {"num_present": column.present, "num_missing": column.nulls}
    feature: dict[str, Any] = {"name": name, "inferred_type": INFERRED.get(column.type, "String")}
    if column.numeric:
        bounds = [column.minimum, *column.edges, column.maximum]
        buckets = [
            {"lower_bound": bounds[index], "upper_bound": bounds[index + 1], "count": float(count)}
            for index, count in enumerate(column.counts)
            if count
        ]
        feature["numerical_statistics"] = {
            "common": common,
            "mean": column.mean,
            "sum": column.mean * column.present,
            "std_dev": column.std,
            "min": column.minimum,
            "max": column.maximum,
            "distribution": {"kll": {"buckets": buckets}},
        }
    else:
        counts = [
            {"value": value, "count": count} for value, count in zip(column.categories, column.counts, strict=False)
        ]
        feature["string_statistics"] = {
            "common": common,
            "distinct_count": float(np.int64(column.distinct)),
            "distribution": {"categorical": {"buckets": counts}},
        }
    return feature
