"""Late labels joined with answers: every form of labels, several records a request, classes, samples, and the verdict."""

import gzip
import io
import json
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from jobs import metrics
from jobs.monitoring import model_quality, predictions
from jobs.monitoring.ground_truth import Reading
from jobs.monitoring.model_quality import Quality, judge
from jobs.monitoring.predictions import Answers, Request, Sample, keys

from ..conftest import BUCKET
from .watching import NOW, made

URI = f"s3://{BUCKET}/sales"


@pytest.fixture
def answered(s3, monkeypatch):
    """Keeps answers as a monitor run does."""
    monkeypatch.setenv("REPORTS_URI", f"{URI}/monitor")

    def keep(requests: list[Request], version: int = 3, width: int = 1, rows: int = 10**6, name: str = "run") -> None:
        sample = Sample(width, rows)
        for found in Answers.of(requests, lambda seconds: version):
            sample.add(found)
        monkeypatch.setenv("PIPELINE_EXECUTION_ID", name)
        predictions.write(sample, NOW)

    return keep


@pytest.fixture
def put(s3):
    def labels(content: str | bytes, name: str) -> None:
        body = content.encode() if isinstance(content, str) else content
        s3.put_object(Bucket=BUCKET, Key=f"sales/ground-truth/2026/11/24/09/{name}", Body=body)

    return labels


@pytest.fixture
def judged(settings, records):
    """Judges what was kept, at a time after NOW."""

    def run(
        problem="binary_classification", classes=(0, 1), evaluation=None, last=None, later=0.0, **sections
    ) -> Quality:
        rows = records(300)
        known = {"problem": problem, "classes": list(classes) if classes else None} | (evaluation or {})
        found = made(rows, np.zeros(300), evaluation=known)
        quality, _ = judge(found, settings(problem, **sections), URI, NOW + timedelta(days=later), last, True)
        return quality

    return run


def singles(scores, name="r") -> list[Request]:
    """Requests of one record each."""
    return [Request(f"{name}-{i}", int(NOW.timestamp()), np.reshape(score, (1, -1))) for i, score in enumerate(scores)]


def some(rows: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores that fit them a little."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, rows)
    return truth, np.clip(truth * 0.3 + rng.random(rows) * 0.7, 0, 1)


def as_table(truth, name="r") -> pd.DataFrame:
    return pd.DataFrame({"inference_id": [f"{name}-{i}" for i in range(len(truth))], "sold": truth})


def as_parquet(table: pd.DataFrame) -> bytes:
    body = io.BytesIO()
    table.to_parquet(body, index=False)
    return body.getvalue()


def model_monitor(identifier: str, data: str, encoding: str = "CSV", key: str = "eventId") -> str:
    """A line as SageMaker Model Monitor wants ground truth."""
    return json.dumps(
        {
            "groundTruthData": {"data": data, "encoding": encoding},
            "eventMetadata": {key: identifier},
            "eventVersion": "0",
        }
    )


FORMS = {
    "labels.csv": lambda t: as_table(t).to_csv(index=False),
    "labels.csv.gz": lambda t: gzip.compress(as_table(t).to_csv(index=False).encode()),
    "labels.parquet": lambda t: as_parquet(as_table(t)),
    "labels.jsonl": lambda t: as_table(t).to_json(orient="records", lines=True),
    "labels.jsonl.gz": lambda t: gzip.compress(as_table(t).to_json(orient="records", lines=True).encode()),
    "monitor.jsonl": lambda t: "\n".join(model_monitor(f"r-{i}", str(each)) for i, each in enumerate(t)),
    "json.jsonl": lambda t: "\n".join(model_monitor(f"r-{i}", f"[{each}]", "JSON") for i, each in enumerate(t)),
    "ids.jsonl": lambda t: "\n".join(model_monitor(f"r-{i}", str(each), key="inferenceId") for i, each in enumerate(t)),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_labels_gives_the_same_measures(answered, put, judged, name):
    truth, scores = some()
    answered(singles(scores))
    put(FORMS[name](truth), name)
    quality = judged()
    assert (quality.labelled, quality.labels, quality.unreadable) == (400, 400, {})
    assert quality.metrics["auc"] == pytest.approx(
        metrics.evaluate("binary_classification", truth, scores, model_quality.SEED)["auc"], abs=0.02
    )
    assert quality.metrics["auc"]["value"] == pytest.approx(
        metrics.values("binary_classification", truth, scores)["auc"]
    )


@pytest.mark.parametrize("form", ["records", "model monitor"])
def test_each_record_of_a_request_has_its_own_label(answered, put, judged, form):
    truth, scores = some(400)
    batches = [
        Request(f"batch-{n}", int(NOW.timestamp()), scores[n * 50 : n * 50 + 50].reshape(-1, 1)) for n in range(8)
    ]
    answered(batches)
    if form == "records":
        table = pd.DataFrame(
            {
                "inference_id": [f"batch-{i // 50}" for i in range(400)],
                "record": [i % 50 for i in range(400)],
                "sold": truth,
            }
        )
        put(table.sample(frac=1, random_state=0).to_csv(index=False), "labels.csv")
    else:
        lines = ["\n".join(map(str, truth[n * 50 : n * 50 + 50])) for n in range(8)]
        put("\n".join(model_monitor(f"batch-{n}", data) for n, data in enumerate(lines)), "labels.jsonl")
    quality = judged()
    assert quality.labelled == 400
    assert quality.metrics["auc"]["value"] == pytest.approx(
        metrics.values("binary_classification", truth, scores)["auc"]
    )


def test_of_several_labels_for_a_record_the_newest_counts_and_the_others_are_counted(answered, put, judged):
    truth, scores = some()
    answered(singles(scores))
    wrong = as_table(1 - truth)
    put(wrong.to_csv(index=False), "a.csv")
    put(as_table(truth).to_csv(index=False), "b.csv")
    quality = judged()
    assert (quality.labels, quality.duplicates, quality.labelled) == (800, 400, 400)
    assert quality.metrics["auc"]["value"] > 0.7


def test_labels_without_a_record_and_without_a_value_are_counted(answered, put, judged):
    truth, scores = some()
    answered(singles(scores))
    table = pd.concat([as_table(truth), as_table(truth[:30], "stranger")]).astype({"sold": object})
    table.iloc[:40, 1] = None
    put(table.to_csv(index=False), "labels.csv")
    quality = judged()
    assert (quality.labels, quality.missing, quality.without_record, quality.labelled) == (430, 40, 30, 360)
    assert quality.findings(0.05) == []


def test_labels_that_cannot_be_read_are_counted_by_file_and_tell_the_first_reason(answered, put, judged):
    truth, scores = some()
    answered(singles(scores))
    lines = [model_monitor(f"r-{i}", str(each)) for i, each in enumerate(truth)]
    put("\n".join([*lines[:10], "{", model_monitor("x", "7"), '{"sold": 1}', *lines[10:]]), "a.jsonl")
    put("id,sold\n1,1\n", "b.csv")
    put("hello", "c.txt")
    put("", "_SUCCESS")
    quality = judged()
    folder = "sales/ground-truth/2026/11/24/09"
    assert quality.unreadable == {f"{folder}/a.jsonl": 3, f"{folder}/b.csv": 1, f"{folder}/c.txt": 1}
    assert quality.first_error.startswith(f"{folder}/a.jsonl: line 11: ")
    assert quality.labelled == 400
    (finding,) = quality.findings(0.05)
    assert (finding.kind, finding.violation) == ("ground_truth", False)
    assert quality.findings(0.001)[0].violation


@pytest.mark.parametrize(
    ("classes", "written", "read"),
    [
        ([0, 1], ["0", "1", "1.0", " 1 "], [0, 1, 1, 1]),
        (["no", "yes"], ["yes", "no", "No", "1"], [1, 0, None, None]),
        ([False, True], ["true", "no", "1", False], [1, 0, 1, 0]),
        (["007", "7"], ["7", "007", 7, "07"], [1, 0, 1, None]),
        ([1, 2.5], [1, "2.5", "x", 3], [0, 1, None, None]),
    ],
)
def test_labels_mean_what_they_mean_in_the_training_data(classes, written, read):
    truth, missing = Reading("sold", classes).truth(pd.Series(written, dtype=object))
    assert [None if np.isnan(each) else int(each) for each in truth] == read
    assert not missing.any()


def test_many_classes_are_judged_on_all_their_scores(answered, put, judged):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 500)
    scores = rng.dirichlet([1, 1, 1], 500) * 0.5 + np.eye(3)[truth] * 0.5
    answered(singles(scores), width=3)
    put(as_table(np.array(["blue", "green", "red"])[truth]).to_csv(index=False), "labels.csv")
    quality = judged("multiclass_classification", ["blue", "green", "red"])
    wanted = metrics.values("multiclass_classification", truth, scores)
    assert {name: each["value"] for name, each in quality.metrics.items()} == pytest.approx(wanted)


def test_a_regression_is_judged_by_its_errors(answered, put, judged):
    rng = np.random.default_rng(0)
    scores = rng.normal(100, 10, 400)
    truth = (scores + rng.normal(0, 5, 400)).round(3)
    answered(singles(scores))
    put(as_table(truth).to_csv(index=False), "labels.csv")
    quality = judged("regression", None, gate={"metric": "rmse", "maximum": 4.0})
    assert quality.metrics["rmse"]["low"] < 5 < quality.metrics["rmse"]["high"]
    assert quality.worse
    assert quality.shortfall == pytest.approx(quality.metrics["rmse"]["low"] - 4.0)
    (violation,) = model_quality.violations(quality)["violations"]
    assert violation["constraint_check_type"] == "GreaterThanThreshold"


def test_labels_of_one_kind_only_measure_no_curve(answered, put, judged):
    _, scores = some()
    answered(singles(scores))
    put(as_table(np.ones(400, int)).to_csv(index=False), "labels.csv")
    quality = judged()
    assert not quality.judged
    assert quality.reason == "auc cannot be measured: all 400 labels are the same"
    assert "auc" not in model_quality.metrics_of(quality)
    json.dumps(quality.metrics, allow_nan=False)


def test_too_small_a_share_of_labels_is_no_judgement(answered, put, judged):
    truth, scores = some(2000)
    answered(singles(scores))
    put(as_table(truth[:300]).to_csv(index=False), "labels.csv")
    assert judged().judged
    few = judged(monitoring={"quality": {"minimum_coverage": 0.2}})
    assert not few.judged
    assert few.reason == (
        "not enough labels yet: 300 of 2000 records have one (15.0%); at least 200 and 20.0% are needed"
    )


def test_answers_from_before_the_window_are_not_judged(answered, put, judged):
    truth, scores = some()
    answered(singles(scores))
    put(as_table(truth).to_csv(index=False), "labels.csv")
    assert judged(later=6, monitoring={"quality": {"window": "7d"}}).labelled == 400
    assert judged(later=8, monitoring={"quality": {"window": "7d"}}).records == 0


def test_an_answer_given_twice_under_one_id_counts_once_the_first(answered, put, judged):
    truth, scores = some()
    answered(singles(scores), name="a")
    later = [Request(each.id, each.seconds + 60, 1 - each.scores) for each in singles(scores)]
    answered(later, name="b")
    put(as_table(truth).to_csv(index=False), "labels.csv")
    quality = judged()
    assert quality.records == 400
    assert quality.metrics["auc"]["value"] > 0.7


def test_with_a_margin_a_version_is_held_to_what_it_reached_at_its_gate(answered, put, judged):
    truth, scores = some(2000)
    answered(singles(scores))
    put(as_table(truth).to_csv(index=False), "labels.csv")
    at_gate = {"metrics": {"auc": {"value": 0.99}}}
    gate = {"metric": "auc", "minimum": 0.7}
    assert not judged(evaluation=at_gate, gate=gate).worse
    strict = judged(evaluation=at_gate, gate=gate, monitoring={"quality": {"margin": 0.02}})
    assert strict.worse
    assert strict.limit == pytest.approx(0.97)


def test_a_version_registered_without_its_classes_is_not_judged(answered, put, judged):
    answered(singles([0.5] * 300))
    put(as_table(np.ones(300, int)).to_csv(index=False), "labels.csv")
    assert judged(classes=None).reason == "version 3 was registered without its classes; the next one can be judged"


def test_a_sample_of_the_answers_is_unbiased_and_labels_outside_of_it_are_not_strangers(
    answered, put, judged, monkeypatch
):
    truth, scores = some(20_000)
    requests = singles(scores)
    answered(requests[:12_000], rows=3000, name="a")
    answered(requests[12_000:], rows=5000, name="b")
    put(as_table(truth).to_csv(index=False), "labels.csv")
    quality = judged()
    assert quality.sampled
    # The first run kept a quarter of its records: so much is known of all.
    assert quality.records == pytest.approx(5000, rel=0.1)
    assert (quality.labelled, quality.without_record) == (quality.records, 0)
    everything = metrics.values("binary_classification", truth, scores)["auc"]
    assert quality.metrics["auc"]["low"] < everything < quality.metrics["auc"]["high"]


def test_a_sample_holds_no_more_than_it_may():
    sample = Sample(1, 1000)
    ids = np.arange(50_000).astype(str).astype(object)
    for start in range(0, 50_000, 500):
        made = keys(ids[start : start + 500], np.zeros(500, int))
        sample.add(Answers(made, np.ones(500, "int32"), np.ones(500, "int64"), np.ones((500, 1))))
        assert sum(map(len, sample._parts)) <= 2500
    found = sample.answers()
    assert len(found) == 1000
    assert set(found.keys.tolist()) == set(np.sort(keys(ids, np.zeros(50_000, int)))[:1000].tolist())
    sample.add(Answers(made, np.ones(500, "int32"), np.ones(500, "int64"), np.ones((500, 7))))
    assert sample.other_width == 500


def test_records_of_one_request_have_keys_of_their_own():
    made = keys(np.repeat(np.array(["a", "b"], dtype=object), 10_000), np.tile(np.arange(10_000), 2))
    assert len(np.unique(made)) == 20_000
    # Spread over all keys, so that a sample takes records and not requests.
    assert np.histogram(made.astype("float64"), 10, (0, 2.0**64))[0] == pytest.approx(2000, rel=0.15)
