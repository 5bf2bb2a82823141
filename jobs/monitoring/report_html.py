"""The page of a monitor run: one HTML file without external files, for any number of columns of bounded size."""

from datetime import UTC, datetime
from typing import Any

from .. import page_style
from ..drift.profile import Profile
from . import columns_html, quality_html
from .html_elements import Html, clipped, element, facts, joined, listed

MOST_NAMES = 4
MOST_LISTED = 50


def render(model: str, environment: str, report: dict[str, Any], reference: Profile, current: Profile) -> str:
    """The page. `report` is report.json; the worst columns come first, and without rows no column is shown."""
    place = f"{model} in {environment}" if environment else model
    name = f"{place}: monitor run of {_time(report)}"
    features = columns_html.worst_first(report["features"])
    columns = (columns_html.distributions(features, reference, current), columns_html.every_column(features))
    head = element(
        "head",
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", name),
        element("style", Html(page_style.css())),
    )
    body = element(
        "body",
        element("header", element("h1", f"{place}, version {report['version']}: ", _verdict(report))),
        element(
            "main",
            _summary(report),
            _problems(report),
            *(columns if report["rows"] else ()),
            quality_html.section(report["quality"]),
            _all_columns(report),
        ),
    )
    return f"<!doctype html>{element('html', head, body, lang='en')}"


def _verdict(report: dict[str, Any]) -> Html:
    """The result of the comparisons; only a run that compared enough rows can say that nothing drifted."""
    drifted = report["drifted"]
    if drifted:
        more = f" and {len(drifted) - MOST_NAMES} more" if len(drifted) > MOST_NAMES else ""
        return element("span", f"{', '.join(map(clipped, drifted[:MOST_NAMES]))}{more} drifted", class_="bad")
    if not report["rows"]:
        return element("span", "no rows, nothing was compared", class_="warn")
    if not report["decided"]:
        return element("span", "too few rows, nothing was decided", class_="warn")
    return element("span", "nothing drifted", class_="good")


def _summary(report: dict[str, Any]) -> Html:
    versions = [f"{rows:,} by version {version}" for version, rows in report["answered"].items()]
    versions += [f"{report['ambiguous']:,} by one of several"] if report["ambiguous"] else []
    return facts(
        {
            "scheduled for": _time(report),
            "rows": f"{report['rows']:,}, compared with {report['reference_rows']:,} of training",
            "answered": ", ".join(versions),
            "drift": _drift(report),
            "data": _data(report),
            "quality": report["quality"]["reason"],
        }
    )


def _time(report: dict[str, Any]) -> str:
    return f"{datetime.fromisoformat(report['scheduled_time']).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _drift(report: dict[str, Any]) -> str:
    features = report["features"]
    found = sum(each["drifted"] for each in features)
    return f"{found} of {len(features)} columns drifted" if found else report["reason"]


def _data(report: dict[str, Any]) -> Html:
    count = len(report["violations"]) + bool(report["bad_lines"])
    if count:
        return element("span", "1 violation" if count == 1 else f"{count} violations", class_="bad")
    return element("span", "no violation" if report["rows"] else "no rows, nothing was checked")


def _problems(report: dict[str, Any]) -> Html:
    found = [f"{clipped(name or 'rows')}: {clipped(text, 300)}" for name, text in report["violations"]]
    if report["bad_lines"]:
        first = clipped(report["first_bad_line"], 300)
        found.append(f"requests that could not be read: {report['bad_lines']}; the first: {first}")
    return joined((element("h2", "Violations"), listed(found, MOST_LISTED))) if found else Html("")


def _all_columns(report: dict[str, Any]) -> Html:
    """What is not about one column: scores, windows of days, all columns together, findings that are no violations."""
    lines = [
        f"{column['name']}: {column['reason'] or 'not decided'} (effect {column['effect']:.3f})"
        for column in report["prediction"]
        if report["rows"]
    ]
    lines.append(f"windows of days: {report['slow']['reason']}")
    if report["joint"]:
        lines.append(f"all columns together: {report['joint']['reason']}")
    lines += [
        f"{clipped(each['column'] or 'rows')}: {clipped(each['text'], 300)}"
        for each in report["findings"]
        if not each["violation"]
    ]
    return joined((element("h2", "Scores and rows as a whole"), listed(lines, MOST_LISTED)))
