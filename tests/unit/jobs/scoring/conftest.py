"""The job score, run on objects in moto's S3 with a registered version.

The version's code scores in this process, except in tests with the fixture `processes`: a process takes seconds to start.
"""

import hashlib
import io
import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from jobs import s3 as storage
from jobs import score as scores
from jobs import serve
from jobs.project import load as load_project
from jobs.scoring import job, workers

from ..evaluation.conftest import SIGMOID, artifact

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/f-dev-sales-score/execution/e1"


@pytest.fixture
def register(s3, tmp_path, settings):
    """Registers a version with a model.py; its number."""
    sagemaker = storage.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="sales")
    numbers = iter(range(1, 9))

    def add(code: str = SIGMOID, *, status: str = "Approved", **sections) -> int:
        number, problem = next(numbers), sections.get("problem", "binary_classification")
        classes = {"regression": None, "multiclass_classification": ["a", "b", "c"]}.get(problem, ["no", "yes"])
        columns = sections.pop("columns", None)
        path = artifact(tmp_path / f"version-{number}", settings(**sections), code, classes, columns)
        s3.upload_file(str(path), "data", f"version-{number}/model.tar.gz")
        sagemaker.create_model_package(
            ModelPackageGroupName="sales",
            CustomerMetadataProperties={"artifact_digest": hashlib.sha256(path.read_bytes()).hexdigest()},
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [{"Image": "sklearn", "ModelDataUrl": f"s3://data/version-{number}/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )
        return number

    return add


@pytest.fixture
def put(s3):
    """Puts an object below the model's folder; its version id."""

    def add(content: pd.DataFrame | str | bytes, name: str = "scoring/dt=2026-11-26/part.csv") -> str:
        if isinstance(content, pd.DataFrame):
            content = content.to_parquet(index=False) if name.endswith("parquet") else content.to_csv(index=False)
        body = content.encode() if isinstance(content, str) else content
        return s3.put_object(Bucket="data", Key=f"sales/{name}", Body=body)["VersionId"]

    return add


class InProcess:
    """Stands in for Workers."""

    def __init__(self, artifact, folder: Path) -> None:
        sys.modules.pop("model", None)
        sys.path.insert(0, str(artifact.folder / "code/project"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(serve.project, "load", load_project)  # the fixture `project` replaces it
            self.served, self.folder = serve.model_fn(str(artifact.folder)), folder

    def score(self, rows, first_row: int):
        self.folder.mkdir(exist_ok=True)
        pq.write_table(rows, self.folder / "rows.parquet")
        return scores.batch_scores(self.served, self.folder, first_row)


@pytest.fixture
def processes() -> None:
    """The version's code scores in processes of its own."""


@pytest.fixture
def score(request, tmp_path, ml, s3, project, monkeypatch):
    """Runs the job; its report. What the job raises is raised when the report is read."""
    for name, value in {
        "ARTIFACTS_URI": "s3://data/artifacts",
        "FACTORY_ENVIRONMENT": "dev",
        "MODEL_NAME": "sales",
        "ENDPOINT_NAME": "f-dev-sales",
        "PIPELINE_EXECUTION_ID": "e1",
        "PIPELINE_EXECUTION_ARN": ARN,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0})
    paths = list(sys.path)

    @contextmanager
    def started(artifact, number, environment):
        monkeypatch.setattr(os, "environ", os.environ | environment)
        yield InProcess(artifact, tmp_path / "batch")

    if "processes" not in request.fixturenames:
        monkeypatch.setattr(workers, "started", started)

    def run(below: str = "", version: str = "", **sections) -> dict:
        project(**sections)
        monkeypatch.setenv("SCORING_DATA", below)
        monkeypatch.setenv("SCORING_VERSION", version)
        job.run()
        return report(s3)

    yield run
    sys.path[:] = paths
    sys.modules.pop("model", None)  # a version's, from a temporary folder


def report(s3) -> dict:
    """The report of the last run."""
    return json.loads(s3.get_object(Bucket="data", Key="artifacts/scoring/e1/report.json")["Body"].read())


def keys(s3, prefix: str) -> list[str]:
    """Keys of the objects below the model's folder."""
    listed = s3.list_objects_v2(Bucket="data", Prefix=f"sales/{prefix}").get("Contents", [])
    return [entry["Key"] for entry in listed]


def table(s3, lineage: dict) -> pd.DataFrame:
    """The predictions that a lineage names."""
    where = lineage["predictions"]
    body = s3.get_object(Bucket=where["bucket"], Key=where["key"], VersionId=where["version_id"])["Body"].read()
    if where["key"].endswith(".parquet"):
        return pd.read_parquet(io.BytesIO(body))
    return (
        pd.read_csv(io.BytesIO(body)) if where["key"].endswith(".csv") else pd.read_json(io.BytesIO(body), lines=True)
    )
