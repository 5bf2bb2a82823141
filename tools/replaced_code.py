"""Puts the code of a mutant into the modules and functions that a process has loaded."""

import gc
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from .mutants import ROOT, Mutant


def replace_code(mutant: Mutant) -> bool:
    """Put the code of a mutant into every loaded module and function of its file; whether there was one.

    Functions get the new code wherever they are referred to. A change outside of functions runs the module again, and the
    names that other modules import from it are bound anew.
    """
    path, functions = str(ROOT / mutant.file), dict(_codes(mutant.code))
    gc.unfreeze()  # tests that fork freeze what they have loaded, and get_objects does not see it then
    loaded = gc.get_objects()
    if not mutant.in_function:
        for module in [each for each in loaded if isinstance(each, ModuleType) and _is_of(each, path)]:
            _run_again(module, mutant.code)
    changed = False
    for each in loaded:
        if isinstance(each, FunctionType) and real_path(each.__code__.co_filename) == path:
            code = functions.get((each.__code__.co_qualname, each.__code__.co_firstlineno))
            if code and len(code.co_freevars) == len(each.__code__.co_freevars):
                each.__code__, changed = code, True
    gc.freeze()  # a collection would copy the memory that the fork shares
    return changed or not mutant.in_function


def _codes(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield (constant.co_qualname, constant.co_firstlineno), constant
            yield from _codes(constant)


def _is_of(module: ModuleType, path: str) -> bool:
    return real_path(module.__dict__.get("__file__") or "") == path


def _run_again(module: ModuleType, code: CodeType) -> None:
    before = dict(vars(module))
    others = [each for each in gc.get_objects() if isinstance(each, ModuleType) and each is not module]
    folder = Path(real_path(module.__file__ or "")).parent
    siblings = {
        each.__name__: each for each in others if Path(real_path(each.__dict__.get("__file__") or "")).parent == folder
    }
    sys.path[:0] = [str(folder), str(folder.parent)]
    sys.modules.update(siblings | _loaded_with(module))
    exec(code, vars(module))  # noqa: S102 (the code of this repository)
    for other in others:
        for name, value in list(vars(other).items()):
            if name in before and value is before[name] and value is not vars(module)[name]:
                vars(other)[name] = vars(module)[name]


def _loaded_with(module: ModuleType) -> dict[str, ModuleType]:
    """The modules that the tests keep together with a function's module: of `shared` each function has modules of its own."""
    tables = [each for each in gc.get_referrers(module) if isinstance(each, dict) and each is not sys.modules]
    kept = [each for each in tables if each and all(isinstance(value, ModuleType) for value in each.values())]
    return {name: value for table in kept for name, value in table.items()}


@cache
def real_path(name: str) -> str:
    """The path without links: `model_factory` has the folders of this repository as links."""
    return os.path.realpath(name)
