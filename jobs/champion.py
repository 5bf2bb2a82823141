"""The version that is approved now, loaded from its own artifact with its own code, to be measured on the new rows."""

import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import s3
from .failures import JobFailure

SCORE = """
import pathlib, sys
folder, rows, out = sys.argv[1:]
sys.path.insert(0, folder + "/code")
from jobs.serve import model_fn
import numpy, pandas
served = model_fn(folder)
files = sorted(pathlib.Path(rows).glob("*.parquet"))
raw = pandas.concat([pandas.read_parquet(each) for each in files], ignore_index=True)
numpy.save(out, served.project.predict(served.model, served.project.features(raw)))
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
        bucket, key = s3.split(champion.model_data_url)
        s3.client().download_file(bucket, key, str(folder / "model.tar.gz"))
        with tarfile.open(folder / "model.tar.gz") as archive:
            archive.extractall(folder / "model", filter="data")
        command = [sys.executable, "-c", SCORE, str(folder / "model"), str(rows), str(self._out)]
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(command, stdout=errors, stderr=errors)

    def scores(self) -> np.ndarray:
        """Wait for the scores. Raises JobFailure when it cannot score, for instance because a column that it needs is gone."""
        if self._process.wait() != 0:
            last = (self._errors.read_text(errors="replace").strip().splitlines() or ["no error text"])[-1]
            raise JobFailure(f"the live version {self.version} cannot score the test rows: {last}")
        return np.load(self._out)

    def stop(self) -> None:
        """End the process when nobody waits for it any more."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
