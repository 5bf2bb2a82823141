"""An environment with captured requests and artifacts that can score them, for tests of ops/explanation."""

import io
import json
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import boto3
import numpy as np
import pandas as pd
from botocore.exceptions import ClientError

from jobs import answers
from model_factory.core.names import EnvironmentNames
from model_factory.functions.shared.chain import digest
from model_factory.ops.explanation.captures import Range

from .chains import MemoryObjects, write

ROOT = Path(__file__).parents[3]
NAMES = EnvironmentNames("acme", "prod", "123456789012", "eu-west-1")
NOW = datetime.now(UTC).replace(microsecond=0)
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


def artifacts_of(folder: Path) -> dict[int, bytes]:
    """model.tar.gz of two versions."""
    made: dict[int, bytes] = {}
    for version in (6, 7):
        content = folder / str(version)
        (content / "code").mkdir(parents=True)
        (content / "code" / "score.py").write_text(SCORE.replace("VERSION", str(version)))
        made[version] = packed(content)
    return made


def packed(folder: Path) -> bytes:
    (folder / "serving.json").write_text(json.dumps({"columns": COLUMNS, "classes": [0, 1]}))
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        archive.add(folder, ".")
    return body.getvalue()


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
        self.records = MemoryObjects()
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

    def capture(self, lines, time=NOW - timedelta(hours=2), variant="AllTraffic"):
        key = f"churn/captured/acme-prod-churn/{variant}/{time:%Y/%m/%d/%H}/{len(lines)}.jsonl"
        self.put("data", key, "\n".join(lines).encode())
        return key

    def deployed(self, version, started, ended, previous="", outcome="succeeded"):
        facts = {"started": started.isoformat(), "outcome": outcome}
        facts |= {"previous": previous and f"acme-prod-churn-v{previous}-0a1b2c3d"}
        objects = self.records
        before = set(objects.objects)
        objects.now = ended
        write(objects, "churn", {"version": version, "facts": facts}, step=timedelta())
        for key in objects.objects.keys() - before:
            self.put("records", key, objects.read(key))


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
