"""SageMaker's paths in a container, or below $FACTORY_ML_ROOT when it is set."""

import os
from pathlib import Path


def root() -> Path:
    """/opt/ml."""
    return Path(os.environ.get("FACTORY_ML_ROOT", "/opt/ml"))


def processing_input(name: str) -> Path:
    """The folder of a processing job's input `name`."""
    return root() / "processing" / "input" / name


def processing_output(name: str) -> Path:
    """The folder of a processing job's output `name`; created when it does not exist."""
    path = root() / "processing" / "output" / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def channel(name: str) -> Path:
    """The folder of a training job's channel `name`."""
    return root() / "input" / "data" / name


def training_output() -> Path:
    """The folder of a training job that becomes output.tar.gz, with model.tar.gz beside it."""
    return root() / "output" / "data"


def model() -> Path:
    """The folder that becomes model.tar.gz; created when it does not exist."""
    path = root() / "model"
    path.mkdir(parents=True, exist_ok=True)
    return path


def checkpoints() -> Path:
    """The folder of a training job's checkpoints, which SageMaker copies to S3; created when it does not exist."""
    path = root() / "checkpoints"
    path.mkdir(parents=True, exist_ok=True)
    return path
