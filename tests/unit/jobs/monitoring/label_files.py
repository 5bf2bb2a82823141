"""Requests with scores, and the labels for them in the forms that the monitor reads."""

import json

import numpy as np
import pandas as pd

from jobs.monitoring.predictions import ScoredRequest

from .live_traffic import NOW


def singles(scores, name="r") -> list[ScoredRequest]:
    """Requests of one record each."""
    return [
        ScoredRequest(f"{name}-{i}", int(NOW.timestamp()), np.reshape(score, (1, -1))) for i, score in enumerate(scores)
    ]


def labels_and_scores(rows: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores that fit them a little."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, rows)
    return truth, np.clip(truth * 0.3 + rng.random(rows) * 0.7, 0, 1)


def as_table(truth, name="r") -> pd.DataFrame:
    return pd.DataFrame({"inference_id": [f"{name}-{i}" for i in range(len(truth))], "sold": truth})


def model_monitor(identifier: str, data: str, encoding: str = "CSV", key: str = "eventId") -> str:
    """A line as SageMaker Model Monitor wants ground truth."""
    return json.dumps(
        {
            "groundTruthData": {"data": data, "encoding": encoding},
            "eventMetadata": {key: identifier},
            "eventVersion": "0",
        }
    )
