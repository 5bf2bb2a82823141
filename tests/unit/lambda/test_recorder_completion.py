"""Records of registrations and trainings are completed with evidence before they are written."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from .cloud import message
from .training_files import ARTIFACT, EXECUTION, FOLDER, MODEL, OBJECTS, Kms, SageMaker, digest, kept, put, trained

PACKAGE = {
    "InferenceSpecification": {
        "Containers": [{"Image": "i:1", "ImageDigest": "sha256:1", "ModelDataUrl": FOLDER + ARTIFACT}]
    },
    "CustomerMetadataProperties": {"artifact_digest": digest(MODEL), "pipeline_execution": EXECUTION},
}


@pytest.fixture
def complete(recorder_modules, s3, monkeypatch):
    """Completes a draft of a kind; its alerts are in `complete.alerts`."""
    monkeypatch.setenv("RECORDS_BUCKET", "records")
    monkeypatch.setenv("ARTIFACTS_BUCKET", "artifacts")
    monkeypatch.setenv("SIGNING_KEY", "key")
    sagemaker = SageMaker()
    alerts = []
    monkeypatch.setattr(recorder_modules.completion, "send_alert", alerts.append)
    clients = recorder_modules.completion.Clients(s3, sagemaker, Kms(), lambda: 60)
    by = recorder_modules.drafts.By(None, "sagemaker")

    def complete(kind, **more):
        fields = {
            "kind": kind,
            "id": "1",
            "time": datetime.now(UTC) + timedelta(minutes=1),
            "by": by,
            "model": "sales",
            "version": 7,
        }
        return recorder_modules.completion.complete(recorder_modules.drafts.Draft(**fields | more), clients)

    complete.alerts = alerts
    return complete


def test_registration_gets_evidence_bill_and_signature(s3, complete):
    trained(s3)
    draft = complete("registration", subject="arn:package/7", facts=PACKAGE)
    assert {"artifact", "sbom", "statement", "signature", "public_key"} <= set(draft.evidence)
    assert (draft.facts["image_digest"], draft.facts["missing"], draft.facts["differences"]) == ("sha256:1", {}, [])
    written = kept(s3)[f"sales/evidence/{draft.evidence['sbom']['sha256']}"]
    bill = json.loads(written)
    assert written.startswith(b'{\n "$schema"'), "people read it: one line for each member"
    assert bill["components"][0]["name"] == "i:1@sha256:1"
    assert complete.alerts == []


@pytest.mark.parametrize(("kind", "end"), [("registration", "v7"), ("training", "v0")])
def test_objects_that_a_training_read_get_markers(s3, recorder_modules, complete, kind, end):
    trained(s3)
    facts = PACKAGE if kind == "registration" else {"outcome": "failed"}
    given = {"subject": "arn:package/7" if kind == "registration" else EXECUTION, "facts": facts}
    for _ in range(2):
        complete(kind, version=7 if kind == "registration" else None, **given)
    uri = digest(b"s3://data/raw/1.csv")
    versions = s3.list_object_versions(Bucket="records", Prefix="_lineage/")["Versions"]
    assert [entry["Key"] for entry in versions] == [f"_lineage/{uri}/v1/sales/abc-{end}"]


def test_markers_are_counted_and_only_of_objects_with_a_version(s3, recorder_modules):
    write = recorder_modules.completion.write_markers
    objects = [
        {"bucket": "b", "key": "k", "version_id": "v"},
        {"bucket": "b", "key": "k"},
        {"key": "k", "version_id": "v"},
    ]
    objects.append(objects[0] | {"key": "l", "etag": "0a"})
    assert write(s3, "records", objects, model="sales", execution="abc", version=None) == 2
    assert len(s3.list_objects_v2(Bucket="records", Prefix="_lineage/")["Contents"]) == 2


def test_function_keeps_a_minute_for_the_record(recorder_modules):
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 100_000)
    assert recorder_modules.completion.Clients.of(context).seconds_left() == 40.0


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
