"""What the jobs of a reproduction read besides evidence: code, the request of Compare, and files that are no evidence.

They are put below `<artifacts>/_rebuilds/<model>/staged/`, the only place besides evidence that the role of the jobs reads.
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_factory.core.names import REBUILDS
from model_factory.functions.shared.s3 import split_uri
from model_factory.model.job_code import build_library_code

from ..project import EnvironmentSession
from . import definition as definitions
from .recorded import File, Recorded, read


@dataclass(frozen=True)
class Staged:
    """URIs of the staged files and of the manifest."""

    rebuilds_uri: str
    folder_uri: str
    manifest_uri: str


def stage(home: EnvironmentSession, recorded: Recorded, identifier: str) -> Staged:
    """Put what the jobs need where they can read it. Raises CannotRebuild when a file is gone or altered."""
    rebuilds = f"s3://{home.names.bucket('artifacts')}/{REBUILDS}{recorded.model}"
    folder = f"{rebuilds}/staged/{identifier}"
    _put(home, f"{folder}/code/{definitions.code_name(recorded.definition)}", read(recorded.code))
    _put(home, f"{folder}/compare/{definitions.COMPARE_ZIP}", compare_code())
    request = request_of(recorded) | {
        "original": {
            "uri": _reachable(home, recorded.artifact, f"{folder}/original"),
            "sha256": recorded.artifact.sha256,
        },
        "test": [_reachable(home, each, f"{folder}/test") for each in recorded.test],
    }
    _put(home, f"{folder}/request/request.json", json.dumps(request, indent=1).encode())
    read(recorded.manifest)  # a job that read an altered manifest would train on other data
    return Staged(rebuilds, folder, _reachable(home, recorded.manifest, f"{folder}/manifest"))


def request_of(recorded: Recorded) -> dict[str, Any]:
    """The request of the job compare, as jobs/reproduction/compare.py reads it."""
    return {
        "model": recorded.model,
        "version": recorded.version,
        "original": {"uri": recorded.artifact.uri, "sha256": recorded.artifact.sha256},
        "test": [each.uri for each in recorded.test],
        "report": recorded.report,
        "facts": recorded.facts,
    }


def compare_code() -> bytes:
    """The zip of the library's jobs: versions of before this command have no compare in theirs."""
    with tempfile.TemporaryDirectory() as folder:
        build_library_code(target := Path(folder) / "compare.zip")
        return target.read_bytes()


def _reachable(home: EnvironmentSession, file: File, folder: str) -> str:
    """The URI under which the jobs may read a file: its own when it is evidence of their environment, else that of a copy."""
    if file.evidence and file.session.environment.name == home.environment.name:
        return file.uri
    bucket, key = split_uri(file.uri)
    copy_uri = f"{folder}/{key.rpartition('/')[2]}"
    to_bucket, to_key = split_uri(copy_uri)
    # In parts of a few megabytes: an artifact may be larger than the memory.
    body = file.session.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
    home.client("s3").upload_fileobj(body, to_bucket, to_key)
    return copy_uri


def _put(home: EnvironmentSession, uri: str, content: bytes) -> None:
    bucket, key = split_uri(uri)
    home.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
