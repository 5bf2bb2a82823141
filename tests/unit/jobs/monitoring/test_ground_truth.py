"""Labels in every form, joined with predictions by id and record; what cannot be used is counted."""

import gzip
import io
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from jobs import metrics
from jobs.monitoring import ground_truth, model_quality
from jobs.monitoring.ground_truth import Label, LabelReader
from jobs.monitoring.predictions import ScoredRequest, record_keys

from ..conftest import BUCKET
from .label_files import as_table, labels_and_scores, model_monitor, singles
from .live_traffic import NOW


def as_parquet(table: pd.DataFrame) -> bytes:
    body = io.BytesIO()
    table.to_parquet(body, index=False)
    return body.getvalue()


SOLD = Label("sold", [0, 1])
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
def test_all_forms_of_labels_give_the_same_metrics(predicted, put, judged, name):
    truth, scores = labels_and_scores()
    predicted(singles(scores))
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
def test_records_of_a_request_have_their_own_labels(predicted, put, judged, form):
    truth, scores = labels_and_scores(400)
    batches = [
        ScoredRequest(f"batch-{n}", int(NOW.timestamp()), scores[n * 50 : n * 50 + 50].reshape(-1, 1)) for n in range(8)
    ]
    predicted(batches)
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


def test_newest_label_of_a_record_counts(predicted, put, judged):
    truth, scores = labels_and_scores()
    predicted(singles(scores))
    wrong = as_table(1 - truth)
    put(wrong.to_csv(index=False), "a.csv")
    put(as_table(truth).to_csv(index=False), "b.csv")
    quality = judged()
    assert (quality.labels, quality.duplicates, quality.labelled) == (800, 400, 400)
    assert quality.metrics["auc"]["value"] > 0.7


def test_labels_without_record_or_value_are_counted(predicted, put, judged):
    truth, scores = labels_and_scores()
    predicted(singles(scores))
    table = pd.concat([as_table(truth), as_table(truth[:30], "stranger")]).astype({"sold": object})
    table.iloc[:40, 1] = None
    put(table.to_csv(index=False), "labels.csv")
    quality = judged()
    assert (quality.labels, quality.missing, quality.without_record, quality.labelled) == (430, 40, 30, 360)
    assert quality.findings(0.05) == []


def test_unreadable_labels_are_counted_by_file_with_first_error(predicted, put, judged):
    truth, scores = labels_and_scores()
    predicted(singles(scores))
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


@pytest.fixture
def reader(s3):
    """Reads one file of labels; the reader, and the record keys and labels that it found."""

    def read(content: str | bytes, name: str = "labels.jsonl", label: Label = SOLD):
        body = content.encode() if isinstance(content, str) else content
        s3.put_object(Bucket=BUCKET, Key=name, Body=body)
        found = LabelReader(label)
        batches = list(found.read(f"s3://{BUCKET}/sales", {"Key": name, "Size": len(body)}))
        return found, [
            (int(key), float(truth)) for keys, truths in batches for key, truth in zip(keys, truths, strict=True)
        ]

    return read


def keys(*records: tuple[str, int]) -> list[int]:
    return record_keys([name for name, _ in records], np.array([at for _, at in records])).tolist()


def test_line_of_either_form_has_id_record_and_label(reader):
    lines = [
        '{"inference_id": "a", "sold": 1}',
        '{"inferenceId": "b", "record": 2, "sold": 0}',
        '{"event_id": 7, "sold": 1}',
        "",
        '{"eventId": "c", "sold": 0}',
        model_monitor("d", "1\n0"),
        model_monitor("e", "[0, 1]", "json"),
        model_monitor("f", "1", "JSON"),
        '{"groundTruthData": {"data": [1, 1], "encoding": "JSON"}, "eventMetadata": {"eventId": "g"}}',
        '{"groundTruthData": {"data": 0}, "eventMetadata": {"eventId": "h", "inferenceId": "mine"}}',
    ]
    found, labels = reader("\n".join(lines))
    records = [
        ("a", 0),
        ("b", 2),
        ("7", 0),
        ("c", 0),
        ("d", 0),
        ("d", 1),
        ("e", 0),
        ("e", 1),
        ("f", 0),
        ("g", 0),
        ("g", 1),
    ]
    truth = [1, 0, 1, 0, 1, 0, 0, 1, 1, 1, 1, 0]
    assert labels == list(zip(keys(*records, ("mine", 0)), map(float, truth), strict=True))
    assert (found.labels, found.missing, found.bad_by_object, found.first_error) == (12, 0, {}, "")


@pytest.mark.parametrize(
    ("content", "name", "error"),
    [
        ("{", "a.jsonl", "line 1: Expecting property name"),
        ('{"sold": 1}', "a.jsonl", "line 1: 'inference_id' is missing"),
        ('{"inference_id": "a"}', "a.jsonl", "line 1: 'sold' is missing"),
        ('\n{"groundTruthData": {"data": "1"}, "eventMetadata": {}}', "a.jsonl", "line 2: 'eventId' is missing"),
        ("[1]", "a.jsonl", "line 1: "),
        ("inference_id,record,sold\na,-1,1\n", "a.csv", "record must be the record's number in its request, from 0"),
        ("inference_id,record,sold\na,first,1\n", "a.csv", "record must be the record's number in its request, from 0"),
        ("inference_id,sold\na,2\n", "a.csv", "sold '2' is not one of 0, 1"),
        ("inference_id,bought\na,2\n", "a.csv", "labels need the columns 'inference_id' and 'sold'; there are inference_id, bo"),
        ("name,sold\na,2\n", "a.csv", "labels need the columns 'inference_id' and 'sold'; there are name, sold"),
        ("x", "a.XLSX", "labels must be .jsonl, .csv (or .csv.gz) or .parquet, not '.xlsx'"),
        (b"no gzip", "a.jsonl.gz", "Not a gzipped file"),
    ],
)  # fmt: skip
def test_label_that_cannot_be_used_is_counted_with_its_reason(reader, content, name, error):
    found, labels = reader(content, name)
    assert (found.labels, found.missing, found.bad_by_object, labels) == (1, 0, {name: 1}, [])
    assert found.first_error.startswith(f"{name}: {error}")


def test_labels_without_value_are_missing_and_no_error(reader):
    found, labels = reader("inference_id,record,sold\na,0,\nb,0,1\nc,-1,\n", "a.csv")
    assert (found.labels, found.missing, found.bad_by_object) == (3, 2, {})
    assert labels == [(keys(("b", 0))[0], 1.0)]


def test_lines_are_read_in_chunks_and_numbered_through(reader, monkeypatch):
    monkeypatch.setattr(ground_truth, "CHUNK_LINES", 2)
    lines = [f'{{"inference_id": "{number}", "sold": 1}}' for number in range(5)]
    found, labels = reader("\n".join([*lines, "{"]))
    assert (len(labels), found.labels, found.first_error[:22]) == (5, 6, "labels.jsonl: line 6: ")


def test_labels_of_a_regression_are_numbers(reader):
    label = Label("price", [], regression=True)
    found, labels = reader("inference_id,price\na,1.5\nb,much\nc,-2\n", "a.csv", label)
    assert [truth for _, truth in labels] == [1.5, -2.0]
    assert found.first_error == "a.csv: price 'much' is not a number"


def test_files_since_a_time_are_read_oldest_first(monkeypatch):
    hours = {"c.csv": 2, "b.csv": 1, "a.csv": 2, "old.csv": -1, "now.csv": 0, "_SUCCESS": 1, "folder/": 1}
    entries = [{"Key": name, "LastModified": NOW + timedelta(hours=each)} for name, each in hours.items()]
    monkeypatch.setattr(ground_truth.s3, "below", lambda uri: {"s3://data/sales/ground-truth/": entries}[uri])
    found = ground_truth.new_files("s3://data/sales", NOW)
    assert [each["Key"] for each in found] == ["now.csv", "b.csv", "a.csv", "c.csv"]


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
def test_labels_are_read_as_in_the_training_data(classes, written, read):
    truth, missing = Label("sold", classes).truth(pd.Series(written, dtype=object))
    assert [None if np.isnan(each) else int(each) for each in truth] == read
    assert not missing.any()
