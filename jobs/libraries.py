"""The model's own libraries, which the zip of a job and the artifact of an endpoint carry: no package index is needed.

Extension modules cannot be imported from a zip, so libraries are unpacked first. They are searched after those of the image,
which they do not replace.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from .failures import JobFailure

ARCHIVE = "libraries.zip"
"""In the zip of a job, beside jobs/ and project/."""
FOLDER = "libraries"
"""In an artifact, beside code/ and not in it: the image packs and installs all of code/ at each start."""


def use(container: Path) -> None:
    """Make the libraries importable that belong to the zip `container`, or to an artifact's folder code/."""
    if container.is_file():
        with _opened(container) as archive:
            folder = _unpacked(archive) if archive else None
    else:
        folder = container.parent / FOLDER
    if folder and folder.is_dir() and str(folder) not in sys.path:
        sys.path.append(str(folder))


def copy(container: Path, artifact: Path) -> None:
    """Copy a zip's libraries into the artifact's folder. Raises JobFailure when model.py has saved something under their name."""
    with _opened(container) as archive:
        if archive is None:
            return
        if (artifact / FOLDER).exists():
            raise JobFailure(
                f"model.py: save(model, path) wrote {FOLDER!r}, the name of the libraries' folder; choose another name"
            )
        archive.extractall(artifact / FOLDER)


@contextmanager
def _opened(container: Path) -> Generator[zipfile.ZipFile | None]:
    """The archive of the libraries in a zip; None when it has none, or when its content lies in a folder."""
    if not container.is_file():
        yield None
        return
    with zipfile.ZipFile(container) as outer:
        if ARCHIVE not in outer.namelist():
            yield None
            return
        with outer.open(ARCHIVE) as member, tempfile.TemporaryFile() as file:
            shutil.copyfileobj(member, file)
            with zipfile.ZipFile(file) as archive:
                yield archive


def _unpacked(archive: zipfile.ZipFile) -> Path:
    """The folder with the libraries. A machine that has unpacked the same ones uses them again."""
    started = time.monotonic()
    members = archive.infolist()
    names = "".join(f"{each.filename}\0{each.CRC}\0{each.file_size}\0" for each in members)
    target = _cache() / hashlib.sha256(names.encode()).hexdigest()
    if target.is_dir():
        return target
    temporary = Path(tempfile.mkdtemp(dir=target.parent))
    archive.extractall(temporary)
    with suppress(OSError):  # another process has unpacked them
        temporary.rename(target)
    shutil.rmtree(temporary, ignore_errors=True)
    megabytes = sum(each.file_size for each in members) / 1e6
    print(f"libraries {megabytes:.1f} MB unpacked in {time.monotonic() - started:.2f} s", flush=True)
    return target


def _cache() -> Path:
    """A folder of this user in the system's temporary folder. Raises JobFailure when others can write to it."""
    cache = Path(tempfile.gettempdir()) / f"model-factory-{os.getuid()}"
    cache.mkdir(mode=0o700, exist_ok=True)
    if cache.is_symlink() or cache.stat().st_uid != os.getuid() or cache.stat().st_mode & 0o022:
        raise JobFailure(f"{cache} belongs to another user or can be written by others; remove it")
    return cache
