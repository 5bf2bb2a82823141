"""The columns on the page of a monitor run: a distribution for each that moved most, and one line for every one.

The page stays small whatever the number of columns: distributions and lines have an upper limit, the worst columns come first,
and report.json has all.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..drift.column import ColumnProfile
from ..drift.profile import Profile
from .html_elements import Html, clipped, element, joined, table

MOST_DRIFTED_SHOWN = 30
SHOWN = 9
"""Distributions on the page when fewer columns drifted."""
MOST_LINES = 300
MOST_CATEGORIES = 6
WIDTH, HEIGHT = 300, 72
LEGEND = joined(
    (
        element("span", class_="key before", aria_hidden="true"),
        element("span", "training"),
        element("span", class_="key now", aria_hidden="true"),
        element("span", "now"),
    )
)


def worst_first(features: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Drifted columns first, then by weight and effect."""
    return sorted(features, key=lambda each: (not each["drifted"], -each["weight"], -each["effect"]))


def distributions(features: Sequence[dict[str, Any]], reference: Profile, current: Profile) -> Html:
    """The columns that moved most, each with its likely cause and its distribution before and now."""
    drifted = sum(each["drifted"] for each in features)
    shown = features[: min(MOST_DRIFTED_SHOWN, max(drifted, SHOWN))]
    cards = (_card(each, reference.columns[each["name"]], current.columns[each["name"]]) for each in shown)
    left = len(features) - len(shown)
    more = [element("p", f"The other {left} columns are in the next table.", class_="note")] if left else []
    legend = element("p", LEGEND, "; ranges of numbers had about equal counts in training")
    return joined((element("h2", "Columns that moved most"), legend, element("div", *cards, class_="cards"), *more))


def every_column(features: Sequence[dict[str, Any]]) -> Html:
    """One line for each column."""
    titles = ("column", "effect", "rows moved", "weight in the model", "result")
    left = len(features) - MOST_LINES
    more = [element("p", f"{left} more, with smaller effects, are in report.json.", class_="note")] if left > 0 else []
    lines = (_line(each) for each in features[:MOST_LINES])
    return joined(
        (element("h2", "Every column"), table("Every column", titles, lines, numbers=(1, 2, 3)), *more),
    )


def _line(feature: Mapping[str, Any]) -> tuple[str, ...]:
    weight = "-" if feature["importance"] is None else f"{feature['importance']:.0%}"
    reason = clipped(feature["reason"], 100)
    result = element("span", f"drifted: {reason}", class_="bad") if feature["drifted"] else reason
    return clipped(feature["name"]), f"{feature['effect']:.3f}", f"{feature['share']:.1%}", weight, result


def _card(feature: Mapping[str, Any], before: ColumnProfile, now: ColumnProfile) -> Html:
    name = clipped(feature["name"])
    effect = f"effect {feature['effect']:.3f}, {feature['share']:.1%} of the rows moved"
    return element("section", element("h3", name), *_cause(feature), element("p", effect), _chart(name, before, now))


def _cause(feature: Mapping[str, Any]) -> list[Html]:
    """The likely cause, then the quantiles."""
    if not feature["drifted"]:
        return [element("p", feature["reason"], class_="note")]
    since = f", since {feature['since']}" if feature["since"] else ""
    cause = element("span", clipped(feature["meaning"] or feature["reason"], 200), class_="bad")
    lines = [element("p", cause, since)]
    if feature["quantiles_before"] and feature["quantiles_now"]:
        old, new = (_quantiles(feature[key]) for key in ("quantiles_before", "quantiles_now"))
        lines.append(element("p", f"10, 50 and 90 % quantiles: {old} in training, {new} now"))
    return lines


def _quantiles(values: list[float]) -> str:
    last = len(values) - 1
    return ", ".join(f"{values[round(share * last)]:.4g}" for share in (0.1, 0.5, 0.9))


def _chart(name: str, before: ColumnProfile, now: ColumnProfile) -> Html:
    old, new = [*before.counts, before.counted_nulls], [*now.counts, now.counted_nulls]
    if not sum(old) or not sum(new):
        return element("p", "no data", class_="note")
    shares = [(a / sum(old), b / sum(new)) for a, b in zip(old, new, strict=True)]
    return _bins(name, before, shares) if before.numeric else _categories(name, before, shares)


def _bins(name: str, column: ColumnProfile, shares: Sequence[tuple[float, float]]) -> Html:
    """Bars of both distributions over the same ranges, missing values last. The ranges had about equal counts in training."""
    top = max(map(max, shares))
    width = WIDTH / len(shares)
    paths = [
        element("path", class_=kind, d="".join(_bar(x, width * 0.42, share / top) for x, share in drawn))
        for offset, kind in ((0.0, "before"), (0.45, "now"))
        for drawn in [[((i + offset) * width, pair[kind == "now"]) for i, pair in enumerate(shares)]]
    ]
    picture = element(
        "svg", *paths, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=f"Distribution of {name}, by range"
    )
    last = len(shares) - 2  # behind it are missing values
    ends = f"{column.label(0)} … {column.label(last)}" if last else column.label(0)
    return element("figure", picture, element("figcaption", f"{ends}, then missing; highest bar {top:.0%}"))


def _bar(x: float, width: float, share: float) -> str:
    height = HEIGHT * share
    return f"M{x:.1f} {HEIGHT}v-{height:.1f}h{width:.1f}v{height:.1f}z" if height >= 0.1 else ""


def _categories(name: str, column: ColumnProfile, shares: Sequence[tuple[float, float]]) -> Html:
    """Shares of the categories that changed most."""
    order = sorted(range(len(shares)), key=lambda index: -abs(shares[index][1] - shares[index][0]))
    shown = [index for index in order if max(shares[index])][:MOST_CATEGORIES]
    top = max((max(shares[index]) for index in shown), default=1.0)
    rows = (
        (clipped(column.label(index), 24), *(f"{share:.1%}" for share in shares[index]), _pair(*shares[index], top))
        for index in shown
    )
    return table(f"Values of {name}", ("value", "training", "now", "as bars"), rows, numbers=(1, 2))


def _pair(before: float, now: float, top: float) -> Html:
    """Two bars; the numbers stand beside them, so a screen reader passes them over."""
    bars = "".join(
        f'<rect class="{kind}" y="{y}" width="{80 * share / top:.1f}" height="7"/>'
        for kind, y, share in (("before", 0, before), ("now", 8, now))
    )
    return element("svg", Html(bars), width="80", height="16", aria_hidden="true")
