"""A Python environment for each image: the image's libraries and no others.

Images of AWS whose libraries are known (image_libraries.json) get them from this machine's environment where it has the
image's versions (image_links.py), and otherwise from a package index (image_installs.py). Other images in ECR get what the
user of the embedded AWS names: a file of requirements, or a virtual environment.
"""

import hashlib
import json
import os
import re
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import image_links
from .image_installs import NoEnvironmentError, install

LIBRARIES = Path(__file__).with_name("image_libraries.json")
"""Python and libraries of AWS's images, by repository and tag (tools/image_libraries.py)."""
_ECR = re.compile(r"[^/]+\.dkr\.ecr\.[^/]+/(?P<repository>[^:@]+)(?P<tag>:[^@]+)?(@(?P<digest>.+))?")
_THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class KnownImage:
    """An image of AWS: its version of Python, and the version of each library that is installed for a container."""

    python: str
    libraries: Mapping[str, str]


class ImageEnvironments:
    """The environments of one embedded AWS; each is made when its image is first used.

    `folder`: for environments of links. `named`: by repository, with or without a tag, a file of requirements, whose Python is
    that of `.python-version` beside it or else this one, or the folder of a virtual environment.
    """

    def __init__(self, folder: Path, named: Mapping[str, Path] | None = None) -> None:
        self._folder = folder
        self._named = dict(named or {})
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._made: dict[str, str] = {}

    def python(self, image_uri: str | None) -> str:
        """Path of the Python for containers of an image: for one that is not in ECR, the Python of this process.

        Raises:
            NoEnvironmentError: The image is in ECR and nothing is known about it, or its libraries cannot be installed.
        """
        match = _ECR.fullmatch(image_uri or "")
        if match is None:
            return sys.executable
        repository, name = match["repository"], f"{match['repository']}{match['tag'] or ''}"
        if match["digest"] and not match["tag"]:
            name = next((each for each in (*known(), *self._named) if digest_of(each) == match["digest"]), name)
        with self._lock:
            own = self._locks.setdefault(name, threading.Lock())
        with own:  # containers of other images do not wait while libraries are installed
            if name not in self._made:
                self._made[name] = self._make(repository, name)
            return self._made[name]

    def program(self, image_uri: str | None, name: str) -> str | None:
        """Path of `train` or `serve` of an image: what its entry point runs, if a virtual environment that the user names has it.

        Raises NoEnvironmentError as `python`.
        """
        path = Path(self.python(image_uri)).with_name(name)
        named = [str(folder.absolute()) for folder in self._named.values() if folder.is_dir()]
        return str(path) if path.is_file() and str(path.parents[1]) in named else None

    def __contains__(self, python: str) -> bool:
        """Whether a path is the Python of an environment from here, of the same version as this one."""
        return (
            python in tuple(self._made.values())
            and (Path(python).parents[1] / "lib" / f"python{_THIS_PYTHON}").is_dir()
        )

    def _make(self, repository: str, name: str) -> str:
        if (given := self._named.get(name) or self._named.get(repository)) is not None:
            return _of_user(name, given)
        image = known().get(name)
        if image is None:
            raise NoEnvironmentError(
                f"the embedded AWS does not know the libraries of the image {name}: name them when it starts, with "
                f"--image {repository}=FILE for a file of requirements or --image {repository}=FOLDER for a virtual environment"
            )
        if image_links.has_versions(image.libraries):
            return image_links.make(self._folder / f"{name.replace(':', '-')}-{os.getpid()}", image.libraries)
        pins = "".join(f"{library}=={version}\n" for library, version in image.libraries.items())
        return install(name, pins, image.python, resolve=False)


def digest_of(name: str) -> str:
    """What stands in for an image's digest: the same for a repository and tag in every account and region."""
    return f"sha256:{hashlib.sha256(name.rpartition('/')[2].encode()).hexdigest()}"


@cache
def known() -> dict[str, KnownImage]:
    """AWS's images by repository and tag."""
    content = json.loads(LIBRARIES.read_text(encoding="utf-8"))
    return {name: KnownImage(each["python"], each["libraries"]) for name, each in content.items()}


def _of_user(name: str, given: Path) -> str:
    """Python of an environment that a user names: a virtual environment, or one made from a file of requirements."""
    python = given / "bin" / "python"
    if given.is_dir():
        if not python.is_file():
            raise NoEnvironmentError(
                f"{given}, named for the image {name}, is no virtual environment: it has no bin/python"
            )
        return str(python.absolute())
    if not given.is_file():
        raise NoEnvironmentError(f"{given}, named for the image {name}, does not exist")
    version = given.with_name(".python-version")
    wanted = version.read_text(encoding="utf-8").split()[0] if version.is_file() else _THIS_PYTHON
    return install(name, given.read_text(encoding="utf-8"), wanted)
