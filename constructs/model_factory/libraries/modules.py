"""Names of modules: those that files of a library define, and those that Python code imports."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

_SUFFIXES = (".py", ".so")


def top_level(files: Iterable[str]) -> set[str]:
    """Names of the top-level modules that installed files define, such as `lightgbm` of `lightgbm/basic.py`.

    Args:
        files: Paths relative to the folder that they are installed in.
    """
    names = set[str]()
    for path in map(PurePosixPath, files):
        if path.suffix in _SUFFIXES and path.parts[0] not in ("bin", ".."):
            names.add(path.parts[0].partition(".")[0])
    return {name for name in names if name.isidentifier() and not name.endswith("__mypyc")}


def imports(source: str) -> Iterator[tuple[str, int]]:
    """Top-level modules that code imports, each with its line. Raises SyntaxError.

    Relative imports are left out, and so are imports that may fail or do not happen: those in a `try` with a handler, and those
    below `if TYPE_CHECKING`.

    Args:
        source: The text of a Python file.
    """
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0], node.lineno
        elif isinstance(node, ast.Try) and _catches_import_error(node):
            waiting += [*node.orelse, *node.finalbody]
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _catches_import_error(node: ast.Try) -> bool:
    caught = " ".join(ast.unparse(handler.type) if handler.type else "Exception" for handler in node.handlers)
    return any(name in caught for name in ("ImportError", "ModuleNotFoundError", "Exception"))
