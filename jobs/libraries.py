"""The model's own libraries, which the zip of a job and the artifact of an endpoint carry: no package index is needed.

Extension modules cannot be imported from a zip, so its libraries are unpacked first. They are searched after those of the image,
which they do not replace.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import time
import zipfile
from contextlib import suppress
from pathlib import Path

from .failures import JobFailure

FOLDER = "libraries"
"""In the zip beside jobs/ and project/; in an artifact beside code/, since the image packs and installs all of code/ at start."""


def use(container: Path) -> None:
    """Make the libraries importable that belong to the zip `container`, or to an artifact's folder code/."""
    if container.is_file():
        folder = _unpacked(container)
    else:
        folder = next((each for each in (container / FOLDER, container.parent / FOLDER) if each.is_dir()), None)
    if folder and str(folder) not in sys.path:
        sys.path.append(str(folder))


def copy(container: Path, artifact: Path) -> None:
    """Copy the libraries into the artifact's folder. Raises JobFailure when model.py has saved something under their name."""
    target = artifact / FOLDER
    if container.is_file():
        with zipfile.ZipFile(container) as archive:
            members = _members(archive)
            _require_free(target, bool(members))
            archive.extractall(artifact, members)
    elif (container / FOLDER).is_dir():
        _require_free(target, True)
        shutil.copytree(container / FOLDER, target, ignore=shutil.ignore_patterns("__pycache__"))


def _require_free(target: Path, needed: bool) -> None:
    if needed and target.exists():
        raise JobFailure(
            f"model.py: save(model, path) wrote {FOLDER!r}, the name of the libraries' folder; choose another"
        )


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [each for each in archive.infolist() if each.filename.startswith(f"{FOLDER}/")]


def _unpacked(container: Path) -> Path | None:
    """The folder with a zip's libraries; None when it has none. A machine that has unpacked the same ones uses them again."""
    started = time.monotonic()
    with zipfile.ZipFile(container) as archive:
        members = _members(archive)
        if not members:
            return None
        names = "".join(f"{each.filename}\0{each.CRC}\0{each.file_size}\0" for each in members)
        digest = hashlib.sha256(names.encode()).hexdigest()
        cache = Path(tempfile.gettempdir()) / f"model-factory-{os.getuid()}"
        cache.mkdir(mode=0o700, exist_ok=True)
        target = cache / digest
        if cache.is_symlink() or cache.stat().st_uid != os.getuid() or cache.stat().st_mode & 0o022:
            raise JobFailure(f"{cache} belongs to another user or can be written by others; remove it")
        if target.is_dir():
            return target / FOLDER
        temporary = Path(tempfile.mkdtemp(dir=cache))
        archive.extractall(temporary, members)
    with suppress(OSError):  # another process has unpacked them
        temporary.rename(target)
    shutil.rmtree(temporary, ignore_errors=True)
    megabytes = sum(each.file_size for each in members) / 1e6
    print(f"libraries {megabytes:.1f} MB unpacked in {time.monotonic() - started:.2f} s", flush=True)
    return target / FOLDER
