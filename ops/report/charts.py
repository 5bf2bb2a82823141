"""Charts as SVG elements inside of a page. Their colours are those of the page, so they follow its dark mode."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from htpy import Node, figcaption
from htpy import figure as figure_
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Colours that are replaced by properties of the page (page.css). Matplotlib writes them as they are.
_INK, _MUTED, _LINE, _BAND = "#010101", "#020202", "#030303", "#040404"
_PROPERTIES = {_INK: "currentColor", _MUTED: "var(--muted)", _LINE: "var(--accent)", _BAND: "var(--band)"}
_STYLE: dict[Any, Any] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "svg.fonttype": "none",  # texts stay texts: small, readable by screen readers, in the page's font
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": _INK,
    "axes.edgecolor": _MUTED,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "xtick.color": _INK,
    "ytick.color": _INK,
    "lines.linewidth": 1.5,
}
_UNUSED = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"<metadata>.*?</metadata>",
        r"<!--.*?-->",
        r"<style.*?</style>",  # it would apply to the whole page
        r"font-family:[^;\"]*;? ?",
        r' transform="rotate\(-?0 [^)]*\)"',
        r"<defs>\s*</defs>",
    )
]
_ID = re.compile(r' id="([^"]*)"')
_REFERENCE = re.compile(r'(?:href="|url\()#([^")]+)')
_SPACE = re.compile(r"\s+")
_PLAIN_GROUP = re.compile(r"<g> ?((?:(?!</?g[ >]).)*?)</g> ?")
_VALUE = re.compile(r'="[^"]*"')
"""Coordinates are rounded in values of attributes, and numbers in texts are not."""
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_PLOT_INCHES = (2.4, 1.7)


class Charts:
    """Makes the charts of one page. Ids inside of a chart start with its number, so those of two charts differ."""

    def __init__(self) -> None:
        self._count = 0

    def lines(self, title: str, x: Sequence[str], series: Mapping[str, Sequence[float | None]]) -> Node:
        """One line for each of `series` over the same texts on the x axis, such as days. `title`: what a screen reader says."""
        with mpl.rc_context(_STYLE):
            figure = Figure(figsize=(4.4, 2), layout="constrained")
            axes = figure.subplots()
            for index, (name, values) in enumerate(series.items()):
                shown = [float("nan") if value is None else value for value in values]
                axes.plot(
                    range(len(x)),
                    shown,
                    color=_LINE,
                    linestyle=("-", "--", ":", "-.")[index % 4],
                    label=name,
                    marker=".",
                )
            axes.set_xticks(range(len(x)), x, rotation=30 if len(x) > 6 else 0, ha="right" if len(x) > 6 else "center")
            if len(series) > 1:
                figure.legend(frameon=False, fontsize=8, loc="outside upper left", ncols=2)
            return self._svg(figure, title)

    def calibration(self, title: str, bins: Sequence[dict[str, float]]) -> Node:
        """Observed against predicted values, with intervals and the diagonal."""
        with mpl.rc_context(_STYLE):
            figure = Figure(figsize=(2.6, 2.4), layout="constrained")
            axes = figure.subplots()
            predicted, observed = [each["predicted"] for each in bins], [each["observed"] for each in bins]
            ends = [min(predicted + observed), max(predicted + observed)]
            axes.plot(ends, ends, color=_MUTED, linewidth=1)
            errors = [[b["observed"] - b["low"] for b in bins], [b["high"] - b["observed"] for b in bins]]
            axes.errorbar(predicted, observed, yerr=errors, color=_LINE, fmt=".", elinewidth=1)
            axes.set_xlabel("predicted")
            axes.set_ylabel("observed")
            return self._svg(figure, title)

    def dependence(self, title: str, columns: Mapping[str, dict[str, Any]]) -> Node:
        """The mean score against the values of each column, side by side on the same scale."""
        with mpl.rc_context(_STYLE):
            width, height = _PLOT_INCHES
            across = min(2, len(columns))
            rows = -(-len(columns) // across)
            figure = Figure(figsize=(width * across * 0.9, height * rows), layout="constrained")
            grid = figure.subplots(rows, across, squeeze=False, sharey=True).flatten()
            for axes, (name, each) in zip(grid, columns.items(), strict=False):
                numbers = all(
                    isinstance(value, int | float) and not isinstance(value, bool) for value in each["values"]
                )
                at = each["values"] if numbers else range(len(each["values"]))
                for index, curve in enumerate(each["scores"]):
                    line = ("-", "--", ":", "-.")[index % 4] if numbers else ""
                    axes.plot(at, curve, color=_LINE, linestyle=line, marker="" if numbers else "o", markersize=3)
                if not numbers:
                    axes.set_xticks(at, [str(value)[:6] for value in each["values"]], fontsize=7)
                axes.set_title(name)
            for axes in grid[len(columns) :]:
                axes.set_visible(False)
            return self._svg(figure, title)

    def _svg(self, figure: Figure, title: str) -> Node:
        self._count += 1
        with mpl.rc_context({"svg.hashsalt": f"chart{self._count}"}), io.StringIO() as file:
            FigureCanvasSVG(figure).print_svg(
                file, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
            )
            text = file.getvalue()
        label = Markup.escape(title)
        chart = _compact(text[text.index("<svg") :])
        return figure_[
            Markup(chart.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)),  # noqa: S704
            figcaption[title],
        ]


def _compact(text: str) -> str:
    """The chart without what the page does not need; a page has some for each of a hundred models."""
    for unused in _UNUSED:
        text = unused.sub("", text)
    used = set(_REFERENCE.findall(text))
    text = _ID.sub(lambda found: found[0] if found[1] in used else "", text)
    text = _VALUE.sub(lambda value: _NUMBER.sub(lambda found: f"{float(found[0]):.1f}", value[0]), text)
    for colour, name in _PROPERTIES.items():
        text = text.replace(colour, name)
    text = _SPACE.sub(" ", text)
    while (shorter := _PLAIN_GROUP.sub(r"\1", text)) != text:
        text = shorter
    return text
