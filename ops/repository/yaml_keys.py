"""Rename keys of a YAML file without changing comments, order or layout."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml


def rename_key(path: Path, old: Sequence[str], new: str) -> list[int]:
    """Rename a key of a YAML file in place.

    Args:
        path: The file; block or flow style.
        old: The key with its parents, such as `("training", "image")`. `*` stands for every item of a list.
        new: The key's new name. Its position does not change.

    Returns:
        The numbers of the changed lines, from 1. Empty when the file has no such key.
    """
    text = path.read_text(encoding="utf-8")
    keys = list(_keys(yaml.compose(text, Loader=yaml.SafeLoader), tuple(old)))
    for key in sorted(keys, key=lambda node: -node.start_mark.index):
        text = text[: key.start_mark.index] + new + text[key.end_mark.index :]
    if keys:
        path.write_text(text, encoding="utf-8")
    return [key.start_mark.line + 1 for key in keys]


def _keys(node: yaml.Node | None, path: tuple[str, ...]) -> Iterator[yaml.Node]:
    first, rest = path[0], path[1:]
    if isinstance(node, yaml.SequenceNode) and first == "*":
        for item in node.value:
            yield from _keys(item, rest)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == first:
                if rest:
                    yield from _keys(value, rest)
                else:
                    yield key
