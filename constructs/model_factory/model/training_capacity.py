"""The capacity that a training job asks for: spot instances with checkpoints, or an instance that a warm pool keeps."""

from typing import Any

from ..config.training import Training
from ..definition import Value

CHECKPOINTS = "checkpoints"
"""Folder of the checkpoints in the container, below /opt/ml, and in S3, beside the rows that the training reads."""


def spot(training: Training, *, checkpoints: Value) -> dict[str, Any]:
    """Members of CreateTrainingJob for managed spot training.

    SageMaker keeps /opt/ml/checkpoints and the objects below `checkpoints` equal, and fills the folder when a job starts. The
    bucket's default key encrypts the objects: CheckpointConfig has no key.

    Args:
        training: The section of model.yaml.
        checkpoints: S3 URI of the checkpoints.
    """
    return {
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": checkpoints, "LocalPath": f"/opt/ml/{CHECKPOINTS}"},
        "StoppingCondition": {
            "MaxRuntimeInSeconds": int(training.max_runtime.total_seconds()),
            "MaxWaitTimeInSeconds": int(training.longest_wait.total_seconds()),
        },
    }


def kept_alive(training: Training) -> dict[str, Any]:
    """Members of ResourceConfig for a warm pool; empty without one."""
    return {"KeepAlivePeriodInSeconds": int(training.keep_alive.total_seconds())} if training.keep_alive else {}
