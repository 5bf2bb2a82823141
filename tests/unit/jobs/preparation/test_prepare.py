"""Prepare end to end in moto: its outputs, and its failures for invalid data."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jobs import table_files
from jobs.failures import JobFailure
from jobs.preparation import ingest, prepare

FEATURES = """
import numpy as np
import pandas as pd

def features(raw):
    return {body}

def train(train, validation, hyperparameters): ...

def predict(model, features): ...
"""


def output(ml: Path, name: str):
    path = ml / "processing/output" / name
    return json.loads(path.read_text()) if path.suffix == ".json" else pd.read_parquet(path)


def failure() -> str:
    with pytest.raises(JobFailure) as failed:
        prepare.run()
    return str(failed.value)


def test_manifest_has_sha256_of_each_object(land, project, records, ml, s3):
    land(records(300, 0), "2026-11-22")
    land(records(200, 1), "2026-11-23")
    project()
    prepare.run()
    report, manifest = output(ml, "report/report.json"), output(ml, "report/manifest.json")
    bodies = [s3.get_object(Bucket=each["bucket"], Key=each["key"])["Body"].read() for each in manifest["objects"]]
    digests = [hashlib.sha256(body).hexdigest() for body in bodies]
    assert [each["sha256"] for each in manifest["objects"]] == digests
    expected = hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()
    assert report["content_digest"] == manifest["content_digest"] == expected
    assert output(ml, "report/facts.json")["command"] == "prepare"


def test_prepare_refuses_other_bytes_than_manifest(land, project, records, ml, s3, monkeypatch):
    version = land(records(300))
    (found,) = ingest.choose("s3://data/sales/raw/", None)
    s3.put_object(
        Bucket="data", Key="manifest.json", Body=json.dumps({"objects": [found.to_dict() | {"sha256": "0" * 64}]})
    )
    monkeypatch.setenv("DATA_MANIFEST", "s3://data/manifest.json")
    project()
    assert f"(version {version}) is not the file of the manifest: its SHA-256 is " in failure()


def test_prepare_writes_parts_report_and_baseline(land, project, records, ml):
    versions = [land(records(300, 0), "2026-11-22"), land(records(200, 1), "2026-11-23")]
    project()
    prepare.run()
    report, manifest = output(ml, "report/report.json"), output(ml, "report/manifest.json")
    assert [entry["version_id"] for entry in manifest["objects"]] == versions
    assert [entry["rows"] for entry in manifest["objects"]] == [300, 200]
    assert report["data_digest"] == manifest["data_digest"]
    assert (report["rows"], report["partitions"]) == (500, ["dt=2026-11-22", "dt=2026-11-23"])
    assert sum(report["labels"].values()) == sum(report["parts"].values()) == 500
    assert [phase["name"] for phase in report["phases"]] == ["ingest", "analyse", "validate", "transform", "split"]
    assert all(phase["result"] for phase in report["phases"])
    parts = {name: output(ml, name) for name in ("train", "validation", "test")}
    assert {name: len(part) for name, part in parts.items()} == report["parts"]
    assert list(parts["train"].columns) == list(parts["validation"].columns) == ["x", "red", "sold"]
    assert list(parts["test"].columns) == ["x", "colour", "sold"]
    assert output(ml, "baseline/columns.json") == {
        "columns": [
            {"name": "x", "type": "number", "nullable": True},
            {"name": "colour", "type": "string", "nullable": True, "values": ["red", "green", "blue"]},
        ],
        "label": "sold",
    }
    assert output(ml, "baseline/statistics.json")["dataset"]["item_count"] == 500
    constraints = {each["name"]: each for each in output(ml, "baseline/constraints.json")["features"]}
    assert constraints["colour"]["string_constraints"] == {"domains": ["red", "green", "blue"]}
    assert output(ml, "baseline/profile.json")["rows"] == 500


def test_csv_and_parquet_give_the_same_parts(land, project, records, ml, s3, monkeypatch):
    table = records(300).assign(code=[f"{n % 100:02d}" for n in range(300)])
    schema = {"x": {"type": "number"}, "colour": {"type": "string"}, "code": {"type": "string"}}
    results = []
    for kind in ("csv", "parquet"):
        land(table, name=f"p.{kind}")
        project(data={"format": kind, "schema": schema})
        prepare.run()
        results.append([output(ml, name) for name in ("train", "test", "baseline/profile.json")])
        s3.delete_object(Bucket="data", Key=f"sales/raw/dt=2026-11-23/p.{kind}")
    for first, second in zip(*results, strict=True):
        pd.testing.assert_frame_equal(first, second) if isinstance(first, pd.DataFrame) else None
    assert results[0][2] == results[1][2]
    assert results[0][1]["code"].str.len().eq(2).all()  # '01' is still '01'


def test_chunk_size_does_not_change_the_parts(land, project, records, ml, monkeypatch):
    land(records(300))
    project()
    prepare.run()
    whole = [output(ml, name) for name in ("train", "validation", "test")]
    monkeypatch.setattr(table_files, "CHUNK_ROWS", 37)
    prepare.run()
    for first, second in zip(whole, [output(ml, name) for name in ("train", "validation", "test")], strict=True):
        pd.testing.assert_frame_equal(first, second)


def test_manifest_gives_the_same_parts(land, project, records, ml, s3, monkeypatch):
    land(records(300))
    project()
    prepare.run()
    first, manifest = output(ml, "train"), output(ml, "report/manifest.json")
    s3.put_object(Bucket="data", Key="manifest.json", Body=json.dumps(manifest))
    land(records(300, 5))
    land(records(300, 6), "2026-11-24")
    monkeypatch.setenv("DATA_MANIFEST", "s3://data/manifest.json")
    prepare.run()
    pd.testing.assert_frame_equal(output(ml, "train"), first)
    assert output(ml, "report/manifest.json") == manifest


def test_invalid_values_are_listed_with_count_and_example(land, project, records, ml):
    table = records(300).astype(object)
    table.loc[[5, 7], "x"] = "abc"
    table.loc[9, "colour"] = "purple"
    table.loc[3, "sold"] = None
    land(records(200), "2026-11-22")
    land(table)
    project()
    said = failure()
    assert said.startswith("the data breaks its schema: ")
    assert "x: 2 values are no number (first 'abc' in dt=2026-11-23/part-0.csv, row 6)" in said
    assert (
        "colour: 1 values are not one of red, green, blue (first 'purple' in dt=2026-11-23/part-0.csv, row 10)" in said
    )
    assert "sold: 1 values are missing (first '' in dt=2026-11-23/part-0.csv, row 4)" in said
    assert not (ml / "processing/output/report/report.json").exists()


def test_example_row_is_counted_across_chunks(land, project, records, ml, monkeypatch):
    monkeypatch.setattr(table_files, "CHUNK_ROWS", 100)
    table = records(300)
    table.loc[250, "colour"] = "purple"
    land(table)
    project()
    assert "row 251)" in failure()


def test_ranges_and_null_fractions_are_checked(land, project, records, ml):
    table = records(300)
    table.loc[:149, "x"] = np.nan
    table.loc[200, "x"] = 1e6
    land(table)
    project(data={"schema": {"x": {"type": "number", "maximum": 100, "max_null_fraction": 0.4}}})
    assert failure() == (
        "the data breaks its schema: x: 150 values are missing, 50.0% of all, more than 40.0% (in all); "
        "x: 1 values are above the maximum 100 (first 1000000.0 in dt=2026-11-23/part-0.csv, row 201)"
    )


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda t: t.drop(columns="sold"), "part-0.csv: label 'sold' is not in the data; the columns are x, colour"),
        (lambda t: t.drop(columns="colour"), "dt=2026-11-23/part-0.csv: column 'colour' is missing; it has x, sold"),
        (lambda t: t.iloc[:50], "there are only 50 rows; at least 100 are needed"),
        (lambda t: t.assign(sold=1), "label 'sold' has only the value 1.0; nothing can be learned"),
        (lambda t: t.assign(sold=t.index % 3), "label 'sold' has 3 values; binary_classification needs two"),
        (lambda t: t.assign(x=0, colour="red", sold=t.index % 2), "fell into the part"),
    ],
)  # fmt: skip
def test_unusable_data_fails_with_the_reason(land, project, records, ml, change, what):
    land(change(records(300)))
    project()
    assert what in failure()


def test_later_file_without_a_column_is_named(land, project, records, ml):
    land(records(200), "2026-11-22")
    land(records(200).drop(columns="x"))
    project(data={"schema": {}})
    assert failure() == "dt=2026-11-23/part-0.csv: column 'x' is missing; it has colour, sold"


def test_later_file_with_another_type_is_named(land, project, records, ml):
    land(records(200), "2026-11-22")
    land(records(200).assign(x="a"))
    project(data={"schema": {}})
    assert "x: 200 values are no number (first 'a' in dt=2026-11-23/part-0.csv, row 1)" in failure()


def test_labels_must_fit_the_problem(land, project, records, ml, monkeypatch):
    land(records(200).assign(sold="a lot"))
    project(problem="regression")
    assert failure() == "label 'sold' holds values of type string; regression needs numbers"
    monkeypatch.setattr(prepare, "MAX_LABELS", 50)
    land(records(200).assign(sold=range(200)))
    project(problem="multiclass_classification")
    assert failure() == "label 'sold' has more than 50 different values; is this a regression?"


def test_labels_may_be_strings(land, project, records, ml):
    land(records(300).assign(sold=lambda t: t["sold"].map({0: "no", 1: "yes"})))
    project()
    prepare.run()
    assert set(output(ml, "report/report.json")["labels"]) == {"no", "yes"}
    assert set(output(ml, "train")["sold"]) == set(output(ml, "test")["sold"]) == {"no", "yes"}


def test_string_features_may_be_missing_in_the_first_chunk(land, project, records, ml, monkeypatch):
    monkeypatch.setattr(table_files, "CHUNK_ROWS", 100)
    table = records(300).assign(note=[None] * 200 + ["late"] * 100)
    land(table)
    schema = {"x": {"type": "number"}, "note": {"type": "string"}}
    project(
        FEATURES.format(body='raw[["colour", "note"]].assign(u=raw["colour"].str.upper())'), data={"schema": schema}
    )
    prepare.run()
    train, test = output(ml, "train"), output(ml, "test")
    assert set(train["u"]) == {"RED", "GREEN", "BLUE"}
    assert set(test["note"]) == set(train["note"]) == {None, "late"}


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ('raw.assign(sold=1)', "model.py: features(raw) made a column 'sold', which is the label's name"),
        ('raw[["nope"]]', "features raised KeyError: "),
        ('pd.DataFrame({"n": pd.to_numeric(raw["x"].round().where(raw["x"] < 5, 5.5), downcast="integer")})',
         "model.py: feature 'n' was int8 in the first rows and is double in later ones; give it one type"),
        ('raw.assign(mixed=[1 if x < 0 else "a" for x in raw["x"]])', "model.py: features(raw) made values of mixed types"),
    ],
)  # fmt: skip
def test_features_that_cannot_be_written_fail(land, project, records, ml, monkeypatch, body, what):
    monkeypatch.setattr(table_files, "CHUNK_ROWS", 250)
    table = records(300)
    table.loc[255:290, "x"] = 5.5
    land(table)
    project(FEATURES.format(body=body))
    said = failure()
    assert what in said


def test_time_and_ignored_columns_are_left_out(land, project, records, ml):
    land(records(300).assign(id=range(300), at="2026-11-24", extra=1))
    project(FEATURES.format(body="raw"), data={"ignore": ["id"], "time_column": "at"})
    prepare.run()
    assert list(output(ml, "train").columns) == ["x", "colour", "extra", "sold"]
