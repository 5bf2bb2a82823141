"""`model-factory explain`: the captured request, its version, its score by the artifact's own code, contributions."""

import io
import json
import shutil
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import boto3
import joblib
import numpy as np
import pandas as pd
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from rich.console import Console
from sklearn.ensemble import HistGradientBoostingClassifier

from jobs import answers
from jobs.train import copy_code
from model_factory.core.names import EnvironmentNames
from model_factory.functions.shared.chain import digest, evidence_key
from model_factory.ops.explanation import captures, text
from model_factory.ops.explanation.captures import Range
from model_factory.ops.explanation.explain import _class, explain
from model_factory.ops.project import UsageError

ROOT = Path(__file__).parents[3]
NAMES = EnvironmentNames("acme", "prod", "123456789012", "eu-west-1")
NOW = datetime.now(UTC).replace(microsecond=0)
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = Range(NOW - timedelta(hours=24), NOW)
CODE = """\
import pandas as pd

def features(raw):
    return pd.DataFrame({"x": raw["x"], "xz": raw["x"] * raw["z"], "red": (raw["colour"] == "red") * 1.0})

def train(train, validation, hyperparameters): ...

def predict(model, features):
    return model.predict_proba(features)[:, 1]
"""
COLUMNS = [{"name": "x", "type": "number"}, {"name": "colour", "type": "string"}, {"name": "z", "type": "number"}]


def training_rows() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(400, 2)).round(3)
    rows = pd.DataFrame({"x": numbers[:, 0], "colour": generator.choice(["red", "blue"], 400), "z": numbers[:, 1]})
    rows.loc[::9, "x"] = np.nan
    return rows


SCORE = """\
import pathlib, sys
import numpy as np
import pyarrow.parquet as parquet

rows = parquet.read_table(next(pathlib.Path(sys.argv[2]).glob("*.parquet")))
x, z = (np.nan_to_num(rows.column(name).to_numpy(zero_copy_only=False)) for name in "xz")
red = np.array([value == "red" for value in rows.column("colour").to_pylist()])
np.save(sys.argv[3], 1 / (1 + np.exp(-VERSION * x * z - red)))
"""
"""The entry point of an artifact without the jobs' code: it starts in a fraction of a second."""


def packed(folder: Path) -> bytes:
    (folder / "serving.json").write_text(json.dumps({"columns": COLUMNS, "classes": [0, 1]}))
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        archive.add(folder, ".")
    return body.getvalue()


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """model.tar.gz of two versions."""
    made = {}
    for version in (6, 7):
        folder = tmp_path_factory.mktemp("artifact")
        (folder / "code").mkdir()
        (folder / "code" / "score.py").write_text(SCORE.replace("VERSION", str(version)))
        made[version] = packed(folder)
    return made


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """An artifact as the job train writes it, with boosted trees, and the model."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("artifact")
    (source / "project").mkdir()
    (source / "project" / "model.py").write_text(CODE)
    (source / "project" / "settings.json").write_text(json.dumps({"problem": "binary_classification"}))
    shutil.copytree(ROOT / "jobs", source / "jobs", ignore=shutil.ignore_patterns("__pycache__"))
    copy_code(target / "code", source)
    rows = training_rows()
    inputs = pd.DataFrame({"x": rows["x"], "xz": rows["x"] * rows["z"], "red": (rows["colour"] == "red") * 1.0})
    labels = (inputs["xz"].fillna(0) + inputs["red"] > 0.7) * 1
    model = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(inputs, labels)
    joblib.dump(model, target / "model.joblib")
    return packed(target), model


class Prod:
    """Session of an environment: moto's S3, and versions."""

    names = NAMES

    def __init__(self, artifacts) -> None:
        self.environment = SimpleNamespace(name="prod", captured_retention=timedelta(days=90))
        serving = SimpleNamespace(mode="realtime", capture_percent=25)
        self.project = SimpleNamespace(models={"churn": SimpleNamespace(serving=serving)})
        self.s3 = boto3.client("s3", region_name="us-east-1")
        for purpose in ("data", "artifacts", "records"):
            self.s3.create_bucket(Bucket=NAMES.bucket(purpose))
        self.packages = {}
        for version, body in artifacts.items():
            self.register(version, body)

    def add_sample(self, version):
        sample = io.BytesIO()
        training_rows().to_parquet(sample)
        self.put("artifacts", f"churn/{version}/sample.parquet", sample.getvalue())

    def register(self, version, body):
        """Without a sample of training rows: then nothing is scored but the request."""
        self.put("artifacts", f"churn/{version}/model.tar.gz", body)
        uri = f"s3://{NAMES.bucket('artifacts')}/churn/{version}"
        self.packages[version] = {
            "ModelPackageVersion": version,
            "ModelApprovalStatus": "Approved",
            "CreationTime": NOW - timedelta(days=2),
            "InferenceSpecification": {"Containers": [{"ModelDataUrl": f"{uri}/model.tar.gz"}]},
            "DriftCheckBaselines": {"ModelDataQuality": {"Statistics": {"S3Uri": f"{uri}/statistics.json"}}},
            "CustomerMetadataProperties": {"artifact_digest": digest(body), "git_commit": "abc", "data_digest": "d"},
        }

    def client(self, service):
        return self.s3 if service == "s3" else self

    def describe_model_package(self, ModelPackageName):
        number = int(ModelPackageName.rpartition("/")[2])
        if number not in self.packages:
            error = {"Code": "ValidationException", "Message": f"ModelPackage {ModelPackageName} does not exist."}
            raise ClientError({"Error": error}, "DescribeModelPackage")
        return self.packages[number]

    def put(self, purpose, key, body):
        self.s3.put_object(Bucket=NAMES.bucket(purpose), Key=key, Body=body)

    def capture(self, lines, time=NOW - timedelta(hours=2)):
        key = f"churn/captured/acme-prod-churn/AllTraffic/{time:%Y/%m/%d/%H}/{len(lines)}.jsonl"
        self.put("data", key, "\n".join(lines).encode())
        return key

    def deployed(self, version, started, ended, previous="", outcome="succeeded"):
        record = {"ModelPackageVersion": version, "started": started.isoformat(), "time": ended.isoformat()}
        record |= {"outcome": outcome, "previous": previous and f"acme-prod-churn-v{previous}-0a1b2c3d"}
        key = f"churn/deployments/{started:%Y%m%dT%H%M%SZ}-v{version}.json"
        self.put("records", key, json.dumps(record).encode())


@pytest.fixture
def prod(artifacts, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield Prod(artifacts)


def line(identifier, body, scores, version=None, time=NOW - timedelta(hours=2)):
    kind = answers.with_version("text/csv", version)
    sides = {
        "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": body, "encoding": "CSV"},
        "endpointOutput": {"observedContentType": kind, "mode": "OUTPUT", "data": scores, "encoding": "CSV"},
    }
    event = {"eventId": f"event-{identifier}", "inferenceId": identifier, "inferenceTime": f"{time:%Y-%m-%dT%H:%M:%SZ}"}
    return json.dumps({"captureData": sides, "eventMetadata": event, "eventVersion": "0"})


def score(version, x, red, z):
    return float((1 / (1 + np.exp(-version * np.nan_to_num([x]) * np.array([z]) - np.array([red]))))[0])


def test_contributions_of_trees_add_up_and_score_is_equal(prod, trees):
    body, model = trees
    prod.register(8, body)
    prod.add_sample(8)
    row = pd.DataFrame({"x": [1.5], "xz": [-0.75], "red": [1.0]})
    expected = float(model.predict_proba(row)[0, 1])
    key = prod.capture(
        [line("other", "0,blue,1\n", "0.5\n", 6), line("order-7", "1.5,red,-0.5\n", f"{expected!r}\n", 8)]
    )
    found = explain(prod, "churn", captures.find(prod, "churn", "order-7", DAY))
    assert (found.version, found.attribution, found.key) == (8, "named by the captured answer", key)
    assert (found.score, found.distance, found.reproduced, found.label) == (expected, 0.0, True, 1)
    assert found.verified
    assert (found.method, found.background) == ("exact", 200)
    total = sum(each.contribution for each in found.columns)
    assert found.base is not None
    assert total == pytest.approx(found.score - found.base, abs=1e-6)
    assert {each.name: each.value for each in found.columns} == {"x": 1.5, "colour": "red", "z": -0.5}
    assert min(abs(each.contribution) for each in found.columns) > 0.001


def test_text_and_json_of_explanation(prod):
    expected = score(7, 1.5, 1, -0.5)
    prod.add_sample(7)
    prod.capture([line("order-7", "1.5,red,-0.5\n", f"{expected!r}\n", 7)])
    found = explain(prod, "churn", captures.find(prod, "churn", "order-7", DAY))
    shown = "\n".join(text.heading(found))
    assert "version 7, named by the captured answer" in shown
    assert f"score of 1 {expected:.6g}: computed again, equal to the captured answer" in shown
    assert len(found.lineage) == 3
    written = json.loads(text.as_json(found))
    assert (written["reproduced"], written["columns"][0]["name"]) == (True, found.columns[0].name)
    drawn = Console(width=100, file=io.StringIO(), record=True)
    drawn.print(text.table(found, columns=2))
    lines = drawn.export_text().splitlines()
    assert lines[1].startswith(found.columns[0].name)
    assert f"{found.columns[0].contribution:+.4f}" in lines[1]
    assert "█" in lines[1]
    assert lines[3].startswith("1 others")


def test_missing_value_and_chosen_record_of_several(prod, artifacts):
    scores = f"0.25\n{score(7, np.nan, 0, 1.0)!r}\n"
    prod.capture([line("pair", "0,blue,1\n,blue,1\n", scores, 7)])
    captured = captures.find(prod, "churn", "pair", DAY)
    with pytest.raises(UsageError, match="the request has 2 records; choose one with --record 0 to 1"):
        explain(prod, "churn", captured)
    found = explain(prod, "churn", captured, record=1)
    assert (found.distance, found.records) == (0.0, 2)
    first = explain(prod, "churn", captured, record=0)
    assert not first.reproduced
    assert "NOT the captured answer: 0.25 then" in "\n".join(text.heading(first))


def test_unnamed_answers_are_attributed_by_records_and_scores(prod, artifacts):
    hour = timedelta(hours=1)
    prod.deployed(6, NOW - 9 * hour, NOW - 8 * hour)
    prod.deployed(7, NOW - 3 * hour, NOW - hour, previous=6)
    of = {version: score(version, 1.5, 1, -0.5) for version in (6, 7)}
    assert of[6] != of[7]
    prod.capture(
        [
            line("before", "1.5,red,-0.5\n", f"{of[6]!r}\n", time=NOW - 5 * hour),
            line("by-six", "1.5,red,-0.5\n", f"{of[6]!r}\n"),
            line("by-seven", "1.5,red,-0.5\n", f"{of[7]!r}\n"),
            line("neither", "1.5,red,-0.5\n", "0.5\n"),
            line("after", "1.5,red,-0.5\n", f"{of[7]!r}\n", time=NOW - hour),
            line("early", "1.5,red,-0.5\n", "0.5\n", time=NOW - 10 * hour),
        ]
    )

    def attributed(name):
        found = explain(prod, "churn", captures.find(prod, "churn", name, DAY))
        return found.version, found.attribution.partition(" (")[0]

    assert attributed("before") == (6, "by the records of deployments")
    assert attributed("after") == (7, "by the records of deployments")
    assert attributed("by-six") == (6, "ambiguous by time")
    assert attributed("by-seven") == (7, "ambiguous by time")
    with pytest.raises(UsageError, match=r"ambiguous: versions 6 and 7 .* neither equal .*--version"):
        attributed("neither")
    with pytest.raises(UsageError, match="names no version, and no recorded deployment is before it; give --version"):
        attributed("early")


def test_rolled_back_deployment_leaves_version_before(prod, artifacts):
    prod.deployed(7, NOW - timedelta(hours=4), NOW - timedelta(hours=3), previous=6, outcome="rolled back")
    prod.capture([line("a", "1.5,red,-0.5\n", f"{score(6, 1.5, 1, -0.5)!r}\n")])
    found = explain(prod, "churn", captures.find(prod, "churn", "a", DAY))
    assert (found.version, found.distance) == (6, 0.0)


def test_changed_artifact_is_refused_and_evidence_preferred(prod, artifacts):
    prod.capture([line("a", "1.5,red,-0.5\n", "0.5\n", 7)])
    captured = captures.find(prod, "churn", "a", DAY)
    prod.put("artifacts", "churn/7/model.tar.gz", b"another file")
    with pytest.raises(
        UsageError, match=r"is not the artifact that version 7 was evaluated with.*its code was not run"
    ):
        explain(prod, "churn", captured)
    body = artifacts[7]
    prod.put("records", evidence_key("churn", digest(body)), body)
    assert explain(prod, "churn", captured).artifact.startswith(f"s3://{NAMES.bucket('records')}/churn/evidence/")


def test_deleted_artifact_and_version_are_named(prod):
    prod.capture([line("a", "1.5,red,-0.5\n", "0.5\n", 7), line("b", "1.5,red,-0.5\n", "0.5\n", 9)])
    prod.s3.delete_object(Bucket=NAMES.bucket("artifacts"), Key="churn/7/model.tar.gz")
    with pytest.raises(UsageError, match=r"the artifact of version 7 is gone: s3://.*/churn/7/model.tar.gz"):
        explain(prod, "churn", captures.find(prod, "churn", "a", DAY))
    with pytest.raises(UsageError, match="version 9 of churn is not in the registry of prod"):
        explain(prod, "churn", captures.find(prod, "churn", "b", DAY))


def test_version_without_sample_has_score_and_no_contributions(prod):
    prod.capture([line("a", "1.5,red,-0.5\n", "0.5\n", 7)])
    found = explain(prod, "churn", captures.find(prod, "churn", "a", DAY))
    assert (found.columns, found.why_no_columns) == (
        [],
        "version 7 was registered without a sample of training rows",
    )


def test_unknown_id_names_search_reasons_and_nearest(prod):
    prod.capture([line("order-7", "1.5,red,-0.5\n", "0.5\n", 7)])
    with pytest.raises(UsageError) as raised:
        captures.find(prod, "churn", "order-8", Range(NOW - timedelta(days=100), NOW))
    message = str(raised.value)
    assert "no captured request of churn in prod has the inference id 'order-8'; searched: 1 objects from " in message
    assert "the nearest ids: order-7" in message
    assert "serving.capture_percent is 25: other requests are not captured" in message
    assert "captured requests are deleted after 90 days (captured_retention)" in message
    assert "a request of the last minutes may not be written yet" in message


def test_search_reads_only_its_hours_and_takes_newest(prod):
    prod.capture([line("a", "1,red,1\n", "0.1\n", 7, NOW - timedelta(hours=30))], NOW - timedelta(hours=30))
    prod.capture([line("a", "1,red,2\n", "0.2\n", 7)] * 2)
    found = captures.find(prod, "churn", "a", DAY)
    assert (found.answer, found.others) == ("0.2\n", 1)
    with pytest.raises(UsageError, match="searched: 0 objects"):
        captures.find(prod, "churn", "a", Range(NOW - timedelta(hours=12), NOW - timedelta(hours=6)))
    assert captures.find(prod, "churn", "event-a", DAY).version == 7


@pytest.mark.parametrize(
    ("since", "day", "first"),
    [
        (None, None, NOON - timedelta(hours=24)),
        ("6h", None, NOON - timedelta(hours=6)),
        ("3d", None, NOON - timedelta(days=3)),
        ("2026-11-24T05:00", None, datetime(2026, 11, 24, 5, tzinfo=UTC)),
        (None, datetime(2026, 11, 24), datetime(2026, 11, 24, tzinfo=UTC)),
    ],
)
def test_range_is_a_day_or_since_a_time(since, day, first):
    assert captures.search_range(since, day, NOON).first == first


@pytest.mark.parametrize(("since", "reason"), [("soon", "is no time; give"), ("2027-01-01", "is not in the past")])
def test_range_that_cannot_be_searched_is_refused(since, reason):
    with pytest.raises(UsageError, match=reason):
        captures.search_range(since, None, NOON)


def test_class_of_several_is_greatest_or_chosen():
    artifact = SimpleNamespace(serving={"classes": ["cat", "dog", "fish"]})
    scored = SimpleNamespace(artifact=artifact, scores=np.array([[0.2, 0.7, 0.1], [0.6, 0.3, 0.1]]))
    assert _class(scored, 0, None) == (1, "dog")
    assert _class(scored, 1, "fish") == (2, "fish")
    with pytest.raises(UsageError, match="there is no class 'bird'; there are: cat, dog, fish"):
        _class(scored, 0, "bird")
