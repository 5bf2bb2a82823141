"""The file that has the state: one line of JSON that says who wrote it and when, then the state."""

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import moto

FORMAT = 1


class StateFileError(OSError):
    """The state in the file cannot be used by this process; the message says why and what to do."""


@dataclass(frozen=True)
class Writer:
    """What the content of a state file depends on. `port` is a part of the URLs of queues."""

    local_aws: str
    moto: str
    python: str
    port: int
    format: int = FORMAT

    @classmethod
    def here(cls, port: int) -> "Writer":
        """This process."""
        # Not imported: the package's own module names the server, which imports this one.
        package = sys.modules[__name__.partition(".")[0]]
        return cls(package.__version__, moto.__version__, ".".join(platform.python_version_tuple()[:2]), port)


@dataclass(frozen=True)
class Saved:
    """A state; `at_stop`: whether its server wrote it when it stopped, so that nothing is lost."""

    content: bytes
    time: datetime
    at_stop: bool


def write(path: Path, writer: Writer, content: bytes, *, at_stop: bool) -> None:
    """Write the file: at each moment there is the old one or the new one."""
    header = {"writer": asdict(writer), "time": datetime.now(UTC).isoformat(), "at_stop": at_stop}
    unfinished = path.with_suffix(".unfinished")
    with open(unfinished, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(json.dumps(header).encode() + b"\n")
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def read(path: Path, reader: Writer) -> Saved | None:
    """The state; None when there is no file. Raises StateFileError when another version wrote it, or for another port."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline())
            _check(path, header["writer"], asdict(reader))
            return Saved(file.read(), datetime.fromisoformat(header["time"]), header["at_stop"])
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        raise StateFileError(f"{path} is not the state of an embedded AWS. {begin_anew(path)}") from None


def _check(path: Path, written: dict[str, Any], reader: dict[str, Any]) -> None:
    if {**written, "port": 0} != {**reader, "port": 0}:
        names = {"local_aws": "local-aws", "moto": "moto", "python": "Python", "format": "format"}
        made, here = (", ".join(f"{text} {each.get(key)}" for key, text in names.items()) for each in (written, reader))
        raise StateFileError(
            f"the state in {path} is of another version ({made}; this is {here}). Start that version. "
            + begin_anew(path)
        )
    if written["port"] != reader["port"]:
        raise StateFileError(
            f"the state in {path} was made at port {written['port']}, which is a part of the URLs in it. Use that port again. "
            + begin_anew(path)
        )


def begin_anew(path: Path) -> str:
    """What to do when a state cannot be used."""
    return f"To begin with an empty state, remove the folder {path.parent}"
