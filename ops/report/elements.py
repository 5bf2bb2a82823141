"""Elements that several sections of the page have: facts, tables that scroll, bars, intervals, times."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from htpy import Node, Renderable, code, dd, div, dl, dt, i, li, ol, p, span, table, tbody, td, th, thead, tr


def facts(of: Mapping[str, Node]) -> Renderable:
    """Names and values; those without a value are left out."""
    return dl[((dt[name], dd[value]) for name, value in of.items() if value not in (None, ""))]


def sheet(
    label: str,
    titles: Sequence[str],
    rows: Iterable[Sequence[Node]],
    *,
    numbers: Sequence[int] = (),
    stacked: bool = False,
) -> Renderable:
    """A table whose first column has the rows' names.

    `numbers`: columns of numbers. `stacked`: on a narrow page the cells of a row stand below each other, which suits sentences;
    by default the table scrolls by itself.
    """

    def kind(column: int) -> str | None:
        return "n" if column in numbers else None

    def role(name: str) -> str | None:
        # Cells that stand below each other are cells for a screen reader only if that is said.
        return name if stacked else None

    head = thead(role=role("rowgroup"))[
        tr(role=role("row"))[
            (th(scope="col", role=role("columnheader"), class_=kind(at))[title] for at, title in enumerate(titles))
        ]
    ]
    lines = (
        tr(role=role("row"))[
            th(scope="row", role=role("rowheader"))[row[0]],
            (td(role=role("cell"), class_=kind(at))[cell] for at, cell in enumerate(row[1:], start=1)),
        ]
        for row in rows
    )
    content = table(role=role("table"), aria_label=label if stacked else None)[
        head, tbody(role=role("rowgroup"))[lines]
    ]
    if stacked:
        return div(".stacked")[content]
    return div(".wide", role="region", aria_label=label, tabindex="0")[content]


def flow(label: str, boxes: Mapping[str, Node]) -> Renderable:
    """Boxes with arrows from each one to the next; those without content are left out."""
    return ol(".flow", aria_label=label)[
        (li[span(".note")[name], " ", content] for name, content in boxes.items() if content not in (None, ""))
    ]


def bar(share: float) -> Renderable:
    """A bar of at most 10 em; the number stands beside it, so a screen reader passes it over."""
    return span(".bar", style=f"width:{10 * max(0.0, min(1.0, share)):.2f}em", aria_hidden="true")


def interval(low: float, value: float, high: float, start: float, end: float) -> Renderable:
    """An interval and its value between `start` and `end`; the numbers stand beside it."""
    width = (end - start) or 1.0
    left, middle, right = (100 * max(0.0, min(1.0, (each - start) / width)) for each in (low, value, high))
    return span(".interval", aria_hidden="true")[
        span(style=f"left:{left:.1f}%;width:{max(1.0, right - left):.1f}%"),
        i(style=f"left:calc({middle:.1f}% - .12rem)"),
    ]


def note(text: str) -> Renderable:
    """A remark in grey."""
    return p(".note")[text]


def worded(text: str) -> list[Node]:
    """A sentence whose parts in backticks, such as commands, are code."""
    return [code[part] if index % 2 else part for index, part in enumerate(text.split("`"))]


def when(time: datetime | str | None) -> str:
    """A time as `2026-11-26 03:05 UTC`; `-` without one."""
    if time is None:
        return "-"
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def age(time: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit; `-` without a time."""
    if time is None:
        return "-"
    seconds = max(0.0, (now - time).total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return "just now"


def number(value: Any, digits: int = 4) -> str:
    """A number with so many decimals; `-` for none."""
    return "-" if value is None else f"{value:.{digits}f}"
