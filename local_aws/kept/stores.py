"""The register of what is kept: each part of the embedded AWS adds its stores, and moto's are here."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.core import base_backend

from .pickling import dump, load


@dataclass(frozen=True)
class _Store:
    read: Callable[[], Any]
    restore: Callable[[Any], None]


class Stores:
    """Everything that is kept, as one pickle: an object that two stores hold stays one object."""

    def __init__(self) -> None:
        self._stores = {"moto": _Store(_moto_backends, _restore_moto_backends)}
        self._known: dict[str, object] = {}
        self._after_restart: list[Callable[[], None]] = []

    def add(self, name: str, read: Callable[[], Any], restore: Callable[[Any], None]) -> None:
        """Keep what `read` returns; `restore` gets it at the next start, before requests are served."""
        self._stores[name] = _Store(read, restore)

    def refer(self, name: str, known: object) -> None:
        """Let kept objects refer to an object that each start makes anew, such as the server."""
        self._known[name] = known

    def after_restart(self, action: Callable[[], None]) -> None:
        """Call `action` after a start with kept state, when requests are served."""
        self._after_restart.append(action)

    def dump(self) -> bytes:
        """All stores. Raises what pickle raises, when a store has an object without a pickled form."""
        return dump({name: store.read() for name, store in self._stores.items()}, self._known)

    def restore(self, content: bytes) -> None:
        """Put the content of all stores back."""
        kept = load(content, self._known)
        for name, store in self._stores.items():
            store.restore(kept[name])

    def restarted(self) -> None:
        """End what was running, start what has to run."""
        for action in self._after_restart:
            action()


@dataclass(frozen=True)
class _Table:
    """One of moto's tables of backends. `attributes`: what it knows of all accounts, such as the owners of buckets."""

    module: str
    name: str
    accounts: dict[str, dict[str, Any]]
    attributes: dict[str, Any]


def _moto_backends() -> list[_Table]:
    return [_content(table) for table in list(vars(base_backend.BackendDict)["_instances"])]


def _content(table: Any) -> _Table:
    module = sys.modules[table.backend.__module__]
    name = next(name for name, value in vars(module).items() if value is table)
    common = vars(base_backend.BackendDict(table.backend, table.service_name))
    attributes = {key: value for key, value in vars(table).items() if key not in common}
    return _Table(module.__name__, name, {account: dict(regions) for account, regions in table.items()}, attributes)


def _restore_moto_backends(kept: list[_Table]) -> None:
    for each in kept:
        table = getattr(sys.modules[each.module], each.name)
        vars(table).update(each.attributes)
        for account, regions in each.accounts.items():
            table[account].update(regions)
