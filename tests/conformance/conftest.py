"""Fixtures: an artifact of the deployed jobs, served by AWS's toolkit, by the embedded AWS and as in an own image."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from tools import model_servers as servers
from tools.example_artifact import PERIOD, example_artifact

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def toolkit_environment():
    """Installs AWS's toolkit into .venv-conformance, unless the lock file's packages are installed."""
    if not (shutil.which("cc") or shutil.which("gcc")):
        pytest.skip("AWS's toolkit is published as source: install a C compiler (for example: apt-get install gcc)")
    subprocess.run([ROOT / "tools" / "make-conformance-venv"], check=True)


@pytest.fixture(scope="session")
def records():
    """Census records of 2015."""
    return pd.read_parquet(PERIOD)


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """model.tar.gz of a run of Prepare and Train."""
    return example_artifact(tmp_path_factory.mktemp("artifact"))


@pytest.fixture(scope="session")
def aws(archive, tmp_path_factory):
    with servers.toolkit(archive, tmp_path_factory.mktemp("toolkit")) as server:
        yield server


@pytest.fixture(scope="session")
def own_image(archive, tmp_path_factory):
    with servers.own_image(archive, tmp_path_factory.mktemp("own-image")) as server:
        yield server


@pytest.fixture(scope="session")
def embedded(archive, tmp_path_factory):
    with servers.embedded(archive, tmp_path_factory.mktemp("embedded")) as server:
        yield server
