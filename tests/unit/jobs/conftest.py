"""A small project on disk and its raw data in moto's S3; jobs run in this process under $FACTORY_ML_ROOT."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from moto import mock_aws

from jobs import project as projects
from jobs import s3 as storage
from model_factory.config import ModelConfig
from tests import warm

BUCKET = "data"
MODEL = """\
import numpy as np
import pandas as pd


def features(raw):
    return pd.DataFrame({"x": raw["x"].fillna(0.0), "red": (raw["colour"] == "red") * 1.0})


def train(train, validation, hyperparameters):
    inputs = np.column_stack([train[["x", "red"]], np.ones(len(train))])
    return np.linalg.lstsq(inputs, train["sold"].to_numpy(dtype="float64"), rcond=None)[0]


def predict(model, features):
    return np.clip(features[["x", "red"]].to_numpy() @ model[:2] + model[2], 0.0, 1.0)
"""
SCHEMA = {
    "x": {"type": "number"},
    "colour": {"type": "string", "values": ["red", "green", "blue"]},
}


@pytest.fixture(scope="session", autouse=True)
def warm_processes() -> Iterator[None]:
    """Scripts of this Python are forked from a process that has their libraries in memory."""
    with pytest.MonkeyPatch.context() as patch:
        warm.install(patch)
        yield


@pytest.fixture
def records() -> Callable[..., pd.DataFrame]:
    """Rows whose label depends on x and on the colour."""

    def make(rows: int = 400, seed: int = 0) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        x = rng.normal(0, 1, rows).round(6)
        colour = rng.choice(["red", "green", "blue"], rows)
        sold = (x + (colour == "red") + rng.normal(0, 0.5, rows) > 0.5) * 1
        return pd.DataFrame({"x": x, "colour": colour, "sold": sold})

    return make


@pytest.fixture
def settings() -> Callable[..., dict[str, Any]]:
    """Resolved settings of a model: sections given are merged over the small project's."""

    def make(problem: str = "binary_classification", **sections: Any) -> dict[str, Any]:
        metric = {"regression": {"metric": "rmse", "maximum": 1e9}, "multiclass_classification": {"metric": "accuracy"}}
        gate = {"minimum": 0.0} | {"metric": "auc"} | metric.get(problem, {})
        if "maximum" in gate:
            del gate["minimum"]
        given = {
            "name": "sales",
            "problem": problem,
            "data": {"label": "sold", "schema": SCHEMA} | sections.pop("data", {}),
            "gate": gate | sections.pop("gate", {}),
        }
        return ModelConfig.model_validate(given | sections).settings()

    return make


@pytest.fixture
def project(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Writes the project that jobs load."""
    paths, modules, load = list(sys.path), set(sys.modules), projects.load

    def make(code: str = MODEL, helpers: dict[str, str] | None = None, **sections: Any) -> projects.Project:
        root = tmp_path / "container"
        (root / "project").mkdir(parents=True, exist_ok=True)
        for name, text in {"model.py": code, **(helpers or {})}.items():
            (root / "project" / name).write_text(text)
        (root / "project" / "settings.json").write_text(json.dumps(settings(**sections)))
        forget()
        loaded = load(root)
        monkeypatch.setattr(projects, "load", lambda root=None: loaded)
        return loaded

    def forget() -> None:
        for name in {"model", *(set(sys.modules) - modules)}:
            if str(getattr(sys.modules.get(name), "__file__", "")).startswith(str(tmp_path)):
                del sys.modules[name]

    yield make
    forget()
    sys.path[:] = paths


@pytest.fixture
def ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """/opt/ml of the job under test."""
    root = tmp_path / "ml"
    root.mkdir()
    monkeypatch.setenv("FACTORY_ML_ROOT", str(root))
    monkeypatch.setenv("DATA_URI", f"s3://{BUCKET}/sales")
    monkeypatch.setenv("MODEL_PACKAGE_GROUP", "sales")
    monkeypatch.delenv("DATA_MANIFEST", raising=False)
    return root


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """moto's S3 with the versioned data bucket."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = storage.client()
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.fixture
def land(s3: Any, tmp_path: Path) -> Callable[..., str]:
    """Puts raw data into a partition; the version id."""

    def put(content: pd.DataFrame | str | bytes, day: str = "2026-11-23", name: str = "part-0.csv") -> str:
        if isinstance(content, pd.DataFrame):
            path = tmp_path / "landing"
            content.to_parquet(path, index=False) if name.endswith("parquet") else content.to_csv(path, index=False)
            content = path.read_bytes()
        body = content.encode() if isinstance(content, str) else content
        return s3.put_object(Bucket=BUCKET, Key=f"sales/raw/dt={day}/{name}", Body=body)["VersionId"]

    return put
