"""Registered versions in moto's buckets, with their chain of records and evidence, for tests of commands that compare them."""

import io
import json
import tarfile
import zipfile
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from model_factory.functions.shared import chain
from model_factory.jobs.drift.profile import Builder

SETTINGS = {
    "problem": "binary_classification",
    "data": {"label": "left", "schema": {"x": {"type": "number"}}},
    "gate": {"metric": "auc", "minimum": 0.7},
    "training": {"hyperparameters": {"C": 1.0}, "seed": 0},
    "monitoring": {"drift": {"effect": 0.1, "false_alarm_rate": 0.001, "minimum_rows": 100}},
}
ROWS = ("test/", "baseline/sample.")
SCORE = """\
import sys
import numpy as np, pyarrow.parquet as pq
x = pq.read_table(sys.argv[2] + "/part-0.parquet").column("x").to_numpy()
np.save(sys.argv[3], 1 / (1 + np.exp(-({}))))
"""


class Chain:
    """The chain of a model in the records bucket of an environment."""

    def __init__(self, session, model="churn"):
        self.session, self.model = session, model
        self.bucket, self.s3 = session.names.bucket("records"), session.client("s3")
        where = {"LocationConstraint": "eu-west-1"}
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration=where)
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        self.sequence, self.previous = 0, None

    def add(self, kind, files=None, **changes):
        """Append a record with these files as evidence; its key."""
        self.sequence += 1
        now = datetime.now(UTC).isoformat()
        evidence = {}
        for name, content in (files or {}).items():
            digest = chain.digest(content)
            self.s3.put_object(Bucket=self.bucket, Key=chain.evidence_key(self.model, digest), Body=content)
            evidence[name] = {"sha256": digest, "size": len(content), "source": f"s3://b/{name}", "version_id": "1"}
        names = self.session.names
        record = {
            "schema": chain.SCHEMA,
            "sequence": self.sequence,
            "previous": self.previous,
            "id": f"{kind}-{self.sequence}",
            "kind": kind,
            "time": now,
            "recorded": now,
            "factory": names.factory,
            "environment": names.environment,
            "model": self.model,
            "version": None,
            "subject": None,
            "by": {"identity": None, "source": "sagemaker", "claimed": None},
            "facts": {},
            "evidence": evidence,
        } | changes
        content = chain.encode(record)
        self.previous = chain.digest(content)
        key = chain.record_key(self.model, self.sequence)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        self.s3.put_object(Bucket=self.bucket, Key=chain.index_key(record), Body=b"")
        return key

    def register(self, number, files, **facts):
        """Record settings and the registration of a version; as the recorder does, files with rows stay where they are."""
        self.add(
            "configuration", facts={"operation": "Update", "version": 1, "value": {"serving": {"mode": "realtime"}}}
        )
        facts = {"ModelApprovalStatus": "Approved", "CustomerMetadataProperties": {}, "image": "scikit:1"} | facts
        facts["rows"] = {name: self._rows(number, name, body) for name, body in files.items() if name.startswith(ROWS)}
        files = {name: body for name, body in files.items() if not name.startswith(ROWS)}
        return self.add("registration", files, version=number, facts=facts)

    def _rows(self, number, name, content):
        """Write a file where Prepare writes it; its entry in a record."""
        bucket, key = f"{self.bucket}-artifacts", f"{self.model}/executions/{number}/prepare/{name}"
        if bucket not in {each["Name"] for each in self.s3.list_buckets()["Buckets"]}:
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        version = self.s3.put_object(Bucket=bucket, Key=key, Body=content)["VersionId"]
        source = {"source": f"s3://{bucket}/{key}", "version_id": version}
        return {"sha256": chain.digest(content), "size": len(content)} | source


def version_files(*, x=0.0, weight="x", settings=SETTINGS, code="def train(): pass\n", libraries=None, rows=400):
    """Files of a version by their names in evidence. `x`: mean of its data; `weight`: what its artifact scores by."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"x": rng.normal(x, 1, rows)})
    data["left"] = (data.x + rng.normal(0, 0.5, rows) > x) * 1
    builder = Builder({"x": "number"})
    builder.update(data[["x"]])
    sample = io.BytesIO()
    pq.write_table(pa.table({"x": data.x}), sample)
    content = chain.digest(data.to_csv().encode())
    manifest = {"content_digest": content, "objects": [{"key": "churn/raw/a", "sha256": content, "rows": rows}]}
    metric = {"value": 0.9, "low": 0.85, "high": 0.95, "standard_deviation": 0.01}
    evaluation = {
        "problem": "binary_classification",
        "rows": rows,
        "metrics": {"auc": metric},
        "gate": {"passed": 1, "reason": "auc 0.9000; there is no live version yet", "too_few_rows": False},
    }
    report = {"rows": rows, "parts": {"train": rows}, "labels": {"0": rows // 2, "1": rows - rows // 2}}
    facts = {"instance": "ml.m5.large", "threads": 2, "seed": 0, "libraries": libraries or {"numpy": np.__version__}}
    jobs = dict.fromkeys(("prepare_facts", "train_facts", "evaluate_facts"), facts)
    steps = [{"Name": "Train", "Arguments": {"RoleArn": "arn:aws:iam::123456789012:role/acme-prod-churn-train"}}]
    documents = {
        "manifest": manifest,
        "report": report,
        "evaluation": evaluation,
        "evaluation/importance.json": {"x": 1.0},
        "baseline/profile.json": builder.build().to_dict(),
        "baseline/columns.json": {"columns": [], "label": "left"},
        "definition": {"Version": "2020-12-01", "Steps": steps},
        **jobs,
    }
    found = {name: json.dumps(each).encode() for name, each in documents.items()}
    project = {"project/model.py": code.encode(), "project/settings.json": json.dumps(settings).encode()}
    artifact = {
        "serving.json": json.dumps({"classes": [0, 1]}).encode(),
        "code/score.py": SCORE.format(weight).encode(),
    }
    test = io.BytesIO()
    data.to_parquet(test, index=False)
    return found | {
        "baseline/sample.parquet": sample.getvalue(),
        "test/part-0.parquet": test.getvalue(),
        "code": _zip(project),
        "artifact": _tar(artifact),
    }


def _zip(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


def _tar(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
