"""Evidence of a version: copied by SHA-256, in the version that was registered, and signed."""

import base64
import hashlib
import io
import json
import tarfile
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from .cloud import REGION, message

EXECUTION = "arn:aws:sagemaker:eu-west-1:111111111111:pipeline/acme-prod-sales-train/execution/abc"
FOLDER = "s3://artifacts/sales/executions/abc/"
MODEL = b"the artifact"
DEFINITION = {
    "Steps": [
        {
            "Name": "Prepare",
            "Arguments": {"ProcessingInputs": [{"InputName": "code", "S3Input": {"S3Uri": "s3://assets/1.zip"}}]},
        }
    ]
}
FACTS = {"python": "3.12.9", "libraries": {"numpy": "2.5.1", "scikit_learn": "1.9.0"}}
OBJECTS = [{"bucket": "data", "key": "raw/1.csv", "version_id": "v1"}, {"bucket": "data", "key": "raw/2.csv"}]
ARTIFACT = "train/job-1/output/model.tar.gz"
BUCKETS = ("artifacts", "records", "assets")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class SageMaker:
    def describe_pipeline_definition_for_execution(self, PipelineExecutionArn):
        assert PipelineExecutionArn == EXECUTION
        return {"PipelineDefinition": json.dumps(DEFINITION)}


@pytest.fixture
def s3(local):
    """S3 of the embedded AWS: Moto's own mocks would empty it for the tests that follow."""
    client = boto3.client("s3")
    for bucket in BUCKETS:
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket="assets", Key="1.zip", Body=b"code")
    yield client
    for bucket in BUCKETS:
        for entry in client.list_object_versions(Bucket=bucket).get("Versions", []):
            client.delete_object(Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])
        client.delete_bucket(Bucket=bucket)


@pytest.fixture
def recorder(modules, monkeypatch):
    """The function's modules."""
    monkeypatch.setenv("FACTORY_ENVIRONMENT", "prod")
    monkeypatch.setenv("MODELS_PARAMETER_PREFIX", "/acme/prod/models/")
    return SimpleNamespace(**modules("recorder", "store", "evidence", "sbom", "statement", "completion", "drafts"))


@pytest.fixture
def store(s3, recorder):
    return recorder.store.Store(s3, "records", "sales", lambda: 60)


@pytest.fixture
def collect(recorder, store):
    """Collects the evidence of a training; the fields of Sources given replace those of the trained version."""

    def collect(given=store, **more):
        fields = {"folder": FOLDER, "execution": EXECUTION, "artifact": FOLDER + ARTIFACT}
        sources = recorder.evidence.Sources(**fields | {"artifact_digest": digest(MODEL)} | more)
        return recorder.evidence.collect(sources, given, SageMaker())

    return collect


def put(s3, path: str, content: bytes) -> str:
    return s3.put_object(Bucket="artifacts", Key=f"sales/executions/abc/{path}", Body=content)["VersionId"]


def output_archive() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        content = json.dumps(FACTS).encode()
        member = tarfile.TarInfo("data/facts.json")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


def trained(s3) -> str:
    """The files of a training; the version id of the artifact."""
    for name in ("manifest", "report", "facts"):
        put(s3, f"prepare/report/{name}.json", json.dumps(FACTS | {"of": name, "objects": OBJECTS}).encode())
    put(s3, "prepare/report/inputs.json", b"{}")
    put(s3, "prepare/test/part-0.parquet", b"rows")
    put(s3, "prepare/train/part-0.parquet", b"not evidence")
    put(s3, "evaluation/evaluation.json", b"{}")
    put(s3, "train/job-1/output/output.tar.gz", output_archive())
    return put(s3, ARTIFACT, MODEL)


def kept(s3) -> dict[str, bytes]:
    listed = s3.list_objects_v2(Bucket="records", Prefix="sales/").get("Contents", [])
    return {e["Key"]: s3.get_object(Bucket="records", Key=e["Key"])["Body"].read() for e in listed}


def test_evidence_has_all_files_of_version(s3, collect):
    version = trained(s3)
    found = collect()
    names = {"code", "definition", "manifest", "report", "prepare_facts", "evaluation", "artifact", "train_facts"}
    assert set(found.files) == names
    assert found.files["artifact"] == {
        "sha256": digest(MODEL), "size": len(MODEL), "source": FOLDER + ARTIFACT, "version_id": version
    }  # fmt: skip
    assert (found.missing, found.differences) == ({}, [])
    assert found.contents["train_facts"] == FACTS
    assert all(key == f"sales/evidence/{digest(content)}" for key, content in kept(s3).items())
    assert kept(s3)[f"sales/evidence/{digest(b'code')}"] == b"code"


def test_rows_are_recorded_and_not_locked(s3, collect):
    trained(s3)
    version = put(s3, "prepare/baseline/sample.parquet", b"sample")
    put(s3, "prepare/baseline/profile.json", b"{}")
    found = collect()
    assert set(found.rows) == {"test/part-0.parquet", "baseline/sample.parquet"}
    assert found.rows["baseline/sample.parquet"] == {
        "sha256": digest(b"sample"), "size": 6, "source": f"{FOLDER}prepare/baseline/sample.parquet", "version_id": version
    }  # fmt: skip
    assert "baseline/profile.json" in found.files
    assert not {b"rows", b"sample"} & set(kept(s3).values())


def test_repeated_message_copies_nothing(s3, collect):
    trained(s3)
    first = collect()
    before = s3.list_object_versions(Bucket="records")["Versions"]
    assert collect() == first
    assert s3.list_object_versions(Bucket="records")["Versions"] == before


def test_overwritten_artifact_is_named_and_original_kept(s3, collect):
    original = trained(s3)
    put(s3, ARTIFACT, b"another")
    found = collect()
    assert (found.files["artifact"]["version_id"], found.files["artifact"]["sha256"]) == (original, digest(MODEL))
    assert "was written again: 2 versions, of which 1 have another SHA-256" in found.differences[0]
    assert f"sales/evidence/{digest(b'another')}" not in kept(s3)


def test_artifact_that_was_never_evaluated_is_missing(s3, collect):
    trained(s3)
    found = collect(artifact_digest="0" * 64)
    assert "artifact" not in found.files
    assert "no version of" in found.missing["artifact"]


def test_report_that_was_written_after_registration_is_named(s3, recorder, collect):
    trained(s3)
    time = datetime.now(UTC)
    put(s3, "evaluation/evaluation.json", b'{"gate": 1}')
    entries = s3.list_object_versions(Bucket="artifacts", Prefix="sales/executions/abc/evaluation/")["Versions"]
    assert entries[0]["LastModified"] >= time - timedelta(seconds=1)

    class Later:
        """S3's times have seconds; here the second version is an hour younger."""

        def get_paginator(self, name):
            return self

        def paginate(self, **request):
            for page in s3.get_paginator("list_object_versions").paginate(**request):
                for entry in page.get("Versions", []):
                    again = entry["Key"].endswith("evaluation.json") and entry["IsLatest"]
                    entry["LastModified"] += timedelta(hours=1 if again else 0)
                yield page

        def __getattr__(self, name):
            return getattr(s3, name)

    later = recorder.store.Store(Later(), "records", "sales", lambda: 60)
    found = collect(later, time=time + timedelta(minutes=1))
    assert found.files["evaluation"]["sha256"] == digest(b"{}")
    assert found.differences == [
        f"{FOLDER}evaluation/evaluation.json was written again after the training had ended; the earlier version is kept"
    ]


def test_rejected_training_keeps_everything_but_artifact(s3, collect):
    trained(s3)
    found = collect(artifact=None, artifact_digest=None)
    assert "artifact" not in found.files
    assert found.missing == {}
    assert f"sales/evidence/{digest(MODEL)}" not in kept(s3)


def test_failed_training_names_what_is_missing(s3, collect):
    found = collect(artifact=None)
    assert set(found.files) == {"definition", "code"}
    assert set(found.missing) == {"manifest", "report", "evaluation"}


def test_artifact_too_large_for_the_time_is_missing(s3, recorder, collect):
    trained(s3)
    late = recorder.store.Store(s3, "records", "sales", lambda: -1)
    version = recorder.store.ObjectVersion("artifacts", f"sales/executions/abc/{ARTIFACT}", "null", 12)
    with pytest.raises(recorder.store.UnreadableError, match=r"only 12 of 12 bytes could be read in time"):
        late.digest(version)


def test_large_object_is_copied_in_parts(recorder, monkeypatch):
    class S3:
        """Counts parts; what S3 does with them is tested with the embedded AWS."""

        def __init__(self):
            self.calls = []

        def list_objects_v2(self, **_):
            return {}

        def create_multipart_upload(self, **request):
            self.calls.append(request)
            return {"UploadId": "u"}

        def upload_part_copy(self, **request):
            self.calls.append(request)
            return {"CopyPartResult": {"ETag": "e", "ChecksumSHA256": str(request["PartNumber"])}}

        def complete_multipart_upload(self, **request):
            self.calls.append(request)

    monkeypatch.setattr(recorder.store, "LARGEST_COPY", 10)
    monkeypatch.setattr(recorder.store, "PART_BYTES", 8)
    s3 = S3()
    version = recorder.store.ObjectVersion("artifacts", "large", "v1", 12)
    entry = recorder.store.Store(s3, "records", "sales", lambda: 60).copy(version, "a" * 64)
    start, first, second, end = s3.calls
    assert (start["Key"], start["ChecksumAlgorithm"]) == (f"sales/evidence/{'a' * 64}", "SHA256")
    assert [part["CopySourceRange"] for part in (first, second)] == ["bytes=0-7", "bytes=8-11"]
    assert first["CopySource"] == {"Bucket": "artifacts", "Key": "large", "VersionId": "v1"}
    assert [part["ChecksumSHA256"] for part in end["MultipartUpload"]["Parts"]] == ["1", "2"]
    assert end["IfNoneMatch"] == "*"
    assert (entry["sha256"], entry["version_id"]) == ("a" * 64, "v1")


@pytest.fixture
def bill(recorder):
    return lambda **more: _bill(recorder.sbom, **more)


def _bill(sbom, **more):
    facts = {"train_facts": FACTS, "evaluate_facts": {"libraries": {"numpy": "2.5.1", "boto3": "1.42.0"}}}
    given = {
        "model": "sales",
        "version": 7,
        "artifact": "a" * 64,
        "image": "i@sha256:1",
        "time": "2026-11-26T00:00:00Z",
    }
    return sbom.bill_of_materials(facts, **(given | more))


def test_bill_of_materials_lists_loaded_libraries(bill):
    found = bill()
    libraries = {each["name"]: each for each in found["components"] if each["type"] == "library"}
    assert list(libraries) == ["boto3", "numpy", "scikit_learn"]
    assert libraries["scikit_learn"]["purl"] == "pkg:pypi/scikit-learn@1.9.0"
    assert libraries["numpy"]["properties"][0]["value"] == "train, evaluate"
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    assert found["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert found == bill()


def test_version_without_facts_has_no_bill_of_materials(recorder):
    assert recorder.sbom.bill_of_materials({}, model="sales", version=1, artifact=None, image="i", time="t") is None


class Kms:
    """Signs digests as KMS does."""

    def __init__(self):
        self.private = ec.generate_private_key(ec.SECP256R1())

    def sign(self, **request):
        assert (request["MessageType"], request["SigningAlgorithm"]) == ("DIGEST", "ECDSA_SHA_256")
        return {"Signature": self.private.sign(request["Message"], ec.ECDSA(Prehashed(hashes.SHA256())))}

    def get_public_key(self, **_):
        kinds = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return {"PublicKey": self.private.public_key().public_bytes(*kinds)}


def test_statement_is_signed_over_all_files(recorder):
    evidence = {each: {"sha256": digest(each.encode())} for each in ("sbom", "artifact", "signature")}
    payload = recorder.statement.statement(evidence, model="sales", version=7, subject="arn:package/7")
    bundle, public_key = recorder.statement.sign(payload, Kms(), "key")
    signed = json.loads(payload)
    assert [each["name"] for each in signed["predicate"]["resources"]] == ["artifact", "sbom"]
    both = bytes.fromhex(digest(b"artifact")) + bytes.fromhex(digest(b"sbom"))
    assert signed["subject"] == [{"name": "sales@7", "digest": {"sha256": digest(both)}}]
    envelope = json.loads(bundle)["dsseEnvelope"]
    encoded = recorder.statement.pre_authentication_encoding(base64.b64decode(envelope["payload"]))
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    serialization.load_pem_public_key(public_key).verify(signature, encoded, ec.ECDSA(hashes.SHA256()))


PACKAGE = {
    "InferenceSpecification": {
        "Containers": [{"Image": "i:1", "ImageDigest": "sha256:1", "ModelDataUrl": FOLDER + ARTIFACT}]
    },
    "CustomerMetadataProperties": {"artifact_digest": digest(MODEL), "pipeline_execution": EXECUTION},
}


@pytest.fixture
def complete(recorder, s3, monkeypatch):
    """Completes a draft of a kind; its alerts are in `complete.alerts`."""
    monkeypatch.setenv("RECORDS_BUCKET", "records")
    monkeypatch.setenv("ARTIFACTS_BUCKET", "artifacts")
    monkeypatch.setenv("SIGNING_KEY", "key")
    sagemaker = SageMaker()
    alerts = []
    monkeypatch.setattr(recorder.completion, "send_alert", alerts.append)
    clients = recorder.completion.Clients(s3, sagemaker, Kms(), lambda: 60)
    by = recorder.drafts.By(None, "sagemaker")

    def complete(kind, **more):
        fields = {
            "kind": kind,
            "id": "1",
            "time": datetime.now(UTC) + timedelta(minutes=1),
            "by": by,
            "model": "sales",
            "version": 7,
        }
        return recorder.completion.complete(recorder.drafts.Draft(**fields | more), clients)

    complete.alerts = alerts
    return complete


def test_registration_gets_evidence_bill_and_signature(s3, complete):
    trained(s3)
    draft = complete("registration", subject="arn:package/7", facts=PACKAGE)
    assert {"artifact", "sbom", "statement", "signature", "public_key"} <= set(draft.evidence)
    assert (draft.facts["image_digest"], draft.facts["missing"], draft.facts["differences"]) == ("sha256:1", {}, [])
    bill = json.loads(kept(s3)[f"sales/evidence/{draft.evidence['sbom']['sha256']}"])
    assert bill["components"][0]["name"] == "i:1@sha256:1"
    assert complete.alerts == []


@pytest.mark.parametrize(("kind", "end"), [("registration", "v7"), ("training", "v0")])
def test_objects_that_a_training_read_get_markers(s3, recorder, complete, kind, end):
    trained(s3)
    facts = PACKAGE if kind == "registration" else {"outcome": "failed"}
    given = {"subject": "arn:package/7" if kind == "registration" else EXECUTION, "facts": facts}
    for _ in range(2):
        complete(kind, version=7 if kind == "registration" else None, **given)
    uri = digest(b"s3://data/raw/1.csv")
    versions = s3.list_object_versions(Bucket="records", Prefix="_lineage/")["Versions"]
    assert [entry["Key"] for entry in versions] == [f"_lineage/{uri}/v1/sales/abc-{end}"]


def test_training_that_failed_while_reading_gets_markers(s3, complete):
    put(s3, "prepare/report/inputs.json", json.dumps({"objects": OBJECTS}).encode())
    draft = complete("training", version=None, subject=EXECUTION, facts={"outcome": "failed"})
    assert {"inputs", "code"} <= set(draft.evidence)
    (marker,) = s3.list_objects_v2(Bucket="records", Prefix="_lineage/")["Contents"]
    assert marker["Key"].endswith("/v1/sales/abc-v0")


def test_function_keeps_evidence_in_the_embedded_aws(cloud, load, monkeypatch):
    """Copies, conditional writes and checksums of the embedded AWS; its bucket has no versions."""
    for name in ("RECORDS_BUCKET", "ARTIFACTS_BUCKET"):
        monkeypatch.setenv(name, cloud.bucket)
    function = load("recorder")
    function.context.get_remaining_time_in_millis = lambda: 600_000
    folder = f"{cloud.model}/executions/abc/"
    for path in ("prepare/report/manifest.json", ARTIFACT):
        cloud.client("s3").put_object(Bucket=cloud.bucket, Key=folder + path, Body=MODEL)
    container = {"Image": "i:1", "ModelDataUrl": f"s3://{cloud.bucket}/{folder}{ARTIFACT}"}
    facts = {
        "InferenceSpecification": {"Containers": [container]},
        "CustomerMetadataProperties": {"artifact_digest": digest(MODEL)},
    }
    body = {
        "kind": "registration",
        "id": "1",
        "model": cloud.model,
        "time": (datetime.now(UTC) + timedelta(minutes=1)).isoformat(),
        "version": 7,
        "subject": "arn:package/7",
        "by": None,
        "facts": facts,
        "evidence": {},
    }
    assert function(message(body, cloud.model)) == []
    (name,) = cloud.objects("chain/")
    record = cloud.read(name)
    assert record["evidence"]["artifact"]["sha256"] == digest(MODEL)
    assert set(record["facts"]["missing"]) == {"code", "definition", "evaluation", "report", "sbom", "signature"}
    assert cloud.objects("evidence/") == [f"evidence/{digest(MODEL)}"]
    calls = [operation for operation, _ in function.calls]
    assert calls.count("CopyObject") == 1


def test_registration_with_other_artifact_raises_alert(s3, complete):
    trained(s3)
    put(s3, ARTIFACT, b"another")
    draft = complete("registration", subject="arn:package/7", facts=PACKAGE)
    assert draft.evidence["artifact"]["sha256"] == digest(MODEL)
    assert len(draft.facts["differences"]) == 1
    (alert,) = complete.alerts
    assert (alert.cause, alert.command) == ("evidence-differs", "model-factory verify sales@7")


def test_registration_of_deleted_version_names_what_is_missing(complete):
    draft = complete("registration", subject="arn:package/7")
    assert draft.facts["missing"] == {"version": "arn:package/7 was deleted before its files were copied"}


def test_rejected_training_gets_evidence_without_artifact(s3, complete):
    trained(s3)
    draft = complete("training", version=None, subject=EXECUTION, facts={"outcome": "failed"})
    assert {"manifest", "report", "evaluation", "code", "definition", "train_facts"} <= set(draft.evidence)
    assert "artifact" not in draft.evidence


@pytest.mark.parametrize(("kind", "facts"), [("training", {"outcome": "succeeded"}), ("deployment", {})])
def test_other_records_stay_as_they_are(complete, kind, facts):
    assert complete(kind, subject="arn", facts=facts).evidence == {}
