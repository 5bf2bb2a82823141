"""The version that is approved now, loaded from its own artifact with its own code, to be measured on the new rows."""

import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from . import s3
from .failures import JobFailure

SCORE = """
import sys, numpy, pandas
folder, rows, out = sys.argv[1:]
sys.path.insert(0, folder + "/code")
from jobs.serve import model_fn
served = model_fn(folder)
raw = pandas.read_parquet(rows)
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


def score(champion: Champion, rows: pd.DataFrame) -> np.ndarray:
    """The champion's scores of raw rows, in a process of its own: its code has the same module names as ours.

    Raises JobFailure when it cannot score them, for instance because a column that it needs is gone.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        bucket, key = s3.split(champion.model_data_url)
        s3.client().download_file(bucket, key, str(folder / "model.tar.gz"))
        with tarfile.open(folder / "model.tar.gz") as archive:
            archive.extractall(folder / "model", filter="data")
        rows.to_parquet(folder / "rows.parquet", index=False)
        command = [
            sys.executable,
            "-c",
            SCORE,
            str(folder / "model"),
            str(folder / "rows.parquet"),
            str(folder / "scores.npy"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no error text"])[-1]
            raise JobFailure(f"the live version {champion.version} cannot score the test rows: {last}")
        return np.load(folder / "scores.npy")
