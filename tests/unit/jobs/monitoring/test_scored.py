"""Rows that were scored in batches, monitored like requests."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jobs.columns import Column
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


def test_rows_with_a_wrong_value_are_left_out(s3, records, settings):
    rows = records(4, seed=1).assign(x=["1.5", "many", "2.5", "more"])
    key = write(settings, rows, np.array([0.1, 0.2, 0.3, 0.4]), version=2)
    batch = scored.read(BUCKET, key, COLUMNS, live=2)
    assert batch.rows is not None
    assert (batch.rows["x"].tolist(), batch.rows.index.tolist(), batch.scores.tolist()) == (
        [1.5, 2.5],
        [0, 1],
        [0.1, 0.3],
    )
    assert (batch.lines, batch.bad_lines, batch.first_error) == (4, 2, f"{key}: are no number")
    assert batch.bad == [{"object": key, "line": "", "error": "are no number", "text": "2 rows"}]
    assert [(each.id, each.named, each.scores.tolist()) for each in batch.scored] == [
        ("a-0", 2, [[0.1]]), ("a-2", 2, [[0.3]]),
    ]  # fmt: skip
    assert (batch.named.tolist(), batch.seconds.tolist()) == ([2, 2], [batch.scored[0].seconds] * 2)
    assert batch.scored[0].seconds > 1_700_000_000
    of_another = scored.read(BUCKET, key, COLUMNS, live=3)
    assert (of_another.bad_lines, of_another.others, len(of_another.scored)) == (0, {2: 2}, 2)


def test_scored_rows_without_a_column_cannot_be_read(s3, records, settings):
    key = write(settings, records(3, seed=1), np.full(3, 0.5), version=2)
    batch = scored.read(BUCKET, key, [*COLUMNS, Column("age", "number")], live=2)
    assert (batch.rows, batch.lines, batch.bad_lines) == (None, 3, 3)
    assert batch.first_error == f"{key}: there is no column 'age'"


def test_score_of_a_row_is_the_largest_of_its_classes(s3, records, settings):
    key = write(settings, records(2, seed=1), np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]]))
    batch = scored.read(BUCKET, key, COLUMNS, live=3)
    assert (batch.scores.tolist(), batch.scored[0].scores.tolist()) == ([0.5, 0.6], [[0.2, 0.5, 0.3]])
    assert (batch.bad_lines, batch.bad, batch.lines) == (0, [], 2)


def test_rows_of_another_version_that_do_not_fit_are_others(s3, records, settings):
    rows = records(3, seed=1).assign(x="many")
    key = write(settings, rows, np.full(3, 0.5), version=2)
    batch = scored.read(BUCKET, key, COLUMNS, live=3)
    assert (batch.rows, batch.bad_lines, batch.others) == (None, 0, {2: 3})
    own = scored.read(BUCKET, key, COLUMNS, live=2)
    assert (own.bad_lines, own.first_error) == (3, f"{key}: are no number")
