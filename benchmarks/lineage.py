"""Time and API calls of lineage in a factory of 100 models x 50 versions x 3 environments: `make bench-lineage`.

The records of all versions and their markers are put into the S3 of the embedded AWS, as the recorder leaves them, without
training anything; of one model also the evidence, the manifests, the raw data, and the versions in the registry. Exit code 1 when
the lineage of a version takes more than three seconds, or other calls than with five versions of two models, or when a look-up
from an object forward takes more than five seconds.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from moto.s3.models import s3_backends

from local_aws.server import LocalAws
from local_aws.sessions import EndpointSession
from model_factory.functions.shared.chain import (
    SCHEMA,
    digest,
    encode,
    evidence_key,
    index_key,
    lineage_key,
    record_key,
)
from model_factory.ops.lineage.forward import forward
from model_factory.ops.lineage.links import Link
from model_factory.ops.lineage.version import version
from model_factory.ops.project import EnvironmentSession, Project

ENVIRONMENTS = {"dev": "111111111111", "staging": "222222222222", "prod": "333333333333"}
REGION = "eu-west-1"
MEASURED = "model-050"
OBJECTS = 30
"""Partitions that a version is trained on; each version drops the oldest one and takes a new one."""
LONGEST_LINEAGE, LONGEST_FORWARD = 3.0, 5.0
EVIDENCE = ("definition", "code", "report", "evaluation", "artifact", "train_facts", "prepare_facts", "sbom")


class Factory:
    """Sessions in three accounts of the embedded AWS, whose calls are counted."""

    def __init__(self, local: LocalAws, root: Path) -> None:
        environments = [{"name": name, "account": account, "region": REGION} for name, account in ENVIRONMENTS.items()]
        (root / "factory.yaml").write_text(json.dumps({"name": "acme", "environments": environments}))
        (root / "models").mkdir()
        project = Project(root)
        self.calls: Counter[str] = Counter()
        self.sessions = [self._session(local, project.environment(name)) for name in ENVIRONMENTS]
        for session in self.sessions:
            for purpose in ("data", "artifacts", "records"):
                bucket = session.names.bucket(purpose)
                session.client("s3").create_bucket(
                    Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
                )
                session.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})

    def _session(self, local: LocalAws, session: EnvironmentSession) -> EnvironmentSession:
        role = f"arn:aws:iam::{session.environment.account}:role/administrator"
        credentials = {key.lower(): value for key, value in local.accounts.assume(role, "benchmark").items()}
        made = EndpointSession(local.endpoint_url, region_name=REGION, **credentials)
        for service in ("s3", "sagemaker", "ssm"):
            client = made.client(service)
            client.meta.events.register("before-call", lambda model, **_: self.calls.update([model.name]))
            session._clients[service] = client
        return session


def fill(session: EnvironmentSession, models: list[str], versions: int, start: datetime) -> None:
    """Write the versions of all models: records, markers and evidence; those of the measured model also into the registry."""
    store = s3_backends[session.environment.account]["aws"]
    names, records = session.names, session.names.bucket("records")

    def put(bucket: str, key: str, content: bytes, at: datetime) -> Any:
        found = store.put_object(bucket, key, content, disable_notification=True)
        found.last_modified = at.replace(tzinfo=None)
        return found

    for model in models:
        group = names.model(model).model_package_group
        if model == MEASURED:
            session.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)
        data = [
            put(names.bucket("data"), f"{model}/raw/dt={day}/part-0.csv", b"%d" % day, start)
            for day in range(versions + OBJECTS if model == MEASURED else 1)
        ]
        previous, sequence = None, 0
        for number in range(1, versions + 1):
            at = start + timedelta(days=number)
            arn = names.arn("sagemaker", f"model-package/{group}/{number}")
            read = data[number : number + OBJECTS]
            write = put if model == MEASURED else _nothing
            package, evidence = made_version(session, model, number, read, write, at)
            if model == MEASURED:
                register(session, group, package)
                for each in read:
                    uri = f"s3://{names.bucket('data')}/{each.name}"
                    put(records, lineage_key(uri, each.version_id, model, f"e{number}", number), b"", at)
            events = [
                ("training", None, package["CustomerMetadataProperties"]["pipeline_execution"], {}, {}),
                ("registration", number, arn, package | {"CreationTime": at.isoformat()}, evidence),
                ("approval", number, arn, {"decision": "Approved", "reason": "benchmark"}, {}),
                ("deployment", number, arn, {"outcome": "succeeded"}, {}),
            ]
            for kind, of, subject, facts, files in events:
                sequence += 1
                record = {
                    "schema": SCHEMA, "sequence": sequence, "previous": previous, "id": f"{kind}-{number}", "kind": kind,
                    "time": at.isoformat(), "recorded": at.isoformat(), "factory": "acme",
                    "environment": session.environment.name, "model": model, "version": of, "subject": subject,
                    "by": {"identity": "ada", "source": "sagemaker", "claimed": None}, "facts": facts, "evidence": files,
                }  # fmt: skip
                body = encode(record)
                put(records, record_key(model, sequence), body, at)
                put(records, index_key(record), b"", at)
                previous = digest(body)


def _nothing(*_: Any) -> None:
    """In place of writing an object."""


def made_version(
    session: EnvironmentSession, model: str, number: int, read: list[Any], put: Any, at: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The request that registers a version, and its evidence."""
    names = session.names
    entries = [
        {"bucket": names.bucket("data"), "key": each.name, "version_id": each.version_id, "etag": each.etag,
         "size": 1, "rows": 1, "sha256": digest(each.value)}
        for each in read
    ]  # fmt: skip
    manifest = json.dumps({"objects": entries}).encode()
    folder = f"{model}/executions/e{number}"
    put(names.bucket("artifacts"), f"{folder}/prepare/report/manifest.json", manifest, at)
    put(names.bucket("artifacts"), f"{folder}/model.tar.gz", b"model", at)
    files = {"manifest": manifest, **{name: f"{name} {model} {number}".encode() for name in EVIDENCE}}
    files["train_facts"] = json.dumps({"libraries": {"numpy": "2.5.1"}, "of": f"{model} {number}"}).encode()
    files["prepare_facts"] = files["train_facts"]
    for content in files.values():
        put(names.bucket("records"), evidence_key(model, digest(content)), content, at)
    lines = "\n".join(json.dumps([each["key"], each["version_id"], each["etag"]]) for each in entries)
    shas = "\n".join(sorted(each["sha256"] for each in entries))
    metadata = {
        "data_manifest": f"s3://{names.bucket('artifacts')}/{folder}/prepare/report/manifest.json",
        "data_digest": digest(lines.encode()),
        "content_digest": digest(shas.encode()),
        "code_digest": "c0de",
        "pipeline_execution": names.arn(
            "sagemaker", f"pipeline/{names.model(model).training_pipeline}/execution/e{number}"
        ),
    }
    container = {
        "Image": f"246618743249.dkr.ecr.{REGION}.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3",
        "ModelDataUrl": f"s3://{names.bucket('artifacts')}/{folder}/model.tar.gz",
    }
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    package = {
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": specification,
        "CustomerMetadataProperties": metadata,
    }
    evidence = {
        name: {"sha256": digest(content), "size": len(content), "source": "s3://a/b", "version_id": None}
        for name, content in files.items()
    }
    return package, evidence


def register(session: EnvironmentSession, group: str, package: dict[str, Any]) -> None:
    """Register a version of the measured model."""
    session.client("sagemaker").create_model_package(ModelPackageGroupName=group, **package)


def measure(factory: Factory, versions: int) -> Iterator[tuple[str, float, Counter[str], int]]:
    """Name, seconds, calls and number of links of each question, the best of three."""
    session = factory.sessions[-1]
    uri = f"s3://{session.names.bucket('data')}/{MEASURED}/raw/dt={versions // 2}/part-0.csv"
    questions = {
        "lineage": lambda: [version(session, MEASURED, versions // 2)],
        "forward": lambda: forward(factory.sessions, uri),
    }
    for name, ask in questions.items():
        best, found = float("inf"), list[Link]()
        for _ in range(3):
            factory.calls.clear()
            began = time.perf_counter()
            found = ask()
            best = min(best, time.perf_counter() - began)
        yield name, best, Counter(factory.calls), sum(1 for link in found for _ in link.walk())


def run(models: int, versions: int) -> dict[str, tuple[float, Counter[str]]]:
    """Fill a factory, ask it, and print the answers' times and calls."""
    with tempfile.TemporaryDirectory() as folder, LocalAws(Path(folder) / "aws", 0) as local:
        (root := Path(folder) / "project").mkdir()
        factory = Factory(local, root)
        names = sorted({f"model-{number:03}" for number in range(models)} | {MEASURED})
        start = datetime.now(UTC) - timedelta(days=versions + 1)
        for session in factory.sessions:
            fill(session, names, versions, start)
        found: dict[str, tuple[float, Counter[str]]] = {}
        for name, seconds, calls, links in measure(factory, versions):
            lists = calls["ListObjectsV2"]
            print(
                f"{len(names):4} models x {versions:3} versions x {len(ENVIRONMENTS)} environments  {name:8} {seconds:6.2f} s  "
                f"{calls.total():4} calls, {lists} of them lists, {links} links",
                flush=True,
            )
            found[name] = seconds, calls
        return found


def main() -> int:
    """Measure a small and a large factory; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--versions", type=int, default=50)
    given = parser.parse_args()
    small, large = run(2, 5), run(given.models, given.versions)
    failures: list[str] = []
    if small["lineage"][1] != large["lineage"][1]:
        failures.append(f"the calls of lineage differ: {small['lineage'][1]} and {large['lineage'][1]}")
    for name, longest in (("lineage", LONGEST_LINEAGE), ("forward", LONGEST_FORWARD)):
        if large[name][0] > longest:
            failures.append(f"{name} took {large[name][0]:.2f} s, more than {longest:g} s")
    for failure in failures:
        print(failure, file=sys.stderr)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
