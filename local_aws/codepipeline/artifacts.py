"""Artifacts of a pipeline: zips in the artifact store of each region."""

import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..s3 import encryption_arguments

CLONE_REF = "codebuild-clone-ref.json"
"""In place of the files: which repository and commit a build is to clone."""


@dataclass(frozen=True)
class Artifact:
    """Where an artifact is."""

    bucket: str
    key: str


def read(s3: Any, artifact: Artifact) -> zipfile.ZipFile:
    """The artifact's zip."""
    return zipfile.ZipFile(io.BytesIO(s3.get_object(Bucket=artifact.bucket, Key=artifact.key)["Body"].read()))


def write(s3: Any, artifact: Artifact, content: bytes, kms_key: str | None) -> None:
    """Store a zip, encrypted with the store's key."""
    s3.put_object(Bucket=artifact.bucket, Key=artifact.key, Body=content, **encryption_arguments(kms_key))


def zip_files(folder: Path, files: Iterable[Path]) -> bytes:
    """A zip of files with their paths below `folder`; their modes are preserved."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in files:
            archive.write(path, path.relative_to(folder).as_posix())
    return buffer.getvalue()


def clone_reference(repository: str, commit: str, connection: str = "") -> bytes:
    """The artifact of a source whose output format is CODEBUILD_CLONE_REF; `connection`: ARN of the source's connection."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(CLONE_REF, json.dumps({"repository": repository, "commit": commit, "connection": connection}))
    return buffer.getvalue()


def extract(archive: zipfile.ZipFile, target: Path) -> None:
    """Unpack, with the files' modes."""
    for info in archive.infolist():
        path = Path(archive.extract(info, target))
        if mode := info.external_attr >> 16:
            path.chmod(mode & 0o777)
