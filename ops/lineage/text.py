"""A lineage in a terminal: a tree, with what is missing or was altered in red."""

from rich.text import Text
from rich.tree import Tree

from .links import Link

SHOWN_OBJECTS = 20
"""Objects that are shown below `data`; those with a problem always are."""


def tree(link: Link) -> Tree:
    """The lineage as a tree that rich prints."""
    root = Tree(_label(link))
    _add(root, link)
    return root


def _add(branch: Tree, link: Link) -> None:
    shown = [each for index, each in enumerate(link.below) if index < SHOWN_OBJECTS or each.problems()]
    for each in shown:
        _add(branch.add(_label(each)), each)
    if hidden := len(link.below) - len(shown):
        branch.add(Text(f"and {hidden} more; --json has all", style="dim"))


def _label(link: Link) -> Text:
    text = Text(f"{link.kind} ", style="dim")
    text.append(link.name, style="bold red" if link.problem else "bold")
    if link.kind == "libraries":  # one line in place of one for each
        text.append(f"\n{', '.join(f'{name} {version}' for name, version in link.facts.items())}", style="dim")
    for name, value in link.facts.items() if link.kind != "libraries" else ():
        text.append(f"\n{name}: ", style="dim").append(value)
    if link.id:
        text.append(f"\n{link.id}", style="dim")
    if link.problem:
        text.append(f"\n{link.problem}", style="bold red")
    return text
