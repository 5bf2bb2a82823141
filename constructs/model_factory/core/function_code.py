"""The code of a Lambda function: its own folder, and beside it the package `shared` that functions have in common.

Functions import `shared.…`; the package is copied into every function's code, so each is complete by itself.
"""

import hashlib
import shutil
from pathlib import Path

HANDLER_FILE = "handler.py"
SHARED = "shared"
_IGNORED = {"__pycache__", ".pytest_cache", ".ipynb_checkpoints"}


class FunctionCodeError(ValueError):
    """The folder of a function cannot be deployed; the message names it."""


def stage_function_code(source: Path, target: Path) -> Path:
    """Copy the function in `source` to `<target>/<name>-<digest>` and return that folder.

    The folder has the files of `source` at its root and, if there is a folder `shared` beside `source`, a copy of it. The
    digest depends on names and contents only: the same files have the same folder, which is written once. All of `shared` is
    copied, so a change of it updates every function. Raises FunctionCodeError when `source` or its handler.py is missing.
    """
    if not source.is_dir():
        raise FunctionCodeError(f"the function's folder {source} does not exist")
    if not (source / HANDLER_FILE).is_file():
        raise FunctionCodeError(f"the function's folder {source} has no {HANDLER_FILE}")
    files = _files(source)
    shared = source.parent / SHARED
    if shared.is_dir():
        files |= {Path(SHARED) / path: content for path, content in _files(shared).items()}
    folder = target / f"{source.name}-{_digest(files)}"
    if not folder.exists():
        _write(files, folder)
    return folder


def _files(folder: Path) -> dict[Path, bytes]:
    """Contents by path below the folder, without what Python and tools generate."""
    paths = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    kept = (path for path in paths if not _IGNORED.intersection(path.parts) and path.suffix != ".pyc")
    return {path: (folder / path).read_bytes() for path in kept}


def _digest(files: dict[Path, bytes]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.as_posix()}\0{len(files[path])}\0".encode())
        digest.update(files[path])
    return digest.hexdigest()[:16]


def _write(files: dict[Path, bytes], folder: Path) -> None:
    # Written beside and renamed: an interrupted synth leaves no incomplete folder behind.
    building = folder.with_name(f".{folder.name}")
    shutil.rmtree(building, ignore_errors=True)
    for path, content in files.items():
        file = building / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o644)  # Lambda runs the code as another user, whatever the umask was
    building.rename(folder)
