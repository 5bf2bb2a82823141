"""Rows that were scored in batches, monitored like requests."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jobs.monitoring import scored
from jobs.s3 import S3Object
from jobs.scoring import store
from jobs.scoring.context import Context
from jobs.scoring.version import Version

from ..conftest import BUCKET
from .live_traffic import COLUMNS
from .test_monitor import labels_of, monitored, scores_of

__all__ = ["monitored"]


def write(settings, rows: pd.DataFrame, scores: np.ndarray, name: str = "a", version: int = 3, **sections) -> str:
    """Captured rows as the job score writes them; the key."""
    resolved = settings(serving={"mode": "batch"} | sections)
    context = Context(resolved, "", f"s3://{BUCKET}/sales", "", endpoint="sales")
    target = context.target(S3Object(BUCKET, f"sales/scoring/{name}.csv", "v1", "", 1), version)
    ids = [f"{name}-{row}" for row in range(len(rows))]
    table = pa.Table.from_pandas(rows[["x", "colour"]], preserve_index=False)
    (captured,) = store.captured(context, Version(version, "", "", None, "Approved"), target, 0, table, ids, scores)
    captured.write()
    return captured.key


@pytest.fixture
def batch_model(project, monitored):
    project(gate={"metric": "auc", "minimum": 0.8}, serving={"mode": "batch"})
    return monitored


def test_scored_rows_are_monitored_and_judged_by_late_labels(batch_model, records, settings):
    rows = records(600, seed=1)
    key = write(settings, rows, scores_of(rows))
    report = batch_model.run()
    assert (report["objects"], report["rows"], report["drifted"]) == ([key], 600, [])
    batch_model.labels(labels_of(rows, "a"))
    quality = batch_model.run()["quality"]
    assert (quality["labelled"], quality["records"], quality["versions"]) == (600, 600, [3])


def test_drifted_scored_rows_are_found(batch_model, records, settings):
    rows = records(600, seed=1).assign(x=lambda table: table["x"] + 2)
    write(settings, rows, scores_of(rows))
    assert {"x", "score"} <= set(batch_model.run()["drifted"])


def test_batch_model_without_approved_version_is_not_monitored(batch_model):
    batch_model.live = None
    assert batch_model.run()["reason"] == "no version is approved yet"


def test_capture_percent_applies_to_scored_rows(s3, records, settings):
    rows = records(1000, seed=1)
    key = write(settings, rows, scores_of(rows), capture_percent=20)
    kept = pd.read_parquet(io.BytesIO(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()))
    assert 120 < len(kept) < 280


def test_rows_of_another_version_that_do_not_fit_are_others(s3, records, settings):
    rows = records(3, seed=1).assign(x="many")
    key = write(settings, rows, np.full(3, 0.5), version=2)
    batch = scored.read(BUCKET, key, COLUMNS, live=3)
    assert (batch.rows, batch.bad_lines, batch.others) == (None, 0, {2: 3})
    own = scored.read(BUCKET, key, COLUMNS, live=2)
    assert (own.bad_lines, own.first_error) == (3, f"{key}: are no number")
