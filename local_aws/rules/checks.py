"""Checks that many rules share. A path is `A.B`, with `[]` where it goes through every item: `Entries[].Detail`."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .rule import Check, Request, Values


def found(params: Any, path: str) -> Iterator[Any]:
    """The values at a path; nothing where a part is absent."""
    head, _, rest = path.partition(".")
    value = params.get(head.removesuffix("[]")) if isinstance(params, Mapping) else None
    for each in (value or []) if head.endswith("[]") else [value]:
        if each is not None:
            yield from found(each, rest) if rest else [each]


def first(params: Any, path: str, default: Any = None) -> Any:
    """The first value at a path."""
    return next(found(params, path), default)


def more_than(limit: int, path: str) -> Check:
    """The list or mapping at the path has more items. Values: count, limit."""
    return lambda request: _broken(request, path, lambda value: len(value) > limit, limit=limit)


def longer_than(limit: int, path: str) -> Check:
    """The text at the path has more characters. Values: value, count, limit."""
    return more_than(limit, path)


def larger_than(limit: int, path: str) -> Check:
    """The text or bytes at the path has more bytes in UTF-8. Values: count, limit."""
    return lambda request: _broken(request, path, lambda value: size(value) > limit, limit=limit, measure=size)


def outside(least: float, most: float, path: str) -> Check:
    """The number at the path is not between two. Values: value."""
    return lambda request: _broken(request, path, lambda value: not least <= float(value) <= most)


def matching(pattern: str, path: str) -> Check:
    """The text at the path has a match. Values: value."""
    compiled = re.compile(pattern)
    return lambda request: _broken(request, path, compiled.search)


def not_matching(pattern: str, path: str) -> Check:
    """The text at the path is not of this form. Values: value."""
    compiled = re.compile(pattern)
    return lambda request: _broken(request, path, lambda value: not compiled.fullmatch(value))


def each(path: str, test: Callable[[Any], Any], shown: str = "") -> Check:
    """One of the structures at the path is wrong. Values: its members, or `value`, the member called `shown`."""

    def check(request: Request) -> Values | None:
        wrong = next((item for item in found(request.params, path) if test(item)), None)
        return wrong if wrong is None or not shown else {"value": wrong.get(shown)}

    return check


def together(*paths: str) -> Check:
    """All of the members are given. Values: none."""
    return lambda request: all(any(True for _ in found(request.params, path)) for path in paths)


def without(path: str, *others: str) -> Check:
    """The member is given and none of the others is. Values: none."""
    return lambda request: together(path)(request) and not any(together(other)(request) for other in others)


def none_of(*paths: str) -> Check:
    """None of the members is given. Values: none."""
    return lambda request: not any(together(path)(request) for path in paths)


def repeated(path: str) -> Check:
    """Two of the values at the path are equal. Values: value."""

    def check(request: Request) -> Values | None:
        seen: set[Any] = set()
        for value in found(request.params, path):
            if value in seen:
                return {"value": value}
            seen.add(value)
        return None

    return check


def either(*checks: Check) -> Check:
    """One of the checks finds something; its values."""
    return lambda request: next((values for check in checks if (values := check(request))), None)


def existing(kind: str, path: str) -> Check:
    """A record of the kind has the name at the path. Values: value, region, account."""
    return lambda request: _named(request, kind, path, exists=True)


def absent(kind: str, path: str) -> Check:
    """No record of the kind has the name at the path. Values: value, region, account."""
    return lambda request: _named(request, kind, path, exists=False)


def size(value: str | bytes) -> int:
    """Bytes of a text in UTF-8."""
    return len(value.encode() if isinstance(value, str) else value)


def _named(request: Request, kind: str, path: str, exists: bool) -> Values | None:
    for value in found(request.params, path):
        if (request.find(kind, value) is not None) == exists:
            return {"value": value, "region": request.region, "account": request.account}
    return None


def _broken(request: Request, path: str, test: Any, measure: Any = len, **more: object) -> Values | None:
    for value in found(request.params, path):
        if test(value):
            counted = {"count": measure(value)} if hasattr(value, "__len__") else {}
            return {"value": value, **counted, **more}
    return None
