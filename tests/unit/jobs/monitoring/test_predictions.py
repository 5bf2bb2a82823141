"""Predictions that wait for labels: keys, and the sample that bounds them."""

import numpy as np
import pytest

from jobs import metrics
from jobs.monitoring.predictions import Predictions, PredictionSample, record_keys

from .label_files import as_table, labels_and_scores, singles


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


def test_records_of_one_request_have_unrelated_keys():
    some_keys = record_keys(np.repeat(np.array(["a", "b"], dtype=object), 10_000), np.tile(np.arange(10_000), 2))
    assert len(np.unique(some_keys)) == 20_000
    # Spread over all keys, so that a sample takes records and not requests.
    assert np.histogram(some_keys.astype("float64"), 10, (0, 2.0**64))[0] == pytest.approx(2000, rel=0.15)
