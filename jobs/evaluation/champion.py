"""The champion: the newest approved version, scored on the new test rows in a process of its own with its own code."""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from botocore.exceptions import ClientError

from .. import s3
from ..failures import JobFailure
from . import old_artifacts

ENTRY_POINT = Path("code", "score.py")
"""In an artifact; its command line is a contract between versions (docs/reference/contracts.md)."""


@dataclass(frozen=True)
class Champion:
    """A registered version, the S3 URI of its artifact, and its SHA-256; None for versions that have none."""

    version: int
    model_data_url: str
    artifact_digest: str | None = None


def find(group: str) -> Champion | None:
    """The newest approved version of a model package group; None when no version is approved yet."""
    sagemaker = s3.client("sagemaker")
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved"
    )
    approved = [package for page in pages for package in page["ModelPackageSummaryList"]]
    if not approved:
        return None
    newest = max(approved, key=lambda package: package["ModelPackageVersion"])
    package = sagemaker.describe_model_package(ModelPackageName=newest["ModelPackageArn"])
    container = package["InferenceSpecification"]["Containers"][0]
    digest = package.get("CustomerMetadataProperties", {}).get("artifact_digest")
    return Champion(newest["ModelPackageVersion"], container["ModelDataUrl"], digest)


@contextmanager
def start(group: str, rows: Path) -> Generator["Scoring | None"]:
    """Start scoring the parquet files in the folder `rows`; None when there is no champion yet.

    The process is killed when the block ends before it does. Raises JobFailure when the champion's artifact is another file
    than the one that was evaluated: loading it would run it.
    """
    champion = find(group)
    if champion is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as temporary:
        scoring = Scoring(champion, rows, Path(temporary))
        try:
            yield scoring
        finally:
            scoring.stop()


class Scoring:
    """The champion's scoring process. It needs its own process because its modules have the same names as this package's."""

    def __init__(self, champion: Champion, rows: Path, folder: Path) -> None:
        self.version, self._out, self._errors = champion.version, folder / "scores.npy", folder / "errors.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self._failure, self._serving = "", {}
        try:
            model = download(champion, folder)
            self._serving = json.loads((model / "serving.json").read_text())
        except (ClientError, tarfile.TarError, OSError, ValueError) as error:
            self._failure = f"its artifact {champion.model_data_url} cannot be read: {error}"
            return
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(scoring_command(model, rows, self._out), stdout=errors, stderr=errors)

    def scores(self) -> tuple[np.ndarray, list[Any]]:
        """Wait for the process; the scores, and the classes of their columns (empty in regression).

        Raises JobFailure when the champion cannot score the rows, for instance because a column that it needs is gone.
        """
        if self._process and self._process.wait() != 0:
            lines = self._errors.read_text(errors="replace").strip().splitlines()
            self._failure = lines[-1] if lines else f"exit code {self._process.returncode}"
        if self._failure:
            raise JobFailure(f"the live version {self.version} cannot score the test rows: {self._failure}")
        return np.load(self._out), self._serving.get("classes") or []

    def stop(self) -> None:
        """Kill the process if it is still running."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def download(champion: Champion, folder: Path) -> Path:
    """The folder of the unpacked model.tar.gz. Raises JobFailure when its SHA-256 is not the registered one."""
    bucket, key = s3.split(champion.model_data_url)
    archive = folder / "model.tar.gz"
    s3.client().download_file(bucket, key, str(archive))
    digest = file_digest(archive)
    if champion.artifact_digest not in (None, digest):
        raise JobFailure(
            f"{champion.model_data_url} is not the file that version {champion.version} was evaluated with: its "
            f"SHA-256 is {digest}, and the evaluation measured {champion.artifact_digest}. Restore the object's version with "
            f"that SHA-256, or reject version {champion.version}"
        )
    with tarfile.open(archive) as opened:
        opened.extractall(folder / "model", filter="data")
    return folder / "model"


def file_digest(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def scoring_command(model: Path, rows: Path, out: Path) -> list[str]:
    """The command that scores the rows with the unpacked artifact's own code and writes the scores to `out`."""
    script = [str(model / ENTRY_POINT)] if (model / ENTRY_POINT).exists() else ["-c", old_artifacts.SCORE]
    return [sys.executable, *script, str(model), str(rows), str(out)]
