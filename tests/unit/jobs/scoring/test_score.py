"""The job score on small objects, with real scoring processes."""

import numpy as np
import pandas as pd
import pytest

from jobs.failures import JobFailure

from ..evaluation.conftest import CENTRE
from .conftest import ARN, keys, report, table

ROWS = pd.DataFrame(
    {"customer": ["c1", "c2", "c3"], "x": [0.0, 1.0, -1.0], "colour": ["red", None, "blue"], "sold": [1, 0, 1]}
)
SIGMOIDS = [0.5, 0.731059, 0.268941]
BATCH = {"mode": "batch"}
IGNORE = {"ignore": ["customer"]}


def test_new_object_is_scored_once_with_its_lineage(s3, register, put, score):
    register()
    version_id = put(ROWS)
    (scored,) = score(serving=BATCH, data=IGNORE)["objects"]
    predictions = table(s3, scored)
    assert predictions["prediction"].round(6).tolist() == SIGMOIDS
    assert list(predictions) == ["customer", "inference_id", "prediction", "model_version"]
    assert scored["predictions"]["key"].startswith("sales/predictions/dt=2026-11-26/part-")
    assert (scored["version"], scored["execution"], scored["rows"]) == (1, ARN, 3)
    assert scored["input"]["version_id"] == version_id
    again = score(serving=BATCH, data=IGNORE)
    assert (again["outcome"], again["skipped"]) == ("nothing to score", 1)
    assert len(keys(s3, "predictions/")) == 2, "the predictions and their lineage"


def test_newer_version_scores_only_objects_that_are_new(s3, register, put, score):
    register()
    put(ROWS)
    score(serving=BATCH)
    register(CENTRE.format(predict="return features['x'] * 0 + 0.25"))
    put(ROWS, "scoring/dt=2026-11-27/part.csv")
    (scored,) = score(serving=BATCH)["objects"]
    assert (scored["version"], table(s3, scored)["prediction"].tolist()) == (2, [0.25] * 3)
    assert scored["input"]["key"] == "sales/scoring/dt=2026-11-27/part.csv"


def test_object_written_again_is_scored_again(register, put, score):
    register()
    put(ROWS)
    first = score(serving=BATCH)["objects"][0]
    put(ROWS.head(2))
    (second,) = score(serving=BATCH)["objects"]
    assert second["rows"] == 2
    assert second["predictions"]["key"] != first["predictions"]["key"]


def test_run_killed_before_the_lineage_completes_it(s3, register, put, score):
    register()
    put(ROWS)
    (first,) = score(serving=BATCH)["objects"]
    (marker,) = [key for key in keys(s3, "predictions/") if "_lineage" in key]
    s3.delete_object(Bucket="data", Key=marker)
    register(CENTRE.format(predict="return features['x'] * 0 + 0.25"))
    (second,) = score(serving=BATCH)["objects"]
    assert second["version"] == 1, "the lineage is that of the predictions which are there"
    assert second["predictions"]["version_id"] == first["predictions"]["version_id"]


def test_bad_object_fails_the_run_and_others_are_scored(s3, register, put, score):
    register()
    put(ROWS)
    put("x,colour\n1,red\nabc,red\n", "scoring/dt=2026-11-25/bad.csv")
    with pytest.raises(JobFailure, match="1 of 2 objects cannot be scored") as failure:
        score(serving=BATCH)
    assert "scoring/dt=2026-11-25/bad.csv: column 'x': 1 values are no number; the first is 'abc' in row 2" in str(
        failure.value
    )
    assert (report(s3)["outcome"], report(s3)["rows"]) == ("failed", 3)
    assert not [key for key in keys(s3, "predictions/") if "bad" in key]
    assert not [key for key in keys(s3, "captured/") if "bad" in key]


def test_refused_values_fail_their_object(register, put, score):
    register(columns=[{"name": "x", "type": "number", "maximum": 1}])
    put("x\n1\n7\n")
    assert score(serving=BATCH)["rows"] == 2
    put("x\n2\n7\n")
    with pytest.raises(JobFailure, match="'x': 2 values are above the maximum 1"):
        score(serving=BATCH | {"invalid_values": "refuse"})


def test_nothing_approved_fails_only_with_data(register, put, score):
    register(status="PendingManualApproval")
    assert score(serving=BATCH)["outcome"] == "nothing to score"
    put(ROWS)
    with pytest.raises(JobFailure, match="no version of sales is approved, so nothing scores the 1 objects"):
        score(serving=BATCH)


@pytest.mark.parametrize("data_format", ["csv", "jsonl"])
def test_predictions_have_the_format_and_labels_asked_for(s3, register, put, score, data_format):
    register()
    put(ROWS.to_json(orient="records", lines=True), "scoring/rows.jsonl")
    options = {"format": data_format, "labels": True, "id_column": "customer"}
    (scored,) = score(serving=BATCH | {"batch": options}, data=IGNORE)["objects"]
    predictions = table(s3, scored)
    assert predictions["label"].tolist() == ["yes", "yes", "no"]
    assert np.allclose(predictions["score_no"] + predictions["score_yes"], 1)
    assert predictions["inference_id"].tolist() == ["c1", "c2", "c3"]


def test_request_is_scored_by_each_version_and_not_monitored(s3, register, put, score):
    register()
    register(CENTRE.format(predict="return features['x'] * 0 + 0.25"), status="PendingManualApproval")
    put(ROWS, "scoring-requests/r1/rows.parquet")
    data = "s3://data/sales/scoring-requests/r1/"
    by_one, by_two = (score(data, version)["objects"][0] for version in ("1", "2"))
    assert table(s3, by_two)["prediction"].tolist() == [0.25] * 3
    assert by_one["predictions"]["key"].startswith("sales/predictions/_requests/version=1/r1/rows-")
    assert not keys(s3, "captured/")


def test_data_outside_of_the_model_is_refused(register, score):
    with pytest.raises(JobFailure, match="Data must be below"):
        score("s3://data/other/scoring/")


@pytest.mark.slow
def test_processes_score_batches_in_order(s3, register, put, score, processes, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1})
    monkeypatch.setattr("jobs.scoring.rows.BATCH_ROWS", 2)
    monkeypatch.setattr("jobs.table_files.CHUNK_ROWS", 2)
    register()
    put(pd.DataFrame({"x": np.linspace(-2, 2, 7), "colour": "red"}), "scoring/many.parquet")
    (scored,) = score(serving=BATCH)["objects"]
    predictions = table(s3, scored)
    assert predictions["prediction"].is_monotonic_increasing
    put("x,colour\n1,red\n2,red\nabc,red\n", "scoring/bad.csv")
    with pytest.raises(JobFailure, match="the first is 'abc' in row 3"):
        score(serving=BATCH)
    assert [each.rpartition("-")[2] for each in predictions["inference_id"]] == [str(row) for row in range(7)]


def test_several_classes_have_label_and_scores(s3, register, put, score):
    register(
        CENTRE.format(predict="return np.array([[0.2, 0.5, 0.3]] * len(features))"), problem="multiclass_classification"
    )
    put(ROWS)
    (scored,) = score(serving=BATCH, problem="multiclass_classification")["objects"]
    predictions = table(s3, scored)
    assert predictions["prediction"].tolist() == ["b"] * 3
    assert predictions.loc[0, ["score_a", "score_b", "score_c"]].tolist() == [0.2, 0.5, 0.3]


def test_missing_column_or_id_is_named(register, put, score):
    register()
    put("colour\nred\n", "scoring/a.csv")
    put("customer,x,colour\nc1,1,red\n,1,red\n", "scoring/b.csv")
    put("x", "scoring/c.txt")
    with pytest.raises(JobFailure) as failure:
        score(serving=BATCH | {"batch": {"id_column": "customer"}}, data=IGNORE)
    reason = str(failure.value)
    assert "scoring/a.csv: it has no column 'x'; the model takes x, colour" in reason
    assert "column 'customer', which is serving.batch.id_column, has no value in row 2" in reason
    assert "scoring/c.txt: its name must end in .parquet, .csv, .csv.gz, .jsonl" in reason
