"""The version that is approved now, loaded from its own artifact with its own code, to be measured on the new rows."""

import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from botocore.exceptions import ClientError

from .. import s3
from ..failures import JobFailure

SCORE = """
import os, pathlib, sys, traceback
folder, rows, out = sys.argv[1:]
sys.path.insert(0, folder + "/code")
from jobs.serve import model_fn
import numpy, pandas
from jobs.columns import canonical
from jobs.failures import JobFailure

def scores():
    served = model_fn(folder)
    raw = pandas.concat(map(pandas.read_parquet, sorted(pathlib.Path(rows).glob("*.parquet"))), ignore_index=True)
    gone = [column.name for column in served.columns if column.name not in raw]
    if gone:
        raise JobFailure(f"the column {gone[0]!r}, which it needs, is not in the data any more")
    raw, problems = canonical(raw, served.columns)
    if problems:
        raise JobFailure(f"column {problems[0].column!r}: {problems[0].count} values {problems[0].what}")
    return served.project.predict(served.model, served.project.features(raw))

failed = 1
try:
    numpy.save(out, scores())
    failed = 0
except JobFailure as failure:
    print(" ".join(str(failure).split()), file=sys.stderr)
except BaseException:
    traceback.print_exc()
sys.stdout.flush()
sys.stderr.flush()
os._exit(failed)
"""
"""Runs with the champion's own jobs/ and model.py, so it uses only what every version of them has.

It leaves at once, as jobs do (`jobs/__main__.py` says why): its scores would be lost.
"""


@dataclass(frozen=True)
class Champion:
    """A registered version and where its artifact is."""

    version: int
    model_data_url: str


def find(group: str) -> Champion | None:
    """The newest approved version of the group; None before the first."""
    sagemaker = s3.client("sagemaker")
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved"
    )
    found = [package for page in pages for package in page["ModelPackageSummaryList"]]
    if not found:
        return None
    newest = max(found, key=lambda package: package["ModelPackageVersion"])
    described = sagemaker.describe_model_package(ModelPackageName=newest["ModelPackageArn"])
    container = described["InferenceSpecification"]["Containers"][0]
    return Champion(newest["ModelPackageVersion"], container["ModelDataUrl"])


@contextmanager
def start(group: str, rows: Path) -> Iterator["Scoring | None"]:
    """Have the champion score the parquet files in `rows`; None before the first version."""
    found = find(group)
    if found is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as temporary:
        scoring = Scoring(found, rows, Path(temporary))
        try:
            yield scoring
        finally:
            scoring.stop()


class Scoring:
    """The champion at work, in a process of its own: its code has the same module names as ours."""

    def __init__(self, champion: Champion, rows: Path, folder: Path) -> None:
        self.version, self._out, self._errors = champion.version, folder / "scores.npy", folder / "errors.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self._failure, self._serving = "", {}
        try:
            self._fetch(champion.model_data_url, folder)
        except (ClientError, tarfile.TarError, OSError, ValueError) as error:
            self._failure = f"its artifact {champion.model_data_url} cannot be read: {error}"
            return
        command = [sys.executable, "-c", SCORE, str(folder / "model"), str(rows), str(self._out)]
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(command, stdout=errors, stderr=errors)

    def _fetch(self, uri: str, folder: Path) -> None:
        bucket, key = s3.split(uri)
        s3.client().download_file(bucket, key, str(folder / "model.tar.gz"))
        with tarfile.open(folder / "model.tar.gz") as archive:
            archive.extractall(folder / "model", filter="data")
        self._serving = json.loads((folder / "model" / "serving.json").read_text())

    def scores(self) -> tuple[np.ndarray, list[Any]]:
        """Wait for the scores, and the labels they stand for (empty in regression).

        Raises JobFailure when it cannot score, for instance because a column that it needs is gone.
        """
        if self._process and self._process.wait() != 0:
            lines = self._errors.read_text(errors="replace").strip().splitlines()
            self._failure = lines[-1] if lines else f"exit code {self._process.returncode}"
        if self._failure:
            raise JobFailure(f"the live version {self.version} cannot score the test rows: {self._failure}")
        return np.load(self._out), self._serving.get("classes") or []

    def stop(self) -> None:
        """End the process when nobody waits for it any more."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
