"""Environments whose libraries uv installs, kept in the user's cache: only the first with them needs a package index."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from .image_links import base_python

_LAST_LINES = 600


class NoEnvironmentError(Exception):
    """There is no environment for containers of an image; the message says which image, and what to do."""


def install(image: str, requirements: str, python: str, *, resolve: bool = True) -> str:
    """The path of the Python of an environment with libraries, which is made unless an earlier call has made it.

    uv's settings (UV_DEFAULT_INDEX and the like) choose the index and where a Python comes from.

    Args:
        image: Name of the image, for messages.
        requirements: The content of a file of requirements.
        python: Version of Python, such as `3.12`.
        resolve: Whether requirements of requirements are installed, too.

    Raises:
        NoEnvironmentError: uv is not installed, has no such Python, or cannot install a library.
    """
    identity = f"{python}\n{resolve}\n{sys.platform}\n{os.uname().machine}\n{requirements}"
    folder = _cache() / hashlib.sha256(identity.encode()).hexdigest()[:32]
    if not folder.is_dir():
        _make(image, requirements, python, resolve, folder)
    return str(folder / "bin" / "python")


def _make(image: str, requirements: str, python: str, resolve: bool, folder: Path) -> None:
    uv = _uv(image)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        made, wanted = Path(temporary) / "environment", Path(temporary) / "requirements.txt"
        wanted.write_text(requirements, encoding="utf-8")
        # Relocatable, because it is renamed when it is complete: a call that is interrupted leaves none that looks complete.
        _run(
            image, [uv, "venv", "--quiet", "--no-project", "--relocatable", "--python", _interpreter(python), str(made)]
        )
        more = [] if resolve else ["--no-deps"]
        into = ["--python", str(made / "bin" / "python"), "--requirements", str(wanted)]
        _run(image, [uv, "pip", "install", "--quiet", "--color", "never", *more, *into])
        with suppress(OSError):  # another process has made it
            made.rename(folder)


def _run(image: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        why = " ".join(done.stderr.split())[-_LAST_LINES:]
        raise NoEnvironmentError(f"the libraries of the image {image} cannot be installed for the embedded AWS: {why}")


def _uv(image: str) -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise NoEnvironmentError(
            f"the libraries of the image {image} are installed with uv, which is not here: install local-aws[images], or name a "
            f"virtual environment for the image"
        )
    return found


def _interpreter(version: str) -> str:
    """This Python, one of pyenv's, which uv does not look for, or the version for uv, which searches PATH or downloads one."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return str(base_python())
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    of_pyenv = sorted(root.glob(f"versions/{version}.*/bin/python"))
    return str(of_pyenv[-1]) if of_pyenv else version


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "local-aws" / "images"
