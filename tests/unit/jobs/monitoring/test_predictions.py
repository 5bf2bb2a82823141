"""Predictions that wait for labels: keys, and the sample that bounds them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from jobs import metrics
from jobs.monitoring import predictions
from jobs.monitoring.predictions import (
    LARGEST_KEY,
    Predictions,
    PredictionSample,
    ScoredRequest,
    StoredPredictions,
    capacity,
    record_keys,
)

from ..conftest import BUCKET
from .label_files import as_table, labels_and_scores, singles
from .live_traffic import NOW


def test_sampled_predictions_give_unbiased_quality(predicted, put, judged):
    truth, scores = labels_and_scores(20_000)
    requests = singles(scores)
    predicted(requests[:12_000], rows=3000, name="a")
    predicted(requests[12_000:], rows=5000, name="b")
    put(as_table(truth).to_csv(index=False), "labels.csv")
    quality = judged()
    assert quality.sampled
    # The first run kept a quarter of its records: so much is known of all.
    assert quality.records == pytest.approx(5000, rel=0.1)
    assert (quality.labelled, quality.without_record) == (quality.records, 0)
    everything = metrics.values("binary_classification", truth, scores)["auc"]
    assert quality.metrics["auc"]["low"] < everything < quality.metrics["auc"]["high"]


def test_sample_never_exceeds_twice_its_capacity():
    sample = PredictionSample(1, 1000)
    ids = np.arange(50_000).astype(str).astype(object)
    for start in range(0, 50_000, 500):
        some_keys = record_keys(ids[start : start + 500], np.zeros(500, int))
        sample.add(Predictions(some_keys, np.ones(500, "int32"), np.ones(500, "int64"), np.ones((500, 1))))
        assert sum(map(len, sample._parts)) <= 2500
    kept = sample.predictions()
    assert len(kept) == 1000
    assert set(kept.keys.tolist()) == set(np.sort(record_keys(ids, np.zeros(50_000, int)))[:1000].tolist())
    sample.add(Predictions(some_keys, np.ones(500, "int32"), np.ones(500, "int64"), np.ones((500, 7))))
    assert sample.other_width == 500


def predictions_of(keys, version=3, seconds=0, scores=None) -> Predictions:
    some_keys = np.asarray(keys, "uint64")
    count = len(some_keys)
    of_keys = np.arange(count, dtype="float64").reshape(-1, 1) if scores is None else scores
    return Predictions(some_keys, np.full(count, version, "int32"), np.full(count, seconds, "int64"), of_keys)


def test_smallest_keys_are_kept_up_to_the_threshold():
    sample = PredictionSample(1, 3)
    sample.add(predictions_of([50, 10, 40, 20, 30]))
    kept = sample.predictions()
    assert (kept.keys.tolist(), kept.scores.ravel().tolist(), sample.threshold) == ([10, 20, 30], [1.0, 3.0, 4.0], 30)
    sample.add(predictions_of([35, 30, 5]))
    assert sample.predictions().keys.tolist() == [10, 20, 5]
    sample.lower_threshold(10)
    sample.lower_threshold(99)
    assert (sample.predictions().keys.tolist(), sample.threshold) == ([10, 5], 10)


def test_sample_that_is_not_full_keeps_every_key():
    sample = PredictionSample(1, 3)
    assert len(sample.predictions()) == 0
    sample.add(predictions_of([LARGEST_KEY, 2, 1]))
    assert (sample.predictions().keys.tolist(), sample.threshold) == ([LARGEST_KEY, 2, 1], LARGEST_KEY)


def test_requests_become_one_table_for_each_number_of_scores():
    requests = [
        ScoredRequest("a", 5, np.array([[0.1], [0.2]]), named=2),
        ScoredRequest("b", 6, np.array([[0.3, 0.7]])),
        ScoredRequest("c", 7, np.array([[0.4]])),
    ]
    one, two = Predictions.of(requests, lambda named, seconds: np.where(named > 0, named, seconds).astype("int32"))
    expected = record_keys(np.array(["a", "a", "c"], dtype=object), np.array([0, 1, 0]))
    assert one.keys.tolist() == expected.tolist()
    assert (one.versions.tolist(), one.seconds.tolist(), one.scores.tolist()) == (
        [2, 2, 7],
        [5, 5, 7],
        [[0.1], [0.2], [0.4]],
    )
    assert (one.metric_scores.tolist(), two.metric_scores.tolist()) == ([0.1, 0.2, 0.4], [[0.3, 0.7]])


def test_position_of_a_key_is_its_record_or_none():
    stored = StoredPredictions(predictions_of([3, 5, 9]), LARGEST_KEY)
    keys = np.array([9, 4, 3, 10, 0], "uint64")
    assert stored.positions(keys).tolist() == [2, -1, 0, -1, -1]
    assert StoredPredictions(Predictions.empty(), 7).positions(keys).tolist() == [-1] * 5
    assert (stored.sampled, StoredPredictions(Predictions.empty(), 7).sampled) == (False, True)


@pytest.mark.parametrize(
    ("width", "share", "records"),
    [(1, 1, 1_000_000), (8, 1, 1_000_000), (10, 1, 800_000), (10, 4, 200_000), (0, 1, 1_000_000), (10**9, 4, 1)],
)
def test_eight_million_scores_and_a_million_records_are_kept(width, share, records):
    assert capacity(width, share) == records


def test_run_without_predictions_writes_no_file(s3):
    predictions.write(PredictionSample(1, 3), f"s3://{BUCKET}/sales/monitor", NOW, "run")
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def test_predictions_are_written_by_time_and_read_back(s3):
    uri = f"s3://{BUCKET}/sales/monitor"
    at = datetime(2026, 11, 26, 5, tzinfo=UTC)
    for hours, keys, limit in ((0, [7, 1], 9), (1, [4, 7, 2, 3], 2)):
        sample = PredictionSample(2, limit)
        scores = np.column_stack([np.arange(len(keys)) / 10, np.full(len(keys), hours)])
        sample.add(predictions_of(keys, version=hours, seconds=hours, scores=scores))
        predictions.write(sample, uri, at + timedelta(hours=hours), "" if hours else "e1")
    names = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    folder = "sales/monitor/answers"
    assert names == [f"{folder}/2026-11-26T05:00:00Z-e1.parquet", f"{folder}/2026-11-26T06:00:00Z-run.parquet"]
    # The later run kept keys up to 3 alone, so much is known of all.
    stored = predictions.read(uri, at, 2)
    assert (stored.threshold, stored.predictions.keys.tolist()) == (3, [1, 2, 3])
    assert (stored.predictions.versions.tolist(), stored.predictions.scores.tolist()) == (
        [0, 1, 1],
        [[0.1, 0], [0.2, 1], [0.3, 1]],
    )
    later = predictions.read(uri, at + timedelta(minutes=1), 2)
    assert later.predictions.keys.tolist() == [2, 3]
    assert len(predictions.read(uri, at, 1).predictions) == 0, "another number of scores"


def test_earliest_prediction_of_a_record_counts(s3):
    uri = f"s3://{BUCKET}/sales/monitor"
    for name, seconds in (("a", 9), ("b", 5), ("c", 7)):
        sample = PredictionSample(1, 3)
        sample.add(predictions_of([8, 2], version=seconds, seconds=seconds))
        predictions.write(sample, uri, NOW, name)
    kept = predictions.read(uri, NOW, 1).predictions
    assert (kept.keys.tolist(), kept.seconds.tolist(), kept.versions.tolist()) == ([2, 8], [5, 5], [5, 5])


def test_records_of_one_request_have_unrelated_keys():
    some_keys = record_keys(np.repeat(np.array(["a", "b"], dtype=object), 10_000), np.tile(np.arange(10_000), 2))
    assert len(np.unique(some_keys)) == 20_000
    # Spread over all keys, so that a sample takes records and not requests.
    assert np.histogram(some_keys.astype("float64"), 10, (0, 2.0**64))[0] == pytest.approx(2000, rel=0.15)
