"""The text that `model-factory status` prints: a line for each model, and below it what there is to know."""

import textwrap
from collections.abc import Iterator, Sequence

from .status import ModelStatus

GOOD = ("live",)
BAD = ("endpoint gone", "endpoint failed", "left over", "rolled back", "version rejected", "training failed")
HEADINGS = ("model", "state", "live", "metric", "trained")
GAP, INDENT = "  ", "    "

type Line = tuple[str, str]
"""Text and style of a line."""


def lines(environment: str, where: str, statuses: Sequence[ModelStatus], width: int) -> Iterator[Line]:
    """The models of one environment. Columns that do not fit `width` characters become lines below the model."""
    yield f"{environment} ({where})", "bold"
    if not statuses:
        yield "  no models", ""
        return
    rows = [_row(each) for each in statuses]
    columns = _columns(rows, width)
    widths = [max(len(row[column]) for row in [HEADINGS, *rows]) for column in columns]
    yield _join([HEADINGS[column] for column in columns], widths), "dim"
    for row, status in zip(rows, statuses, strict=True):
        yield _join([row[column] for column in columns], widths), _style(status)
        hidden = [column for column in range(len(HEADINGS)) if column not in columns and row[column] != "-"]
        yield from ((f"{INDENT}{HEADINGS[column]} {row[column]}", "") for column in hidden)
        yield from _below(status, width)


def _row(status: ModelStatus) -> tuple[str, ...]:
    trained = f"{status.trained:%m-%d %H:%M} {status.trigger or 'by hand'}" if status.trained else "never"
    version = f"v{status.version}" if status.version else "-"
    return (status.model, status.state, version, status.metric or "-", "-" if _absent(status) else trained)


def _absent(status: ModelStatus) -> bool:
    return status.state == "not deployed"


def _columns(rows: Sequence[tuple[str, ...]], width: int) -> list[int]:
    """The columns that fit, from the left."""
    columns = list(range(len(HEADINGS)))
    while len(columns) > 2 and sum(max(len(row[each]) for row in [HEADINGS, *rows]) for each in columns) > (
        width - len(GAP) * (len(columns) - 1)
    ):
        columns.pop()
    return columns


def _join(cells: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _below(status: ModelStatus, width: int) -> Iterator[Line]:
    for finding in status.findings:
        for line in _wrap(finding.what, width):
            yield line, ""
        if finding.command:
            # Not wrapped: a command is copied as a whole.
            yield f"{INDENT}-> {finding.command}", "cyan"
    if status.alarms:
        for line in _wrap(f"alarms: {', '.join(status.alarms)}", width):
            yield line, "yellow"


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False)


def _style(status: ModelStatus) -> str:
    if status.state in BAD:
        return "bold red"
    return "green" if status.state in GOOD else "yellow"
