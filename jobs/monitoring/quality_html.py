"""Model quality from labels on the page of a monitor run."""

from typing import Any

from .html_elements import Html, element, joined, table

WIDTH = 200


def section(quality: dict[str, Any]) -> Html:
    """Each metric with its interval, beside the value at the version's gate. `quality`: that of report.json."""
    kind = "bad" if quality["worse"] else "good" if quality["judged"] else "note"
    content = [element("h2", "Quality from labels"), element("p", quality["reason"], class_=kind)]
    if quality["labels"]:
        content.append(element("p", _counted(quality), class_="note"))
    if quality["labels"] and quality["metrics"]:
        titles = ("measure", "now", "95 % interval", "at its gate", "as a picture")
        rows = (_measure(name, each, quality) for name, each in quality["metrics"].items())
        content.append(table("Quality from labels", titles, rows, numbers=(1, 2, 3)))
    return joined(content)


def _counted(quality: dict[str, Any]) -> str:
    versions = ", ".join(map(str, quality["versions"])) or "none"
    return (
        f"Versions judged: {versions}. {quality['labels']:,} labels: {quality['duplicates']:,} further ones for the same "
        f"record, {quality['without_record']:,} without a record, {quality['missing']:,} empty"
        f"{'; a sample of them was joined' if quality['sampled'] else ''}."
    )


def _measure(name: str, each: dict[str, float], quality: dict[str, Any]) -> tuple[str, ...]:
    gated = name == quality["metric"]
    at_gate = quality["at_gate"].get(name)
    marks = [value for value in (at_gate, quality["limit"] if gated else None) if value is not None]
    value = f"{each['value']:.4f}"
    return (
        name,
        element("span", value, class_="bad") if gated and quality["worse"] else value,
        f"{each['low']:.4f} to {each['high']:.4f}",
        "-" if at_gate is None else f"{at_gate:.4f}",
        _interval(each, marks),
    )


def _interval(each: dict[str, float], marks: list[float]) -> Html:
    """The interval as a bar and its value as a point; ticks at the value at the gate and at the limit."""
    ends = [each["low"], each["high"], *marks]
    start, width = min(ends), (max(ends) - min(ends)) or 1.0
    low, value, high, *ticks = (
        5 + (WIDTH - 10) * (at - start) / width for at in (each["low"], each["value"], each["high"], *marks)
    )
    lines = "".join(f'<rect class="before" x="{at - 0.75:.1f}" y="2" width="1.5" height="16"/>' for at in ticks)
    bar = f'<rect class="now" x="{low:.1f}" y="9" width="{max(1.0, high - low):.1f}" height="3"/>'
    point = f'<circle class="now" cx="{value:.1f}" cy="10.5" r="4"/>'
    # The numbers stand beside it, so a screen reader passes it over.
    return element("svg", Html(lines + bar + point), width=f"{WIDTH}", height="20", aria_hidden="true")
