"""Elements of an HTML page as text. The image of the jobs has no library for it."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape


class Html(str):
    """Text that is HTML already. Every other text is escaped when it becomes part of an element."""

    __slots__ = ()


def element(name: str, *content: str, **attributes: str) -> Html:
    """`<name …>content</name>`; names of attributes are without a trailing `_`, and `_` inside stands for `-`."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{given}>{joined(content)}</{name}>")


def joined(content: Iterable[str], separator: str = "") -> Html:
    """Texts and elements one after the other."""
    return Html(separator.join(each if isinstance(each, Html) else escape(each) for each in content))


def facts(of: Mapping[str, str]) -> Html:
    """Names and values; those without a value are left out."""
    return element("dl", *(joined((element("dt", name), element("dd", value))) for name, value in of.items() if value))


def table(label: str, titles: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> Html:
    """A table that scrolls by itself on a narrow page. The first cell of a row is its name; `numbers`: columns of numbers."""

    def cell(kind: str, index: int, content: str, **more: str) -> Html:
        return element(kind, content, **more, **({"class_": "n"} if index in numbers else {}))

    head = joined(cell("th", index, title, scope="col") for index, title in enumerate(titles))
    lines = (
        element(
            "tr",
            element("th", row[0], scope="row"),
            *(cell("td", index, content) for index, content in enumerate(row[1:], start=1)),
        )
        for row in rows
    )
    content = element("table", element("thead", element("tr", head)), element("tbody", *lines))
    return element("div", content, class_="wide", role="region", aria_label=label, tabindex="0")


def clipped(text: str, length: int = 60) -> str:
    """The text, without what is beyond `length` characters."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def listed(texts: Sequence[str], most: int) -> Html:
    """A list of at most `most` texts, and how many there are besides; nothing for none."""
    if not texts:
        return Html("")
    more = [f"and {len(texts) - most} more, which report.json has"] if len(texts) > most else []
    return element("ul", *(element("li", text) for text in [*texts[:most], *more]))
