"""Stored predictions, files of labels and the quality that they show, in moto's S3."""

from datetime import timedelta

import numpy as np
import pytest

from jobs.monitoring import predictions
from jobs.monitoring.attribution import Attribution
from jobs.monitoring.context import Context
from jobs.monitoring.model_quality import Quality, judge
from jobs.monitoring.predictions import Predictions, PredictionSample, ScoredRequest

from ..conftest import BUCKET
from .live_traffic import NOW, live_version_of

URI = f"s3://{BUCKET}/sales"


@pytest.fixture
def predicted(s3):
    """Stores predictions as a monitor run does."""

    def store(
        requests: list[ScoredRequest],
        version: int = 3,
        folder: str = "monitor",
        width: int = 1,
        rows: int = 10**6,
        name: str = "run",
    ) -> None:
        sample = PredictionSample(width, rows)
        for each in Predictions.of(requests, Attribution(version).versions):
            sample.add(each)
        predictions.write(sample, f"{URI}/{folder}", NOW, f"{name}-{version}")

    return store


@pytest.fixture
def put(s3):
    """Puts a file of labels."""

    def labels(content: str | bytes, name: str) -> None:
        body = content.encode() if isinstance(content, str) else content
        s3.put_object(Bucket=BUCKET, Key=f"sales/ground-truth/2026/11/24/09/{name}", Body=body)

    return labels


@pytest.fixture
def judged(settings, records):
    """Judges the stored predictions, `later` days after NOW."""

    def run(
        problem="binary_classification", classes=(0, 1), evaluation=None, last=None, later=0.0, **sections
    ) -> Quality:
        rows = records(300)
        at_gate = {"problem": problem, "classes": list(classes) if classes else None} | (evaluation or {})
        live = live_version_of(rows, np.zeros(300), evaluation=at_gate)
        time = NOW + timedelta(days=later)
        context = Context(settings(problem, **sections), time, URI, f"{URI}/monitor")
        return judge(context, live, last, has_new_records=True).quality

    return run
