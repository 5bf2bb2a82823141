"""The text of an explanation, for a terminal and as JSON."""

import json
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from .explain import Column, Explanation

BAR = 24
"""Width of the longest bar."""


def heading(found: Explanation) -> list[str]:
    """The lines above the table: request, version with its lineage, score."""
    which = f", record {found.record} of {found.records}" if found.records > 1 else ""
    more = f" (the newest of {found.other_requests + 1} with this id)" if found.other_requests else ""
    label = "" if found.label is None else f" of {found.label!r}"
    lines = [
        f"{found.model} in {found.environment}, request {found.inference_id}{which}{more}",
        f"answered {found.time:%Y-%m-%d %H:%M:%S} UTC, captured in {found.key}",
        f"version {found.version}, {found.attribution}",
        *(f"  {line}" for line in found.lineage),
        f"score{label} {found.score:.6g}: {_verdict(found)}",
        f"  by the code of {found.artifact}, SHA-256 {found.artifact_digest[:16]}…"
        + ("" if found.verified else ", which nothing was compared with: the version has no artifact_digest"),
    ]
    return [*lines, _sum(found)]


def _verdict(found: Explanation) -> str:
    if found.captured is None:
        return "computed again; the answer was not captured"
    if found.distance == 0:
        return "computed again, equal to the captured answer"
    kind = "equal to the captured answer but for the last digits" if found.reproduced else "NOT the captured answer"
    return f"computed again, {kind}: {found.captured!r} then, {found.score!r} now, {found.distance:.3g} apart"


def _sum(found: Explanation) -> str:
    if found.base is None:
        return f"no contributions: {found.why_no_columns}"
    total = sum(each.contribution for each in found.columns)
    how = "exact Shapley values" if found.method == "exact" else "Shapley values from sampled permutations"
    left = f"{found.score:.6g}"
    if found.scale != "score":
        how += f" of the {found.scale}"
        left = f"{found.scale} {found.total:.6g}, which makes the score {found.score:.6g},"
    return (
        f"{left} = {found.base:.6g} (mean of {found.background} training rows) {total:+.6g} "
        f"(contributions below; {how})"
    )


def table(found: Explanation, columns: int) -> Table:
    """The contributions, the largest first; beyond `columns` they are added up in one line."""
    shown, rest = found.columns[:columns], found.columns[columns:]
    widest = max((abs(each.contribution) for each in shown), default=0.0)
    drawn = Table(box=None, pad_edge=False)
    drawn.add_column("column", overflow="fold")
    drawn.add_column("value", overflow="fold")
    to = "" if found.scale == "score" else f" to {found.scale}"
    drawn.add_column(f"contribution{to}", justify="right", no_wrap=True)
    if found.method == "sampled":
        drawn.add_column("± error", justify="right", no_wrap=True)
    drawn.add_column("", no_wrap=True)
    for each in shown:
        drawn.add_row(*_cells(found, each, widest))
    if rest:
        total = sum(each.contribution for each in rest)
        cells = [f"{len(rest)} others", "", f"{total:+.4f}", *([""] if found.method == "sampled" else []), ""]
        drawn.add_row(*cells)
    return drawn


def _cells(found: Explanation, each: Column, widest: float) -> list[Text | str]:
    value = (
        "missing" if each.value is None else f"{each.value:.6g}" if isinstance(each.value, float) else str(each.value)
    )
    error = [f"{each.error:.4f}"] if found.method == "sampled" else []
    return [Text(each.name), Text(value), f"{each.contribution:+.4f}", *error, _bar(each.contribution, widest)]


def _bar(contribution: float, widest: float) -> Text:
    """To the left for less, to the right for more."""
    length = round(BAR / 2 * abs(contribution) / widest) if widest else 0
    if contribution < 0:
        return Text(" " * (BAR // 2 - length) + "█" * length + "│", "red")
    return Text(" " * (BAR // 2) + "│" + "█" * length, "green")


def as_json(found: Explanation) -> str:
    """The explanation as one JSON object."""
    content: dict[str, Any] = asdict(found) | {"distance": found.distance, "reproduced": found.reproduced}
    return json.dumps(content, indent=2, default=str)
