"""The wheels, installed into a fresh environment outside of the checkout: what a new user does, in that order."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from tests.bytecode import share_bytecode

ROOT = Path(__file__).parents[2]
UV = ROOT / ".venv" / "bin" / "uv"
CORE_ONLY = ("scikit-learn", "moto", "pandas", "sagemaker", "cdk-nag")


class Installed:
    """A virtual environment, and a folder to work in that has nothing of this repository."""

    def __init__(self, folder: Path, dist: Path) -> None:
        self.bin, self.folder, self._dist = folder / "venv" / "bin", folder / "work", dist
        self.folder.mkdir()
        self._uv("venv", "--python", str(ROOT / ".venv" / "bin" / "python"), str(folder / "venv"))

    def install(self, requirement: str) -> None:
        """Install from the wheels and PyPI, at the versions of the lock."""
        locked = ["--constraint", str(ROOT / "requirements.lock")]
        wheels = ["--find-links", str(self._dist)]
        self._uv("pip", "install", "--python", str(self.bin / "python"), *locked, *wheels, requirement)
        share_bytecode(self.bin.parent)

    def run(self, *command: str, cwd: Path | None = None, status: int = 0, **variables: str) -> str:
        """Run a command of the environment; its output. Fails unless it exits with `status`."""
        done = subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=570,
        )
        assert done.returncode == status, f"{command} exited with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    @property
    def environment(self) -> dict[str, str]:
        """As a shell in which the environment is active: no variable of this test run is left."""
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHON", "CDK_", "JSII_"))
        }
        path = os.pathsep.join(each for each in os.environ["PATH"].split(os.pathsep) if str(ROOT) not in each)
        return kept | {"PATH": f"{self.bin}{os.pathsep}{path}", "VIRTUAL_ENV": str(self.bin.parent)}

    def _uv(self, *arguments: str) -> None:
        done = subprocess.run([str(UV), "--quiet", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def dist(tmp_path_factory) -> Path:
    """Both wheels."""
    folder = tmp_path_factory.mktemp("dist")
    for project in (ROOT, ROOT / "local_aws"):
        subprocess.run([UV, "build", "--quiet", "--wheel", project, "--out-dir", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def core(tmp_path_factory, dist) -> Installed:
    """The library alone, and a repository `acme` that it wrote."""
    installed = Installed(tmp_path_factory.mktemp("core"), dist)
    installed.install("model-factory-cdk")
    installed.run("model-factory", "init", "acme", "--example", "--ci", "github")
    return installed


@pytest.fixture(scope="module")
def local(core) -> Installed:
    """The same environment with the extra `local`; tests that need the library alone come before."""
    core.install("model-factory-cdk[local]")
    return core


def test_wheel_installs_one_top_level_name(dist):
    (wheel,) = dist.glob("model_factory_cdk-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"model_factory"}
    assert "model_factory/jobs/__main__.py" in names
    assert "model_factory/functions/retrain/handler.py" in names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_core_installs_without_the_packages_of_models_and_the_embedded_aws(core):
    listed = core.run("python", "-c", "from importlib.metadata import distributions as d; print([x.name for x in d()])")
    assert not [name for name in CORE_ONLY if f"'{name}'" in listed]


def test_core_validates_and_synthesizes(core):
    repository = core.folder / "acme"
    assert "models employment" in core.run("model-factory", "validate", cwd=repository)
    core.run("cdk", "synth", "--quiet", cwd=repository)
    assert (repository / "cdk.out" / "acme-prod-employment.template.json").exists()
    assert "no file has to change" in core.run("model-factory", "upgrade", "--no-diff", cwd=repository)


def test_core_names_the_extra_that_a_command_needs(core):
    printed = core.run("model-factory", "demo", status=1)
    assert "Traceback" not in printed
    assert "pip install 'model-factory-cdk[local]==" in printed


def test_constructs_are_imported_from_the_library(core):
    core.run("python", "-c", "from model_factory import DataLake, FactoryApp, TrainingPipeline; DataLake.__init__")


def test_tests_of_the_repository_pass(local):
    assert "1 passed" in local.run("pytest", "-q", cwd=local.folder / "acme")


def test_new_model_passes_validation_and_its_contract(local):
    repository = local.folder / "acme"
    rows = "\n".join(f"{n % 70},{'abc'[n % 3]},{int(n % 7 > 3)}" for n in range(200))
    (local.folder / "churn.csv").write_text(f"age,plan,left\n{rows}\n")
    local.run("model-factory", "new", "churn", "--data", "../churn.csv", "--label", "left", cwd=repository)
    assert "models churn, employment" in local.run("model-factory", "validate", cwd=repository)
    assert "2 passed" in local.run("pytest", "-q", cwd=repository)
    shutil.rmtree(repository / "models" / "churn")


def test_broken_model_fails_its_contract_with_the_line(local):
    repository = local.folder / "acme"
    code = repository / "models" / "employment" / "model.py"
    text = code.read_text()
    code.write_text(text.replace("return raw.astype", "return raw.fillna(raw.mean(numeric_only=True)).no_such_method"))
    try:
        printed = local.run("pytest", "-q", cwd=repository, status=1)
    finally:
        code.write_text(text)
    assert "ModelContractError" in printed
    assert "no_such_method" in printed


def test_cdk_deploys_into_the_embedded_aws(local):
    repository = local.folder / "acme"
    command = [str(local.bin / "model-factory"), "local", "up", "--port", "0"]
    with subprocess.Popen(
        command, cwd=repository, env=local.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as up:
        try:
            exported = _exported(up)
            local.run("cdk", "deploy", "acme-prod-*", "--require-approval", "never", cwd=repository, **exported)
            data = "models/employment/data/2015.parquet"
            local.run("model-factory", "upload", "employment", data, cwd=repository, **exported)
            local.run("model-factory", "retrain", "employment", cwd=repository, **exported)
            status = ("model-factory", "status", "--env", "prod", "--json")
            _wait_for(lambda: '"version": 1' in local.run(*status, cwd=repository, **exported))
            first = pd.read_parquet(repository / data).drop(columns="employed").iloc[0]
            record = json.dumps({name: str(value) for name, value in first.items()} | {"AGEP": int(first["AGEP"])})
            answer = local.run("model-factory", "invoke", "employment", "--json", record, cwd=repository, **exported)
            assert re.search(r'"predictions": \[0\.\d+\]', answer)
        finally:
            up.send_signal(signal.SIGINT)
            assert up.wait(120) == 0


def _exported(up: subprocess.Popen[str]) -> dict[str, str]:
    """The variables that `local up` says to export, once it is ready."""
    exported: dict[str, str] = {}
    for line in up.stdout or ():
        if line.strip().startswith("export "):
            exported |= dict(pair.split("=", 1) for pair in line.split()[1:])
        if "AWS_PROFILE" in exported:
            return exported
    raise AssertionError("local up ended before it was ready")


def _wait_for(condition, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the version did not go live"
        time.sleep(1)
