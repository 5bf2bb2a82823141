"""Environments of links to libraries that are installed on this machine: milliseconds and no network."""

import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path

COMPARED = ("joblib", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy")
"""Libraries whose versions decide whether this machine's environment stands in for an image: models and data depend on them."""
_NAMES = ("python", "python3", f"python3.{sys.version_info.minor}")


def has_versions(libraries: Mapping[str, str]) -> bool:
    """Whether this machine has those libraries of an image that are compared, with the image's versions."""
    return all(_installed(name) == libraries[name] for name in COMPARED if name in libraries)


def base_python() -> Path:
    """The Python that this process's environment was made from."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def make(folder: Path, libraries: Mapping[str, str]) -> str:
    """An environment as `python -m venv` makes it, with links in place of installed files; the path of its Python.

    A library that is not installed here cannot be imported; one that is not compared has the version that is installed here.
    """
    packages = folder / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    for each in (folder / "bin", packages):
        each.mkdir(parents=True, exist_ok=True)
    base = base_python()
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")
    for name in _NAMES:
        _link(folder / "bin" / name, base)
    for name in libraries:
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue
        for top in _top_level(installed):
            _link(packages / top.name, top)
    return str(folder / "bin" / "python")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _top_level(installed: Distribution) -> Iterator[Path]:
    """Files and folders that a library has in site-packages."""
    for name in {file.parts[0] for file in installed.files or []} - {"..", "__pycache__"}:
        yield Path(str(installed.locate_file(name)))


def _link(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)  # of an earlier process with the same id
    path.symlink_to(target)
