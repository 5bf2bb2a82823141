"""What rules may ask of an account's state: records by kind and name, from the extensions and from moto."""

from collections.abc import Callable

from .moto_records import RECORDS
from .rule import Params

type Finder = Callable[[str, str, str], Params | None]
"""`find(account, region, name)`: the record, or None."""


class State:
    """The records of all accounts and regions. Moto's are read from its backends when a rule asks."""

    def __init__(self) -> None:
        self._finders: dict[str, Finder] = dict(RECORDS)

    def provide(self, kind: str, find: Finder) -> None:
        """Look up records of a kind with `find`."""
        self._finders[kind] = find

    def find(self, kind: str, account: str, region: str, name: str) -> Params | None:
        """The record; None when there is none. Raises LookupError for a kind that nothing provides."""
        if kind not in self._finders:
            raise LookupError(f"no records of the kind {kind!r}; there are {', '.join(sorted(self._finders))}")
        return self._finders[kind](account, region, name)
