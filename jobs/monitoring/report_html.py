"""The monitor's report as one HTML page without external files: drift of each column with its distributions, and quality."""

from html import escape
from typing import Any

from ..drift.column import ColumnProfile
from ..drift.profile import Profile

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;color:#1f2430}
h1{font-size:1.5rem;margin-bottom:.2rem} .sum{color:#5b6270}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #e6e8ee;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums} .bad{color:#b3261e;font-weight:600} .ok{color:#1a7f4b}
.legend span{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em;border-radius:2px}
"""
TITLES = ("feature", "effect", "rows moved", "weight in the model", "distribution", "what changed")
BEFORE, NOW = "#9aa7bd", "#e0672f"


def render(model: str, report: dict[str, Any], reference: Profile, current: Profile) -> str:
    """The page, with drifted features first, then by weight and effect. `report` is report.json."""
    features = sorted(report["features"], key=lambda f: (not f["drifted"], -f["weight"], -f["effect"]))
    rows = "".join(_row(f, reference.columns[f["name"]], current.columns[f["name"]]) for f in features)
    verdict = ", ".join(map(escape, report["drifted"])) or "nothing"
    kind = "bad" if report["drifted"] else "ok"
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(model)}: monitor</title><style>{STYLE}</style>"
        f"<h1>{escape(model)}, version {report['version']}: <span class='{kind}'>{verdict} drifted</span></h1>"
        f"<p class='sum'>{escape(report['scheduled_time'])} · {report['rows']:,} rows against {report['reference_rows']:,} "
        f"training rows · {escape(report['reason'])}</p>{_problems(report)}"
        f"<p class='legend'><span style='background:{BEFORE}'></span>training<span style='background:{NOW}'></span>now</p>"
        f"<table><tr>{''.join(f'<th>{title}</th>' for title in TITLES)}</tr>"
        f"{rows}</table>{_quality(report['quality'])}{_all_columns(report)}</html>"
    )


def _row(feature: dict[str, Any], before: ColumnProfile, now: ColumnProfile) -> str:
    weight = "" if feature["importance"] is None else f"{feature['importance']:.0%}"
    kind = "bad" if feature["drifted"] else ""
    return (
        f"<tr><td class='{kind}'>{escape(feature['name'])}</td><td class='n {kind}'>{feature['effect']:.3f}</td>"
        f"<td class='n'>{feature['share']:.1%}</td><td class='n'>{weight}</td><td>{_bars(before, now)}</td>"
        f"<td>{'<br>'.join(_explanation(feature))}</td></tr>"
    )


def _explanation(feature: dict[str, Any]) -> list[str]:
    """Lines of the last cell: the likely cause first, then the numbers."""
    if not feature["drifted"]:
        return [escape(feature["reason"])]
    since = f", since {escape(feature['since'])}" if feature["since"] else ""
    lines = [f"<b>{escape(feature['meaning'] or feature['reason'])}</b>{since}"]
    lines += [f"{escape(name)}: {old:.1%} → {new:.1%}" for name, old, new in feature["moved"]]
    if feature["quantiles_before"] and feature["quantiles_now"]:
        pairs = (_quantiles(feature[key]) for key in ("quantiles_before", "quantiles_now"))
        lines.append("10, 50, 90 %: " + " → ".join(pairs))
    return lines


def _quantiles(values: list[float]) -> str:
    last = len(values) - 1
    return ", ".join(f"{values[round(share * last)]:.4g}" for share in (0.1, 0.5, 0.9))


def _bars(before: ColumnProfile, now: ColumnProfile) -> str:
    """A bar chart of both distributions over the same bins, missing values last; at most 40 bins."""
    old, new = [*before.counts, before.counted_nulls], [*now.counts, now.counted_nulls]
    if not sum(old) or not sum(new):
        return "no data"
    shares = [(a / sum(old), b / sum(new)) for a, b in zip(old, new, strict=True)][:40]
    top = max(max(pair) for pair in shares) or 1.0
    width = 200 / len(shares)
    bars = []
    for index, pair in enumerate(shares):
        for offset, (share, colour) in enumerate(zip(pair, (BEFORE, NOW), strict=True)):
            height = 46 * share / top
            x = index * width + offset * width * 0.45
            bars.append(
                f"<rect x='{x:.1f}' y='{48 - height:.1f}' width='{width * 0.42:.1f}' height='{height:.1f}' fill='{colour}'/>"
            )
    return f"<svg width='200' height='50' role='img'>{''.join(bars)}</svg>"


def _problems(report: dict[str, Any]) -> str:
    listed = [f"{escape(name or 'rows')}: {escape(text)}" for name, text in report["violations"]]
    if report["bad_lines"]:
        listed.append(
            f"requests that could not be read: {report['bad_lines']}; the first: {escape(report['first_bad_line'])}"
        )
    return f"<ul class='bad'>{''.join(f'<li>{line}</li>' for line in listed)}</ul>" if listed else ""


def _quality(quality: dict[str, Any]) -> str:
    """Model quality from labels: each metric with its interval, beside the value at the version's gate."""
    kind = "bad" if quality["worse"] else "ok" if quality["judged"] else "sum"
    head = f"<h2>Quality from labels</h2><p class='{kind}'>{escape(quality['reason'])}</p>"
    if not quality["labels"]:
        return head
    versions = ", ".join(map(str, quality["versions"])) or "none"
    counted = (
        f"<p class='sum'>Versions judged: {versions}. {quality['labels']:,} labels: {quality['duplicates']:,} further ones for "
        f"the same record, {quality['without_record']:,} without a record, {quality['missing']:,} empty"
        f"{'; a sample of them was joined' if quality['sampled'] else ''}.</p>"
    )
    if not quality["metrics"]:
        return head + counted
    titles = ("measure", "now", "95 % interval", "at its gate", "")
    lines = "".join(_measure(name, each, quality) for name, each in quality["metrics"].items())
    return f"{head}{counted}<table><tr>{''.join(f'<th>{title}</th>' for title in titles)}</tr>{lines}</table>"


def _measure(name: str, each: dict[str, float], quality: dict[str, Any]) -> str:
    gated = name == quality["metric"]
    at_gate = quality["at_gate"].get(name)
    marks = [value for value in (at_gate, quality["limit"] if gated else None) if value is not None]
    kind = "bad" if gated and quality["worse"] else ""
    return (
        f"<tr><td class='{kind}'>{escape(name)}</td><td class='n {kind}'>{each['value']:.4f}</td>"
        f"<td class='n'>{each['low']:.4f} to {each['high']:.4f}</td>"
        f"<td class='n'>{'' if at_gate is None else f'{at_gate:.4f}'}</td><td>{_interval(each, marks)}</td></tr>"
    )


def _interval(each: dict[str, float], marks: list[float]) -> str:
    """The interval as a bar and its value as a point; ticks at the value at the gate and at the limit."""
    ends = [each["low"], each["high"], *marks]
    start, width = min(ends), (max(ends) - min(ends)) or 1.0
    low, value, high, *ticks = (
        5 + 190 * (at - start) / width for at in (each["low"], each["value"], each["high"], *marks)
    )
    lines = "".join(f"<rect x='{at - 0.75:.1f}' y='2' width='1.5' height='16' fill='{BEFORE}'/>" for at in ticks)
    return (
        f"<svg width='200' height='20' role='img'>{lines}"
        f"<rect x='{low:.1f}' y='9' width='{max(1.0, high - low):.1f}' height='3' fill='{NOW}'/>"
        f"<circle cx='{value:.1f}' cy='10.5' r='4' fill='{NOW}'/></svg>"
    )


def _all_columns(report: dict[str, Any]) -> str:
    """What is not about one feature: scores, windows of days, all columns together, findings that are no violations."""
    lines = [
        f"{escape(column['name'])}: {escape(column['reason'])} (effect {column['effect']:.3f})"
        for column in report["prediction"]
    ]
    lines.append(f"windows of days: {escape(report['slow']['reason'])}")
    if report["joint"]:
        lines.append(f"all columns together: {escape(report['joint']['reason'])}")
    lines += [f"{escape(f['column'] or 'rows')}: {escape(f['text'])}" for f in report["findings"] if not f["violation"]]
    return f"<h2>All columns</h2><ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"
