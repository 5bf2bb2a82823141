"""Where two values differ: JSON, arrays, and the objects of pickles."""

import math
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import reproducibility
from .pickles import Built, name_of

THREAD_FIELDS = (*reproducibility.THREAD_FIELDS, "n_jobs")
"""Fields in which estimators keep how many threads they used or are to use; nothing that was learned is there."""
LONGEST = 60


@dataclass(frozen=True)
class Difference:
    """The place that differs, such as `._bin_mapper.n_threads`, and both values in short."""

    path: str
    original: str
    rebuilt: str

    @property
    def of_threads(self) -> bool:
        """Whether the place is a number of threads."""
        return self.path.rpartition(".")[2] in THREAD_FIELDS

    def __str__(self) -> str:
        return f"{self.path or 'the value'}: {self.original} -> {self.rebuilt}"


def differences(original: Any, rebuilt: Any) -> Iterator[Difference]:
    """Every place in which two values differ, depth first. Numbers are equal when all of their bits are."""
    seen: dict[tuple[int, int], Any] = {}  # by id, with the values, so that no id is used again
    # A list in place of recursion: trees in pickles are deeper than Python's stack.
    todo = [("", original, rebuilt)]
    while todo:
        path, one, other = todo.pop()
        if one is other or (id(one), id(other)) in seen:
            continue
        if isinstance(one, Built | dict | list | tuple):
            seen[id(one), id(other)] = one, other
        members = _members(one, other)
        if members is None:
            if not _equal(one, other):
                yield Difference(path, *_shown(one, other))
        else:
            todo += reversed([(f"{path}{name}", *pair) for name, pair in members.items()])


_ABSENT = object()


def _members(one: Any, other: Any) -> dict[str, tuple[Any, Any]] | None:
    """Members of both values by name; None when they are compared as a whole."""
    if type(one) is not type(other):
        return None
    if isinstance(one, Built):
        return _paired(one.parts(), other.parts())
    if isinstance(one, OrderedDict):
        return {"": (list(one.items()), list(other.items()))}
    if isinstance(one, dict):
        return _by_key(one, other)
    if isinstance(one, list | tuple) and len(one) == len(other):
        return {f"[{index}]": pair for index, pair in enumerate(zip(one, other, strict=True))}
    if isinstance(one, np.ndarray) and one.dtype.hasobject and one.shape == other.shape and one.dtype == other.dtype:
        return {"": (one.tolist(), other.tolist())}
    return None


def _by_key(one: dict[Any, Any], other: dict[Any, Any]) -> dict[str, tuple[Any, Any]]:
    return _paired({f"[{key!r}]": value for key, value in one.items()}, {f"[{key!r}]": v for key, v in other.items()})


def _paired(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = [*one, *(name for name in other if name not in one)]
    return {name: (one.get(name, _ABSENT), other.get(name, _ABSENT)) for name in names}


def _equal(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray | np.generic):
        return one.dtype == other.dtype and np.shape(one) == np.shape(other) and _same_bytes(one, other)
    if isinstance(one, float):
        return one.hex() == other.hex() or (math.isnan(one) and math.isnan(other))
    if isinstance(one, type):
        return name_of(one) == name_of(other) if name_of(one) else one is other
    return bool(one == other)


def _same_bytes(one: Any, other: Any) -> bool:
    """Of structured arrays, such as the nodes of trees, by field: between these lie bytes that have no meaning."""
    names = one.dtype.names
    return all(_same_bytes(one[name], other[name]) for name in names) if names else one.tobytes() == other.tobytes()


def _shown(one: Any, other: Any) -> tuple[str, str]:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and one.shape == other.shape and one.ndim:
        if one.dtype == other.dtype and one.dtype.names is None:
            unequal = int((one != other).sum())
            return f"{one.dtype} {one.shape}", f"{unequal} of {one.size} values differ"
        return f"{one.dtype} {one.shape}", f"{other.dtype} {other.shape}"
    return _short(one), _short(other)


def _short(value: Any) -> str:
    if value is _ABSENT:
        return "(absent)"
    if name := name_of(value):
        return name
    if isinstance(value, list | tuple | dict):
        return f"{type(value).__name__} of {len(value)}"
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
