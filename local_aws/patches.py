"""Replacements in moto's modules: applied when moto imports the module, undone when the server stops.

Moto's EC2, Lambda and CloudFormation take seconds to import. A patch of one of these waits until a request needs it.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

type Action = Callable[[ModuleType], None]

_ABSENT = object()


class Patches:
    """The replacements of one server."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []
        self._finder = _Finder()

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute of a module or class until `undo`."""
        before = vars(owner).get(name, _ABSENT)
        setattr(owner, name, value)
        self._undo.append(lambda: delattr(owner, name) if before is _ABSENT else setattr(owner, name, before))

    def when_imported(self, module: str, action: Action) -> None:
        """Call `action` with the module: at once if it is imported, else after its import."""
        if module in sys.modules:
            action(sys.modules[module])
            return
        if self._finder not in sys.meta_path:
            sys.meta_path.insert(0, self._finder)
        self._finder.actions.setdefault(module, []).append(action)

    def undo(self) -> None:
        """Restore everything, the last replacement first."""
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        for restore in reversed(self._undo):
            restore()
        self._undo.clear()


class _Finder(MetaPathFinder):
    """Finds the modules that have actions, and runs these at the end of the import."""

    def __init__(self) -> None:
        self.actions: dict[str, list[Action]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.actions:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            for action in self.actions.pop(fullname, []):
                action(module)

        spec.loader.exec_module = exec_module
        return spec
