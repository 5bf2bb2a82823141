"""`requirements.txt` of a model and `requirements.lock` beside it, compared without network."""

import difflib
import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ..config import ConfigError, Mistake
from ..core.image import ImageContent

REQUIREMENTS = "requirements.txt"
LOCK = "requirements.lock"
_HEADER = "# Written by `model-factory lock`: run it again after a change of requirements.txt.\n"
_ENTRY = re.compile(r"^([A-Za-z0-9][\w.-]*)==(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Lock:
    """The content of a `requirements.lock`.

    Args:
        path: The file.
        text: Its content.
        packages: Version of each library that the image does not have, by its normalized name.
        modules: Their top-level modules.
    """

    path: Path
    text: str
    packages: dict[str, str]
    modules: frozenset[str] = frozenset()

    @property
    def entries(self) -> str:
        """The lines of the libraries, with hashes and without comments."""
        return "".join(f"{line}\n" for line in self.text.splitlines() if line.strip() and not line.startswith("#"))


def read_requirements(folder: Path) -> dict[int, Requirement]:
    """The requirements of a model by line; empty without the file.

    Args:
        folder: The model's folder.

    Raises:
        ConfigError: A line is no requirement by name, such as a URL or an option.
    """
    path = folder / REQUIREMENTS
    found: dict[int, Requirement] = {}
    mistakes: list[Mistake] = []
    for line, text in _lines(path):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            requirement = None
        if requirement is None or requirement.url:
            mistakes.append(
                Mistake(
                    path,
                    line,
                    f"{text!r} is no library of a package index by its name: write `name` or `name==version`, each on a line of "
                    "its own. Options, files and URLs cannot be locked with hashes",
                )
            )
        else:
            found[line] = requirement
    if mistakes:
        raise ConfigError(mistakes)
    return found


def conflicts(folder: Path, requirements: dict[int, Requirement], image: ImageContent) -> list[Mistake]:
    """Requirements that exclude the version of the library in the image.

    Args:
        folder: The model's folder.
        requirements: Its requirements by line.
        image: What its image brings.
    """
    mistakes: list[Mistake] = []
    for line, requirement in requirements.items():
        version = image.libraries.get(canonicalize_name(requirement.name))
        if version and not requirement.specifier.contains(version, prereleases=True):
            mistakes.append(
                Mistake(
                    folder / REQUIREMENTS,
                    line,
                    f"`{requirement}` conflicts with {requirement.name} {version} of the image {image.name}, whose libraries are "
                    f"not replaced: write `{requirement.name}` or leave it out, or give an image of your own in training.image",
                )
            )
    return mistakes


def read_lock(folder: Path, image: ImageContent) -> Lock | None:
    """The lock of a model, which fits its requirements and its image; None without requirements. Needs no network.

    Args:
        folder: The model's folder, with the model's name.
        image: What its image brings.

    Raises:
        ConfigError: The lock is missing or older than the requirements, or a requirement conflicts with the image.
    """
    requirements = read_requirements(folder)
    path, command = folder / LOCK, f"run `model-factory lock {folder.resolve().name}` and commit the file"
    if not requirements:
        return None
    if mistakes := conflicts(folder, requirements, image):
        raise ConfigError(mistakes)
    if not path.is_file():
        raise ConfigError([Mistake(path, None, f"there is no such file, but {REQUIREMENTS} has libraries; {command}")])
    text = path.read_text(encoding="utf-8")
    wanted, found = _marks(requirements, image), dict(re.findall(r"^# (\w+): (.+)$", text, re.MULTILINE))
    if found.get("image") != wanted["image"]:
        before = found.get("image", "no image")
        raise ConfigError([Mistake(path, None, f"was written for {before}, not for {wanted['image']}; {command}")])
    if found.get("requirements") != wanted["requirements"]:
        raise ConfigError([Mistake(path, None, f"is older than {REQUIREMENTS}; {command}")])
    return parse_lock(path, text)


def parse_lock(path: Path, text: str) -> Lock:
    """A lock from its text.

    Args:
        path: Where it is, for messages.
        text: Its content.
    """
    modules = re.search(r"^# modules: (.+)$", text, re.MULTILINE)
    packages = {str(canonicalize_name(name)): version for name, version in _ENTRY.findall(text)}
    return Lock(path, text, packages, frozenset(modules[1].split(", ") if modules else ()))


def lock_text(
    requirements: dict[int, Requirement], image: ImageContent, entries: str, modules: Collection[str] = ()
) -> str:
    """The content of a `requirements.lock`.

    Args:
        requirements: The requirements that were resolved.
        image: What the image brings.
        entries: A line for each library that the image does not have, with its hashes.
        modules: Top-level modules of these libraries. Default: none.
    """
    marks = _marks(requirements, image) | ({"modules": ", ".join(sorted(modules))} if modules else {})
    return _HEADER + "".join(f"# {name}: {value}\n" for name, value in marks.items()) + entries


def nearest(name: str, names: Sequence[str]) -> str:
    """` (did you mean …?)` for a name that resembles one of `names`; empty for any other."""
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _marks(requirements: dict[int, Requirement], image: ImageContent) -> dict[str, str]:
    """Comments, order and blank lines of requirements.txt are no part of the digest."""
    lines = sorted({str(requirement) for requirement in requirements.values()})
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return {"image": f"{image.name}, Python {image.python}", "requirements": f"sha256:{digest}"}


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if text := re.sub(r"(^|\s)#.*", "", line).strip():
            yield number, text
