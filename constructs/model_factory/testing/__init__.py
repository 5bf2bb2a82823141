"""Tests for the models of a repository. Needs the extra `local`.

from model_factory.testing import check_model, model_folders
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from ..config import load_model
from ..model.job_code import build_job_code
from .sample import write_sample

__all__ = ["ModelContractError", "check_model", "model_folders"]


class ModelContractError(AssertionError):
    """A model does not keep its contract. The message is the reason that its job would give on AWS."""


def model_folders(models: Path) -> list[Path]:
    """The folders in `models` that hold a model.yaml, by name."""
    return sorted(path.parent for path in models.glob("*/model.yaml"))


def check_model(folder: Path, timeout_seconds: float = 300) -> None:
    """Prepare, train and serve a model on a small sample, with the code that its jobs and its endpoint run.

    The sample is the first rows of the first file in `<folder>/data/`. Without one, rows are generated from `data.schema`.

    Args:
        folder: The model's folder.
        timeout_seconds: Longest time for all steps. Default: 300.

    Raises:
        ConfigError: model.yaml has mistakes.
        ModelContractError: A step failed.
    """
    __tracebackhide__ = True  # pytest then shows the message alone
    config = load_model(folder)
    with tempfile.TemporaryDirectory(prefix="model-contract-") as temporary:
        target = Path(temporary)
        code = build_job_code(config, project=folder, target=target / "jobs.zip")
        sample = write_sample(config, folder / "data", target)
        run = Path(__file__).with_name("run_contract.py")
        command = [sys.executable, str(run), str(code.path), str(sample), str(target / "ml")]
        try:
            done = subprocess.run(
                command, cwd=target, capture_output=True, text=True, check=False, timeout=timeout_seconds
            )
        except subprocess.TimeoutExpired:
            raise ModelContractError(f"{folder}: not finished after {timeout_seconds:.0f} s") from None
        if done.returncode:
            raise ModelContractError(f"{folder}: {done.stderr.strip() or done.stdout.strip()}")
