"""The pages of the documentation, and the blocks, inline commands and links in them."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "docs" / "reference" / "generated"
FENCE = re.compile(r"^\s*```(\w*)(.*)$")
INLINE_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block. `title` is that of the fence: the file that the block is, or is a part of."""

    page: str
    line: int
    language: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Every Markdown file that people read, without those that `make docs` generates."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(path for path in found if GENERATED not in path.parents)


def blocks(*languages: str) -> list[Block]:
    """All fenced blocks in these languages."""
    return [b for path in pages() for b in fenced(path.read_text(), name(path)) if b.language in languages]


def name(path: Path) -> str:
    """The page's path in the repository."""
    return str(path.relative_to(ROOT))


def fenced(text: str, page: str) -> Iterator[Block]:
    """Fenced blocks of a page, also those in lists."""
    start, opening, lines = 0, None, []
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if fence and opening is None:
            start, opening, lines = number, fence, []
        elif fence and opening:
            title = re.search(r'title="([^"]*)"', opening[2])
            content = textwrap.dedent("\n".join(lines)) + "\n"
            yield Block(page, start, opening[1], title[1] if title else "", content)
            opening = None
        else:
            lines.append(line)


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Numbered lines outside of fences."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            inside = not inside
        elif not inside:
            yield number, line


def indented_code(text: str) -> list[int]:
    """Lines of code blocks that are made by indentation and would not be checked."""
    found, in_list, blank = [], False, True
    for number, line in prose(text):
        if re.match(r"\s*([-*+]|\d+\.) ", line):
            in_list = True
        elif line and not line.startswith(" "):
            in_list = False
        if blank and not in_list and line.startswith("    ") and line.strip():
            found.append(number)
        blank = not line.strip()
    return found


def inline_code(text: str) -> Iterator[tuple[int, str]]:
    """Numbered pieces of code in the text."""
    for number, line in prose(text):
        for code in INLINE_CODE.findall(line):
            yield number, code


def links(text: str) -> Iterator[tuple[int, str]]:
    """Numbered targets of links."""
    for number, line in prose(text):
        for target in LINK.findall(INLINE_CODE.sub("code", line)):
            yield number, target


def anchors(text: str) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    headings = (re.match(r"#+ (.*)", line) for _, line in prose(text))
    return {re.sub(r"[^\w\- ]", "", h[1].lower()).replace(" ", "-") for h in headings if h}
