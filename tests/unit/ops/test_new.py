"""`model-factory new` and `model-factory upload`."""

import runpy

import boto3
import numpy as np
import pandas as pd
import pytest

from model_factory.config import load_model

RNG = np.random.default_rng(0)
RECORDS = pd.DataFrame(
    {
        "age": RNG.integers(18, 80, 400),
        "income": np.where(RNG.random(400) < 0.1, np.nan, RNG.normal(30, 5, 400)),
        "city": RNG.choice(["Bonn", "Oslo"], 400),
    }
)
LABELS = {
    "binary_classification": (RECORDS["age"] > 50).astype(int),
    "multiclass_classification": pd.cut(RECORDS["age"], 3, labels=["young", "middle", "old"]).astype(str),
    "regression": RECORDS["age"] * 1.5 + RNG.normal(0, 1, 400),
}


@pytest.mark.parametrize(
    ("problem", "ending"), [*((problem, "csv") for problem in LABELS), ("binary_classification", "parquet")]
)
def test_new_model_is_valid_and_learns(run, project, tmp_path, problem, ending):
    records = RECORDS.assign(target=LABELS[problem])
    path = tmp_path / f"records.{ending}"
    records.to_csv(path, index=False) if ending == "csv" else records.to_parquet(path, index=False)
    code, out, err = run("new", "sample", "--data", str(path), "--label", "target", "--project", str(project))
    assert (code, err) == (0, "")
    assert f"{problem} of 'target' from 3 columns" in out
    assert run("validate", "--project", str(project))[0] == 0

    config = load_model(project / "models/sample")
    schema = config.settings()["data"]["schema"]
    assert {name: column["type"] for name, column in schema.items()} == {
        "age": "integer",
        "income": "number",
        "city": "string",
    }
    assert (schema["age"]["nullable"], schema["income"]["nullable"]) == (False, True)
    model = runpy.run_path(str(project / "models/sample/model.py"))
    table = model["features"](records)
    fitted = model["train"](table[:300], table[300:], {})
    scores = model["predict"](fitted, table.drop(columns="target"))
    assert len(scores) == len(records)
    if problem == "binary_classification":
        assert scores[records["target"] == 1].mean() > scores[records["target"] == 0].mean() + 0.5


@pytest.mark.parametrize(
    ("label", "rows", "name", "message"),
    [
        ("wage", 400, "sample", "has no column 'wage'; it has age, income, city, target"),
        ("target", 50, "sample", "has 50 rows; a sample needs at least 100"),
        ("constant", 400, "sample", "label 'constant' has only one value"),
        ("target", 400, "churn", "exists already"),
    ],
)
def test_new_rejects_unsuitable_sample_with_message(run, project, tmp_path, label, rows, name, message):
    records = RECORDS.assign(target=LABELS["binary_classification"])[:rows]
    if label == "constant":
        records = records.assign(constant=1)
    records.to_csv(tmp_path / "records.csv", index=False)
    code, _, err = run(
        "new", name, "--data", str(tmp_path / "records.csv"), "--label", label, "--project", str(project)
    )
    assert code == 1
    assert message in err
    assert "Traceback" not in err


def test_upload_writes_file_to_partition_of_date(run, project, tmp_path, aws):
    s3 = boto3.client("s3", region_name="eu-west-1")
    bucket = "acme-prod-data-123456789012-eu-west-1"
    (tmp_path / "rows.csv").write_text("age,left\n1,0\n")
    arguments = ("upload", "churn", str(tmp_path / "rows.csv"), "--project", str(project))
    assert f"has no bucket '{bucket}'; deploy it first" in run(*arguments)[2]
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    code, out, _ = run(*arguments, "--date", "2026-11-23")
    assert (code, out) == (0, f"uploaded s3://{bucket}/churn/raw/dt=2026-11-23/rows.csv\n")
    assert s3.get_object(Bucket=bucket, Key="churn/raw/dt=2026-11-23/rows.csv")["Body"].read() == b"age,left\n1,0\n"


def test_upload_writes_labels_to_ground_truth_partition(run, project, tmp_path, aws):
    s3 = boto3.client("s3", region_name="eu-west-1")
    bucket = "acme-prod-data-123456789012-eu-west-1"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    (tmp_path / "labels.jsonl").write_text('{"inference_id": "a", "left": 1}')
    arguments = ("upload", "churn", "--labels", "--date", "2026-11-23", "--project", str(project))
    code, out, _ = run(*arguments, str(tmp_path / "labels.jsonl"))
    assert (code, out) == (0, f"uploaded s3://{bucket}/churn/ground-truth/dt=2026-11-23/labels.jsonl\n")
    assert "labels must be in a file that ends in .jsonl, .csv, .parquet" in run(*arguments, str(tmp_path / "x.xml"))[2]


def test_upload_rejects_file_of_other_format(run, project, tmp_path, aws):
    (tmp_path / "rows.parquet").write_bytes(b"")
    _, _, err = run("upload", "churn", str(tmp_path / "rows.parquet"), "--project", str(project))
    assert "model churn reads .csv files (data.format in model.yaml)" in err


def test_new_model_trains_on_timestamps(run, project, tmp_path):
    since = pd.Series(pd.date_range("2024-01-01", periods=400)).where(RECORDS["age"] != 30)
    records = RECORDS.assign(since=since, target=LABELS["regression"])
    path = tmp_path / "records.parquet"
    records.to_parquet(path, index=False)
    assert run("new", "dated", "--data", str(path), "--label", "target", "--project", str(project))[0] == 0
    model = runpy.run_path(str(project / "models/dated/model.py"))
    raw = records.drop(columns="target").assign(since=records["since"].dt.tz_localize("UTC"))
    features = model["features"](raw)
    assert features["since"].iloc[0] == pd.Timestamp("2024-01-01").timestamp()
    assert features["since"].isna().equals(records["since"].isna())
    fitted = model["train"](features.assign(target=records["target"]), features, {})
    assert np.isfinite(model["predict"](fitted, features)).all()


@pytest.mark.parametrize("name", ["../evil", "C2", "my model", "1st"])
def test_invalid_model_name_writes_nothing(run, project, tmp_path, name):
    path = tmp_path / "records.csv"
    RECORDS.assign(target=LABELS["regression"]).to_csv(path, index=False)
    code, _, err = run("new", name, "--data", str(path), "--label", "target", "--project", str(project))
    assert code == 1
    assert f"the name {name!r} is invalid: a letter, then lower-case letters" in err
    assert [folder.name for folder in (project / "models").iterdir()] == ["churn"]


def test_new_outside_of_repository_is_an_error(run, tmp_path):
    path = tmp_path / "records.csv"
    RECORDS.assign(target=LABELS["regression"]).to_csv(path, index=False)
    code, _, err = run("new", "sample", "--data", str(path), "--label", "target", "--project", str(tmp_path))
    assert code == 1
    assert "has no factory.yaml; run this in a repository" in err
