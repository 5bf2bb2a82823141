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


type _Backends = dict[tuple[str, str], dict[str, dict[str, Any]]]
"""Backends by region, by account, by the module and the name of moto's table."""


def _moto_backends() -> _Backends:
    tables: list[Any] = list(vars(base_backend.BackendDict)["_instances"])
    return {_place(table): {account: dict(regions) for account, regions in table.items()} for table in tables}


def _place(table: Any) -> tuple[str, str]:
    """Where moto has a table of backends. Its service's name may be another than that of the module."""
    module = sys.modules[table.backend.__module__]
    return module.__name__, next(name for name, value in vars(module).items() if value is table)


def _restore_moto_backends(kept: _Backends) -> None:
    for (module, name), accounts in kept.items():
        table = getattr(sys.modules[module], name)
        for account, regions in accounts.items():
            table[account].update(regions)
