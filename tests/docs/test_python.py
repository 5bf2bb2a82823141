"""Every Python block in the documentation compiles, its imports exist, and what can be run is run."""

import ast
import importlib
import inspect
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from jobs.hosts import Hosts
from jobs.prepared_rows import Rows

from .pages import blocks
from .test_yaml import FACTORY, MODEL

PYTHON = blocks("python")
PENDING: set[str] = set()
"""Names of model_factory documented ahead of the code: they must not exist yet. Whoever exports one removes it here."""


def titled(ending: str) -> list:
    """Blocks whose fence names a file with this ending."""
    return [block for block in PYTHON if block.title.endswith(ending)]


def missing_imports(code: str) -> list[str]:
    """Modules and names that the code imports and that do not exist."""
    found = []
    for node in ast.walk(ast.parse(code)):
        modules = [node.module] if isinstance(node, ast.ImportFrom) else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for module in modules:
            try:
                loaded = importlib.import_module(module)
            except ModuleNotFoundError:
                found.append(module)
                continue
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            found += [f"{module}.{name}" for name in names if not hasattr(loaded, name)]
    return found


def pending(code: str) -> bool:
    return any(f"model_factory.{name}" in missing_imports(code) for name in PENDING)


@pytest.mark.parametrize("block", PYTHON, ids=map(str, PYTHON))
def test_python_block_compiles_and_its_imports_exist(block, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")  # importing the SageMaker SDK needs one
    compile(block.text, str(block), "exec")
    assert set(missing_imports(block.text)) <= {f"model_factory.{name}" for name in PENDING}


@pytest.mark.parametrize("name", sorted(PENDING))
def test_name_documented_ahead_must_not_exist(name):
    assert missing_imports(f"from model_factory import {name}"), f"{name} exists: remove it from PENDING"


@pytest.fixture(scope="module")
def customers(tmp_path_factory) -> Path:
    """The table that the tutorial makes."""
    folder = tmp_path_factory.mktemp("tutorial")
    (block,) = titled("make_customers.py")
    subprocess.run([sys.executable, "-c", block.text], cwd=folder, check=True)
    return folder / "customers.csv"


@pytest.mark.parametrize("block", titled("model.py"), ids=map(str, titled("model.py")))
def test_model_block_trains_on_tutorials_data(block, customers, tmp_path):
    (tmp_path / "model.py").write_text(block.text)
    model = runpy.run_path(str(tmp_path / "model.py"))
    data = pd.read_csv(customers).head(500)
    features = model["features"](data.drop(columns="left"))
    rows = features.assign(left=data["left"])
    if "train_batches" in model:
        rows.to_parquet(tmp_path / "part-0.parquet", index=False)
        batches = Rows.of(tmp_path, "the tutorial's data has no rows")
        train = model["train_batches"]
        more = {"checkpoints": tmp_path} if "checkpoints" in inspect.signature(train).parameters else {}
        fitted = train(batches, batches, {}, **more)
    else:
        more = {"hosts": Hosts(["algo-1"], "algo-1")} if "hosts" in inspect.signature(model["train"]).parameters else {}
        fitted = model["train"](rows, rows, {}, **more)
    scores = model["predict"](fitted, features)
    assert scores[data["left"] == 1].mean() > scores[data["left"] == 0].mean()


@pytest.mark.parametrize("block", titled("app.py"), ids=map(str, titled("app.py")))
def test_app_block_synthesizes(block, tmp_path):
    if pending(block.text):
        pytest.skip("documented ahead of the code")
    (tmp_path / "factory.yaml").write_text(FACTORY)
    folder = tmp_path / "models" / "churn"
    folder.mkdir(parents=True)
    (folder / "model.yaml").write_text(MODEL)
    (folder / "model.py").write_text(titled("model.py")[0].text)
    (tmp_path / "app.py").write_text(block.text)
    environment = os.environ | {"CDK_OUTDIR": str(tmp_path / "cdk.out"), "CDK_VALIDATION": "false"}
    subprocess.run([sys.executable, "app.py"], cwd=tmp_path, env=environment, check=True, timeout=120)
    assert list((tmp_path / "cdk.out").glob("*.template.json"))


@pytest.mark.parametrize("block", titled("test_total.py"), ids=map(str, titled("test_total.py")))
def test_test_block_passes_on_embedded_aws(block, local_aws_session, tmp_path):
    (tmp_path / "test_total.py").write_text(block.text)
    runpy.run_path(str(tmp_path / "test_total.py"))["test_job_writes_total"](local_aws_session)


def test_checker_finds_missing_imports():
    code = "import nothing_like_it\nfrom pathlib import Path, Pfad\n"
    assert missing_imports(code) == ["nothing_like_it", "pathlib.Pfad"]
