"""Labels in every form, joined with predictions by id and record; what cannot be used is counted."""

import gzip
import io

import numpy as np
import pandas as pd
import pytest

from jobs import metrics
from jobs.monitoring import model_quality
from jobs.monitoring.ground_truth import Label
from jobs.monitoring.predictions import ScoredRequest

from .label_files import as_table, labels_and_scores, model_monitor, singles
from .live_traffic import NOW


def as_parquet(table: pd.DataFrame) -> bytes:
    body = io.BytesIO()
    table.to_parquet(body, index=False)
    return body.getvalue()


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
