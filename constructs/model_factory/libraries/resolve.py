"""Resolves and installs a model's libraries with uv, for the image's Python and platform."""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from ..config import ConfigError, Mistake
from ..core.image import ImageContent
from ..core.user_cache import user_cache
from .lockfile import LOCK, REQUIREMENTS, Lock, conflicts, lock_text, parse_lock, read_requirements
from .modules import top_level

_INSTALLED_BY = ("INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")
"""Files of .dist-info that tell how a library was installed and not what it is."""


def write_lock(folder: Path, image: ImageContent) -> Path:
    """Resolve `requirements.txt` and write `requirements.lock`: versions and hashes. Needs a package index.

    The image's libraries are constraints, and are left out of the lock.

    Args:
        folder: The model's folder.
        image: What its image brings.

    Raises:
        ConfigError: A requirement conflicts with the image, does not exist, or has no wheel for the image.
    """
    requirements = read_requirements(folder)
    if not requirements:
        raise ConfigError([Mistake(folder / REQUIREMENTS, None, "has no libraries; write one on each line")])
    if mistakes := conflicts(folder, requirements, image):
        raise ConfigError(mistakes)
    with tempfile.TemporaryDirectory() as temporary:
        constraints, wanted = Path(temporary) / "image.txt", Path(temporary) / REQUIREMENTS
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in image.libraries.items()))
        wanted.write_text("".join(f"{requirement}\n" for requirement in requirements.values()))
        left_out = [option for name in image.libraries for option in ("--no-emit-package", name)]
        done = _uv(
            "compile", "--generate-hashes", "--no-header", "--no-annotate", "--constraint", str(constraints),
            *_platform(image), *left_out, str(wanted),
        )  # fmt: skip
    if done.returncode:
        raise ConfigError([Mistake(folder / REQUIREMENTS, None, _why(done.stderr, image))])
    # The locations of indexes are this machine's own.
    entries = "".join(f"{line}\n" for line in done.stdout.splitlines() if line.startswith(" ") or "==" in line)
    path = folder / LOCK
    lock = parse_lock(path, lock_text(requirements, image, entries))
    modules = set[str]()
    if lock.packages:
        with zipfile.ZipFile(archive_of(lock, image)) as archive:
            modules = top_level(archive.namelist())
    path.write_text(lock_text(requirements, image, entries, modules), encoding="utf-8")
    return path


def archive_of(lock: Lock, image: ImageContent) -> Path:
    """A zip of the installed files of a lock's libraries; its comment is the SHA-256 over their names and contents.

    It is made once and kept in the user's cache, by a digest of the lock: later calls need no network.

    Args:
        lock: The lock.
        image: What the image brings.

    Raises:
        ConfigError: A library cannot be downloaded, or has other bytes than when it was locked.
    """
    identity = f"2\n{image.python}\n{image.platform}\n{lock.entries}"
    target = user_cache() / "libraries" / f"{hashlib.sha256(identity.encode()).hexdigest()}.zip"
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        folder, entries = Path(temporary) / "files", Path(temporary) / LOCK
        folder.mkdir()
        entries.write_text(lock.entries, encoding="utf-8")
        done = _uv(
            "install", "--no-deps", "--require-hashes", "--link-mode", "copy", "--python", sys.executable,
            *_platform(image), "--target", str(folder), "--requirements", str(entries),
        )  # fmt: skip
        if done.returncode:
            raise ConfigError([Mistake(lock.path, None, _why(done.stderr, image))])
        _leave_out_installation(folder)
        _pack(folder, Path(temporary) / target.name)
        (Path(temporary) / target.name).rename(target)
    return target


def _pack(folder: Path, target: Path) -> None:
    total = hashlib.sha256()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            name, content = path.relative_to(folder).as_posix(), path.read_bytes()
            total.update(f"{name}\0{len(content)}\0".encode())
            total.update(content)
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, content)
        archive.comment = total.hexdigest().encode()


def _platform(image: ImageContent) -> list[str]:
    return ["--only-binary", ":all:", "--python-version", image.python, "--python-platform", image.platform]


def _leave_out_installation(folder: Path) -> None:
    """Remove what depends on the installation: scripts with the path of this Python, bytecode and uv's notes."""
    for unwanted in (folder / "bin", *folder.rglob("__pycache__")):
        shutil.rmtree(unwanted, ignore_errors=True)
    (folder / ".lock").unlink(missing_ok=True)
    for record in folder.glob("*.dist-info/RECORD"):
        for name in _INSTALLED_BY:
            (record.parent / name).unlink(missing_ok=True)
        lines = sorted(record.read_text(encoding="utf-8").splitlines())
        kept = [line for line in lines if (folder / line.split(",")[0].strip('"')).is_file()]
        record.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _uv(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    from uv import find_uv_bin  # here and not above: most synths have no model with libraries of its own

    return subprocess.run(
        [find_uv_bin(), "pip", command, "--quiet", "--color", "never", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def _why(text: str, image: ImageContent) -> str:
    """uv's explanation on one line, and which of the named libraries are the image's."""
    reason = " ".join(re.sub(r"(?m)^\s*(error:|cause:|hint:|\W+(?=[A-Z]))", "", text).split())
    reason = reason.removeprefix("No solution found when resolving dependencies").lstrip(": ")
    named = [name for name in image.libraries if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", reason)]
    theirs = " and ".join(f"{name} {image.libraries[name]}" for name in named)
    kept = f". The image {image.name} has {theirs}, and its libraries are not replaced" if named else ""
    return reason.rstrip(".") + kept
