"""Clauses of frameworks: answered by verified records alone, and else with what closes the gap."""

import base64
import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from moto.core.models import DEFAULT_ACCOUNT_ID

from model_factory.core.names import EnvironmentNames
from model_factory.functions.shared.chain import digest, evidence_key, record_key
from model_factory.ops.frameworks import reading
from model_factory.ops.records.evidence import PAYLOAD_TYPE
from model_factory.ops.records.verification import verify_chain
from ops.frameworks import record_answers
from ops.frameworks.answers import ANSWERS, answer
from ops.frameworks.framework import load, names
from ops.frameworks.version_records import VersionRecords
from ops.project import UsageError
from ops.report.framework_page import framework_page

from .chains import MemoryObjects, write

NOW = datetime(2026, 11, 26, 4, tzinfo=UTC)
EXECUTION = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/acme-prod-churn-train/execution/abc"
PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/acme-prod-churn/1"
AUC = {"value": 0.9, "low": 0.88, "high": 0.92}
SETTINGS = {"report": {"intended_use": "To call <customers>.", "limits_of_use": "Not for credit."}}
REGISTRATION, APPROVAL = 4, 5
"""Numbers of records in the chain of `complete`."""


def code(settings):
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        archive.writestr("project/settings.json", json.dumps(settings))
    return file.getvalue()


def files(settings=SETTINGS):
    evaluation = {"gate": {"metric": "auc"}, "metrics": {"auc": AUC}, "rows": 400}
    evaluation["champion"] = {"version": 0, "metrics": {"auc": AUC | {"value": 0.8}}}
    documents = {
        "manifest": {"objects": [{"key": "a"}]},
        "report": {"rows": 2000},
        "evaluation": evaluation,
        "evaluation/explanation.json": {"calibration": {"error": 0.1}, "slices": {"plan": []}},
        "baseline/columns.json": {"columns": [{"name": "age"}]},
        "sbom": {"components": [{"name": "numpy"}]},
    }
    found = {name: json.dumps(content).encode() for name, content in documents.items()}
    return found | {"code": code(settings), "artifact": b"model"}


def signed(found):
    """The files with a statement about them and its signature."""
    resources = [{"name": name, "digest": digest(content)} for name, content in found.items()]
    payload = json.dumps({"predicate": {"resources": resources, "model_package": PACKAGE}}).encode()
    key = ec.generate_private_key(ec.SECP256R1())
    message = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    signature = base64.b64encode(key.sign(message, ec.ECDSA(hashes.SHA256()))).decode()
    envelope = {"dsseEnvelope": {"payload": base64.b64encode(payload).decode(), "signatures": [{"sig": signature}]}}
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return found | {"statement": payload, "signature": json.dumps(envelope).encode(), "public_key": public}


def registration(found):
    metadata = {"pipeline_execution": EXECUTION}
    facts = {"CustomerMetadataProperties": metadata, "missing": {}}
    return {"kind": "registration", "subject": PACKAGE, "facts": facts, "evidence": found}


@pytest.fixture
def complete():
    """A bucket whose chain of churn has a record of every kind."""
    objects = MemoryObjects()
    write(
        objects,
        "churn",
        {"kind": "configuration", "version": None, "facts": {"version": 1, "operation": "Create"}},
        {"kind": "training", "version": None, "subject": EXECUTION, "facts": {"outcome": "succeeded", "steps": [1]}},
        {"kind": "gate", "version": None, "subject": EXECUTION, "facts": {"gate": {"reason": "auc 0.9 is enough"}}},
        registration(signed(files())),
        {"kind": "approval", "facts": {"reason": "good"}},
        {"kind": "deployment", "facts": {"outcome": "rolled back"}},
        {"kind": "alarm", "version": None, "facts": {"purpose": "drift", "state": "ALARM", "reason": "moved"}},
        {"kind": "alarm", "version": None, "facts": {"purpose": "model-quality", "state": "OK"}},
        {"kind": "retrain", "version": None, "facts": {"decision": "started", "trigger": "drift"}},
        {"kind": "reproduction", "facts": {"verdict": "identical", "says": "the same bytes"}},
    )
    return objects


def records_of(objects, version=1):
    chain = verify_chain(objects, "churn", [], place=("acme", "prod"), now=NOW)
    return VersionRecords("prod", "churn", version, chain, objects.read)


def answers_of(name, records):
    return {clause.id: answer(clause, records) for clause in load(name).clauses}


@pytest.mark.parametrize("name", names())
def test_clauses_name_functions_and_have_an_answer_or_instead(name):
    framework = load(name)
    assert {clause.answer for clause in framework.clauses} - {None} <= ANSWERS.keys()
    assert all(bool(clause.answer) != bool(clause.instead) for clause in framework.clauses)
    assert len({clause.id for clause in framework.clauses}) == len(framework.clauses)
    assert all(source.url.startswith("https://") and source.read for source in framework.sources)


@pytest.mark.parametrize("name", names())
def test_model_with_all_records_answers_every_clause(name, complete):
    found = answers_of(name, records_of(complete))
    assert {key: each.text for key, each in found.items() if each.status in ("gap", "altered")} == {}
    assert all(each.entry for each in found.values() if each.status == "answered")


@pytest.mark.parametrize("name", names())
def test_model_without_records_answers_no_clause(name):
    found = answers_of(name, records_of(MemoryObjects(), None))
    assert {each.status for each in found.values()} == {"gap", "not by the factory"}
    assert all(each.text for each in found.values())


def test_altered_record_is_no_answer_and_is_named(complete):
    key = record_key("churn", APPROVAL)
    complete.put(key, complete.read(key).replace(b"good", b"fine"))
    found = answers_of("eu-ai-act", records_of(complete))
    assert found["Article 14(4)(d)"].status == "altered"
    assert "versions" in found["Article 14(4)(d)"].text
    assert found["Article 12(1)"].status == "altered"
    assert key in found["Article 12(1)"].text
    assert found["Article 9(8)"].status == "answered"


def test_approval_that_aws_refused_is_no_answer():
    objects = MemoryObjects()
    write(
        objects,
        "churn",
        registration(files()),
        {"kind": "approval", "id": "a", "facts": {"decision": "Approved", "reason": "good"}},
        {"kind": "approval", "id": "a#refused", "facts": {"refused": "a", "what": "the approval status was not set"}},
    )
    found = ANSWERS["approval"](records_of(objects))
    assert (found.status, found.entry) == ("gap", None)


def test_altered_registration_answers_none_of_its_files(complete):
    key = record_key("churn", REGISTRATION)
    complete.put(key, complete.read(key).replace(b"prod", b"prof"))
    found = answers_of("eu-ai-act", records_of(complete))
    assert found["Article 15(3)"].status == found["Article 11, Annex IV(1)(a)"].status == "altered"


def test_altered_file_is_no_answer_and_is_named(complete):
    sha256 = digest(files()["evaluation"])
    complete.put(evidence_key("churn", sha256), b"{}")
    found = answers_of("eu-ai-act", records_of(complete))["Article 15(3)"]
    assert (found.status, found.file.sha256) == ("altered", sha256)
    assert found.text.startswith("evaluation: ")


def test_altered_artifact_is_no_signed_one(complete):
    complete.put(evidence_key("churn", digest(b"model")), b"other")
    assert answers_of("eu-ai-act", records_of(complete))["Article 15(5)"].status == "altered"


def test_signature_of_other_files_is_no_answer():
    objects = MemoryObjects()
    write(objects, "churn", registration(signed(files()) | {"sbom": b"{}"}))
    found = answers_of("eu-ai-act", records_of(objects))["Article 15(5)"]
    assert (found.status, found.text) == ("altered", "the signed statement and the record differ in sbom")


def test_file_that_was_forgotten_is_a_gap_with_its_record(complete):
    sha256 = digest(files()["manifest"])
    write(complete, "churn", {"kind": "forgetting", "facts": {"evidence": [sha256]}})
    complete.erase(evidence_key("churn", sha256))
    found = answers_of("eu-ai-act", records_of(complete))["Article 10(2)(b)"]
    assert (found.status, found.text) == ("gap", "manifest was deleted on purpose: record 11.")


def test_deleted_record_is_named_where_it_is_missing(complete):
    complete.erase(record_key("churn", APPROVAL))
    records = records_of(complete)
    found = answers_of("eu-ai-act", records)["Article 14(4)(d)"]
    assert found.status == "gap"
    assert f"record {APPROVAL} is missing" in found.text
    assert f"Records: record {APPROVAL} is missing" in framework_page("acme", load("eu-ai-act"), [records], NOW)


def test_text_missing_in_model_yaml_is_a_gap_that_names_it():
    objects = MemoryObjects()
    write(objects, "churn", registration(files({"report": {"intended_use": ""}})))
    found = answers_of("eu-ai-act", records_of(objects))["Article 11, Annex IV(1)(a)"]
    assert found.status == "gap"
    assert found.text == "Write `report.intended_use` in models/churn/model.yaml and train the version again."


def test_records_of_a_deleted_version_of_the_same_number_are_not_used(complete):
    complete.now += timedelta(days=1)
    write(complete, "churn", registration(files()))
    found = answers_of("eu-ai-act", records_of(complete))
    assert found["Article 14(4)(d)"].status == "gap"
    assert found["Article 15(3)"].entry.sequence == 11


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ([], "rolled back"),
        ([{"kind": "rejection", "version": 2, "facts": {"decision": "Rejected"}}], "rolled back"),
        ([{"kind": "rejection", "facts": {"decision": "Rejected"}}], "Rejected"),
        ([{"kind": "deployment", "version": 2, "facts": {"outcome": "failed"}}], "rolled back"),
    ],
)
def test_corrective_action_is_what_took_a_version_out_of_service(complete, later, said):
    """The rejection of a candidate, or a deployment that failed, corrected nothing."""
    complete.now += timedelta(days=1)
    write(complete, "churn", *later)
    records = records_of(complete)
    entry = records.corrected(record_answers._UNDONE)
    assert (entry.record["facts"].get("outcome") or entry.record["facts"]["decision"]) == said


def test_page_links_answers_to_their_records(complete):
    page = framework_page("acme", load("eu-ai-act"), [records_of(complete)], NOW)
    targets = set(re.findall(r' id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= targets
    assert f"prod-churn-v1-{REGISTRATION}" in targets
    assert record_key("churn", REGISTRATION) in page
    assert "To call &lt;customers&gt;." in page
    assert "2 December 2027" in page
    assert not re.search(r"<script|<link|src=|url\(|@import", page)


def test_unknown_framework_gets_the_nearest_name():
    with pytest.raises(
        UsageError, match=r"no framework 'eu-ai' \(did you mean 'eu-ai-act'\?\); there are: eu-ai-act, "
    ):
        load("eu-ai")


def test_command_writes_the_page_of_versions(aws, project, run, complete, tmp_path, monkeypatch):
    names = EnvironmentNames("acme", "prod", DEFAULT_ACCOUNT_ID, "eu-west-1")
    s3 = boto3.client("s3", region_name="eu-west-1")
    for bucket in (names.bucket("records"), names.bucket("artifacts")):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in complete.objects:
        s3.put_object(Bucket=names.bucket("records"), Key=key, Body=complete.read(key))
    settings = {"endpoint": "acme-prod-churn", "model_package_group": "acme-prod-churn"}
    parameter = f"{names.models_parameter_prefix}churn"
    boto3.client("ssm", region_name="eu-west-1").put_parameter(
        Name=parameter, Value=json.dumps(settings), Type="String"
    )
    out = tmp_path / "page.html"
    options = ("--env", "prod", "--framework", "sr-26-2", "--out", str(out), "--project", str(project))
    code, printed, mistakes = run("report", "churn@1", *options)
    assert code == 0, mistakes
    assert "1 model)" in printed
    assert "churn v1 in prod" in out.read_text()
    monkeypatch.setattr(reading, "_known", lambda *_: [1, 2, 5, 6, 8])
    code, printed, mistakes = run("report", "churn@1", "churn@2", *options)
    assert (code, "2 models)" in printed) == (0, True), mistakes
    assert "churn v2 in prod" in out.read_text()
    code, _, mistakes = run("report", "churn@1", "churn@7", *options)
    assert (code, "churn has no version 7: prod has 5, 6, 8" in mistakes) == (1, True), mistakes
    code, _, mistakes = run("report", *options[:3], "sr-26", *options[4:])
    assert code == 1
    assert "there is no framework 'sr-26' (did you mean 'sr-26-2'?)" in " ".join(mistakes.split())
