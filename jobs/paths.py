"""SageMaker's paths in a container, or below $FACTORY_ML_ROOT when there is no container."""

import os
from pathlib import Path


def root() -> Path:
    """/opt/ml."""
    return Path(os.environ.get("FACTORY_ML_ROOT", "/opt/ml"))


def processing_input(name: str) -> Path:
    """Where a processing job finds its input `name`."""
    return root() / "processing" / "input" / name


def processing_output(name: str) -> Path:
    """Where a processing job leaves its output `name`; made when it is not there."""
    path = root() / "processing" / "output" / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def channel(name: str) -> Path:
    """Where a training job finds its channel `name`."""
    return root() / "input" / "data" / name


def model() -> Path:
    """What a training job leaves here becomes model.tar.gz."""
    path = root() / "model"
    path.mkdir(parents=True, exist_ok=True)
    return path
