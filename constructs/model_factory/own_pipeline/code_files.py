"""The files that a pipeline uploads when its definition is written, with names that depend on their content only.

The SDK uploads below names with the time of day. Each place that the definition refers to becomes a folder with a number; the
whole lies below a digest of the files.
"""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .placeholders import BUCKET, map_uris

CODE = "model-factory-code"
"""The first part of keys that are in the code and not in the default bucket."""
WRITTEN = frozenset(
    (
        "CheckpointConfig",
        "DebugHookConfig",
        "OutputDataConfig",
        "ProcessingOutputConfig",
        "ProfilerConfig",
        "TransformOutput",
    )
)
"""Members of requests with places that jobs write to: the SDK uploads code below them."""


@dataclass(frozen=True)
class CodeFiles:
    """Files by their name below the digest.

    Args:
        files: Content by name, such as `1/preprocess.py`.
    """

    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """SHA-256 over the names and contents, in hexadecimal."""
        total = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            total.update(f"{name}\0{len(content)}\0".encode())
            total.update(content)
        return total.hexdigest()


def take_code(definition: Any, uploads: Mapping[str, bytes]) -> tuple[Any, CodeFiles]:
    """The definition with keys below CODE in place of those of uploads, and the files.

    Args:
        definition: The definition, as the SDK wrote it.
        uploads: What was uploaded, by key.
    """
    folders: dict[str, str] = {}
    files: dict[str, bytes] = {}

    def key_of(key: str) -> str:
        place = key.rstrip("/")
        inside = [each for each in uploads if each == place or each.startswith(f"{place}/")] if place else []
        if not inside:
            return _uri(key)
        folder = folders.setdefault(place, f"{len(folders) + 1:03}")  # no name is the beginning of another
        for each in inside:
            name = place.rpartition("/")[2] if each == place else each[len(place) + 1 :]
            files[f"{folder}/{name}"] = _timeless(name, uploads[each])
        name = f"/{place.rpartition('/')[2]}" if inside == [place] else ""
        return _uri(f"{CODE}/{folder}{name}{'/' if key.endswith('/') else ''}")

    return map_uris(definition, key_of, outside=WRITTEN), CodeFiles(files)


def _uri(key: str) -> str:
    return f"s3://{BUCKET}/{key}" if key else f"s3://{BUCKET}"


def _timeless(name: str, content: bytes) -> bytes:
    """An archive without the times and owners of its files; another file is unchanged."""
    if not name.endswith((".tar.gz", ".tgz")):
        return content
    target = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as source,
        gzip.GzipFile("", "wb", fileobj=target, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        for entry in sorted(source.getmembers(), key=lambda each: each.name):
            entry.mtime = entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
            archive.addfile(entry, source.extractfile(entry) if entry.isfile() else None)
    return target.getvalue()
