"""The tutorial's commands that need no AWS, run one after the other in an empty folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .commands import BIN
from .pages import ROOT, fenced

pytestmark = pytest.mark.slow
ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1"}
TUTORIAL = "docs/tutorial/first-model.md"


@pytest.fixture(scope="module")
def blocks() -> dict[str, str]:
    """Python blocks of the tutorial by the file that they are."""
    found = fenced((ROOT / TUTORIAL).read_text(), TUTORIAL)
    return {block.title: block.text for block in found if block.language == "python"}


def run(folder: Path, *arguments: str) -> str:
    """What a command of this environment prints; it must succeed. One thread, because small trainings gain nothing from more."""
    command = [str(BIN / arguments[0]), *arguments[1:]]
    done = subprocess.run(command, cwd=folder, env=ONE_THREAD, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """What `init` writes, as the tutorial calls it."""
    empty = tmp_path_factory.mktemp("tutorial")
    run(empty, "model-factory", "init", "acme", "--example", "--ci", "github")
    return empty / "acme"


def test_repository_of_init_is_valid(repository):
    assert "models employment" in run(repository, "model-factory", "validate")


def test_model_of_tutorial_keeps_its_contract(repository, blocks):
    (repository / "make_customers.py").write_text(blocks["make_customers.py"])
    subprocess.run([sys.executable, "make_customers.py"], cwd=repository, check=True)
    run(repository, "model-factory", "new", "churn", "--data", "customers.csv", "--label", "left")
    run(repository, "model-factory", "validate")
    (repository / "models/churn/model.py").write_text(blocks["models/churn/model.py"])
    run(repository, "model-factory", "validate")
    assert "1 passed" in run(repository, "pytest", "--quiet", "-k", "churn")


def test_upgrade_to_same_version_changes_nothing(repository):
    assert "no file has to change" in run(repository, "model-factory", "upgrade", "--no-diff")
