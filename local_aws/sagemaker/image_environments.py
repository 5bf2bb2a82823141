"""A Python environment for each known image: the image's libraries, as far as this machine's environment has them, and no others.

A container of AWS's image cannot import what happens to be installed beside the embedded AWS. The environment is made of links to
the installed libraries, so it takes milliseconds and no network. Libraries have the versions that are installed here.
"""

import json
import os
import sys
import threading
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

LIBRARIES = Path(__file__).with_name("image_libraries.json")
"""Names of the libraries of images, by repository and tag (tools/image_libraries.py)."""
_NAMES = ("python", "python3", f"python3.{sys.version_info.minor}")


class ImageEnvironments:
    """The environments of one embedded AWS, below a folder; each is made when its image is first used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._made: dict[str, str] = {}

    def python(self, image_uri: str | None) -> str:
        """Path of the Python for containers of an image: for one that is not known, the Python of this process."""
        name = (image_uri or "").partition("/")[2]
        if (libraries := known().get(name)) is None:
            return sys.executable
        with self._lock:
            if name not in self._made:
                self._made[name] = _make(self._folder / f"{name.replace(':', '-')}-{os.getpid()}", libraries)
            return self._made[name]

    def __contains__(self, python: str) -> bool:
        """Whether a path is the Python of an environment that was made here."""
        return python in self._made.values()


@cache
def known() -> dict[str, list[str]]:
    """Names of the libraries of each known image, by repository and tag."""
    return json.loads(LIBRARIES.read_text(encoding="utf-8"))


def _make(folder: Path, libraries: list[str]) -> str:
    """An environment as `python -m venv` makes it, with links in place of installed files; the path of its Python."""
    packages = folder / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    for each in (folder / "bin", packages):
        each.mkdir(parents=True, exist_ok=True)
    base = Path(getattr(sys, "_base_executable", sys.executable))
    (folder / "pyvenv.cfg").write_text(f"home = {base.resolve().parent}\ninclude-system-site-packages = false\n")
    for name in _NAMES:
        _link(folder / "bin" / name, base.resolve())
    for name in libraries:
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue
        for top in _top_level(installed):
            _link(packages / top.name, top)
    return str(folder / "bin" / "python")


def _top_level(installed: Distribution) -> Iterator[Path]:
    """Files and folders that a library has in site-packages."""
    for name in {file.parts[0] for file in installed.files or []} - {"..", "__pycache__"}:
        yield Path(str(installed.locate_file(name)))


def _link(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)  # of an earlier process with the same id
    path.symlink_to(target)
