"""The section of one model: versions, gate, drift, features, groups of rows, data and lineage, limits of use."""

from collections.abc import Iterator, Mapping
from typing import Any

from htpy import Node, Renderable, code, h2, h3, p, section

from model_factory.functions.shared.approvals import status_set_by

from ..operations.versions import gate_metric
from .charts import Charts
from .elements import bar, facts, flow, interval, note, number, sheet, when
from .glance import measured
from .lineage import changed, lineage
from .sources import ModelReport

SHOWN_FEATURES = 10
SHOWN_COLUMNS = 60
MAX_CURVES = 4


def section_of(report: ModelReport, charts: Charts) -> Renderable:
    """The section of a model in an environment."""
    status = report.status
    title = f"{status.model} in {status.environment}"
    return section(aria_labelledby=report.key)[
        h2(id=report.key)[title],
        list(_state(report)),
        list(_versions(report, charts)),
        list(_champion(report)),
        list(_drift(report, charts)),
        list(_scored(report)),
        list(_features(report, charts)),
        list(_groups(report)),
        list(_data(report)),
        list(_use(report)),
        [note(f"Not shown: {reason}.") for reason in sorted(set(report.missing.values()))],
    ]


def _state(report: ModelReport) -> Iterator[Node]:
    status, config = report.status, report.config
    if config and config.description:
        yield p[config.description]
    yield facts(
        {
            "state": status.state,
            "live version": f"v{status.version}" if status.version else "none",
            "measured": measured(report),
        }
    )
    for finding in status.findings:
        yield p[f"{finding.state}: {finding.what}", [". ", code[finding.command]] if finding.command else ""]


def _versions(report: ModelReport, charts: Charts) -> Iterator[Node]:
    yield h3["Versions"]
    if not report.versions:
        yield note("No version is registered yet.")
        return
    rows = [_version(each) for each in report.versions]
    yield sheet(f"Versions of {report.key}", ("version", "registered", "metric", "status", "decided by", "why"), rows)
    oldest_first = report.versions[::-1]
    values = [_value(each) for each in oldest_first]
    if sum(value is not None for value in values) > 1:
        name = oldest_first[-1].get("CustomerMetadataProperties", {}).get("metric", "metric")
        labels = [f"v{each['ModelPackageVersion']}" for each in oldest_first]
        yield charts.lines(f"{name} of each version", labels, {name: values})


def _version(package: dict[str, Any]) -> tuple[Node, ...]:
    metadata = package.get("CustomerMetadataProperties", {})
    status = package["ModelApprovalStatus"]
    why = package.get("ApprovalDescription") or package.get("ModelPackageDescription", "")
    return (
        f"v{package['ModelPackageVersion']}",
        when(package["CreationTime"]),
        gate_metric(metadata) or "-",
        status,
        status_set_by(package) or "-",
        why,
    )


def _value(package: dict[str, Any]) -> float | None:
    value = package.get("CustomerMetadataProperties", {}).get("metric_value")
    return float(value) if value else None


def _champion(report: ModelReport) -> Iterator[Node]:
    evaluation = report.document("evaluation")
    if not evaluation:
        return
    yield h3["Gate"]
    yield p[evaluation["gate"]["reason"]]
    champion = evaluation.get("champion")
    ours = evaluation["metrics"]
    theirs = (champion or {}).get("metrics") or {}
    titles = (
        "metric",
        "this version",
        "95 % interval",
        *((f"version {champion['version']} before it",) if champion else ()),
    )
    rows: list[tuple[Node, ...]] = []
    for name, each in ours.items():
        row = (name, number(each["value"]), f"{number(each['low'])} to {number(each['high'])}")
        rows.append((*row, *((number(theirs.get(name, {}).get("value")),) if champion else ())))
    yield sheet(f"Metrics of {report.key}", titles, rows, numbers=(1, 2, 3))
    yield note(f"Measured on {evaluation['rows']:,} test rows.")


def _drift(report: ModelReport, charts: Charts) -> Iterator[Node]:
    yield h3["Drift"]
    if not report.runs:
        yield note("No check has run yet.")
        return
    last = report.runs[-1]
    verdict = ", ".join(last["drifted"]) or ("no column" if last["decided"] else "not decided")
    yield p[f"{when(last['scheduled_time'])}: {verdict}. {last['reason']}"]
    if len(report.runs) > 1:
        strongest = sorted(last["features"], key=lambda each: -each["effect"])[:MAX_CURVES]
        series = {each["name"]: [_effect(run, each["name"]) for run in report.runs] for each in strongest}
        days = [when(run["scheduled_time"])[5:16] for run in report.runs]
        yield charts.lines("Effect of the drift of the columns that moved most, by check", days, series)
    if last["violations"]:
        rows = [(name or "rows", text) for name, text in last["violations"]]
        yield sheet(f"Violations of {report.key}", ("column", "violation"), rows)


def _scored(report: ModelReport) -> Iterator[Node]:
    """Runs that scored files; nothing for a model that has none."""
    if not report.scorings:
        return
    yield h3["Scored files"]
    rows = [
        (
            when(each["time"]),
            f"v{each['version']}" if each["version"] else "-",
            each["outcome"],
            f"{len(each['objects']):,}",
            f"{each['rows']:,}",
            each["reason"] or "",
        )
        for each in report.scorings
    ]
    titles = ("run", "version", "outcome", "files", "rows", "why it failed")
    yield sheet(f"Files scored by {report.key}", titles, rows, numbers=(3, 4))


def _effect(run: Mapping[str, Any], name: str) -> float | None:
    return next((each["effect"] for each in run["features"] if each["name"] == name), None)


def _features(report: ModelReport, charts: Charts) -> Iterator[Node]:
    importance = report.document("importance")
    if not importance:
        return
    yield h3["Features"]
    largest = max(importance.values()) or 1.0
    rows = [(name, f"{share:.1%}", bar(share / largest)) for name, share in list(importance.items())[:SHOWN_FEATURES]]
    yield sheet(f"Importance of features of {report.key}", ("column", "importance", "as a bar"), rows, numbers=(1,))
    explanation = report.document("explanation")
    if curves := dict(list(explanation.get("partial_dependence", {}).items())[:MAX_CURVES]):
        yield charts.dependence(
            "Partial dependence: the mean score when a column has the same value in every row", curves
        )
    if calibration := explanation.get("calibration"):
        text = f"Calibration: observed against predicted values; mean distance {number(calibration['error'])}"
        yield charts.calibration(text, calibration["bins"])


def _groups(report: ModelReport) -> Iterator[Node]:
    slices = report.document("explanation").get("slices", {})
    if not slices:
        return
    yield h3["Performance by group"]
    metric = report.document("evaluation").get("gate", {}).get("metric", "metric")
    for column, groups in slices.items():
        found = [each for each in groups if "value" in each]
        start, end = (
            min((each["low"] for each in found), default=0.0),
            max((each["high"] for each in found), default=1.0),
        )
        rows = [_group(each, start, end) for each in groups]
        yield sheet(
            f"Groups by {column} of {report.key}",
            (column, "rows", metric, "95 % interval", "as a picture"),
            rows,
            numbers=(1, 2, 3),
        )


def _group(each: dict[str, Any], start: float, end: float) -> tuple[Node, ...]:
    if "value" not in each:
        return each["group"], f"{each['rows']:,}", "-", each["reason"], ""
    low, value, high = each["low"], each["value"], each["high"]
    return (
        each["group"],
        f"{each['rows']:,}",
        number(value),
        f"{number(low)} to {number(high)}",
        interval(low, value, high, start, end),
    )


def _data(report: ModelReport) -> Iterator[Node]:
    live = report.live or {}
    metadata = live.get("CustomerMetadataProperties", {})
    yield h3["Data and lineage"]
    yield flow(f"Lineage of {report.key}", lineage(report))
    if difference := changed(report):
        yield p[difference]
    yield facts(
        {
            "manifest": metadata.get("data_manifest"),
            "data digest": metadata.get("data_digest"),
            "code": _code(metadata),
            "libraries": metadata.get("libraries_digest"),
            "image": metadata.get("image"),
            "seed": metadata.get("seed"),
            "artifact": metadata.get("artifact_digest"),
            "trained by": metadata.get("pipeline_execution"),
            "promoted from": metadata.get("origin"),
        }
    )
    if columns := report.document("columns").get("columns"):
        rows = [(each["name"], each["type"], _rule(each)) for each in columns[:SHOWN_COLUMNS]]
        yield sheet(f"Data contract of {report.key}", ("column", "type", "rule"), rows)
        if len(columns) > SHOWN_COLUMNS:
            yield note(f"{len(columns) - SHOWN_COLUMNS} more columns are in columns.json.")


def _code(metadata: Mapping[str, str]) -> str | None:
    digest, commit = metadata.get("code_digest"), metadata.get("git_commit")
    return f"{digest} of commit {commit}" if commit and digest else digest


def _rule(column: Mapping[str, Any]) -> str:
    parts = [f"at least {column['minimum']:g}"] if column.get("minimum") is not None else []
    parts += [f"at most {column['maximum']:g}"] if column.get("maximum") is not None else []
    parts += [f"one of {', '.join(map(str, column['values']))}"] if column.get("values") else []
    parts += ["not null"] if column.get("nullable") is False else []
    return "; ".join(parts)


def _use(report: ModelReport) -> Iterator[Node]:
    if report.config is None:
        return
    texts = report.config.report
    yield h3["Use"]
    yield facts(
        {
            "intended use": texts.intended_use or "not said in model.yaml (report.intended_use)",
            "limits": texts.limits_of_use or "not said in model.yaml (report.limits_of_use)",
        }
    )
