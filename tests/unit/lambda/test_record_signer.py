"""The function that signs the heads of chains: what it writes, that it can be repeated, and that openssl verifies it."""

import json
import subprocess
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError

from model_factory.functions.shared.chain import digest, encode, event_key, record_key
from model_factory.ops.records.audit import Source, verify
from model_factory.ops.records.heads import PublicKey
from model_factory.ops.records.objects import S3Objects

from .cloud import REGION, refused

NOW = datetime.now(UTC)
TODAY, TOMORROW = (f"{NOW + timedelta(days=days):%Y-%m-%d}" for days in (0, 1))


class Records:
    """A records bucket, an anchor and a signing key of the embedded AWS."""

    def __init__(self, name):
        self.s3, self.kms = boto3.client("s3", region_name=REGION), boto3.client("kms", region_name=REGION)
        self.bucket, self.anchor = f"{name}-records", f"{name}-anchor"
        for bucket in (self.bucket, self.anchor):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        self.key = self.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        self.newest = {}

    def client(self, service):
        return getattr(self, service)

    def append(self, model):
        """Append a record to the chain of a model; the chains' other parts are those of tests/unit/ops."""
        sequence, previous = self.newest.get(model, (0, None))
        now = datetime.now(UTC).isoformat()
        by = {"identity": None, "source": "sagemaker", "claimed": None}
        record = {
            "schema": "model-factory/record/1",
            "sequence": sequence + 1,
            "previous": previous,
            "id": f"{sequence}",
        }
        record |= {
            "kind": "gate",
            "time": now,
            "recorded": now,
            "factory": "acme",
            "environment": "prod",
            "model": model,
        }
        content = encode(record | {"version": 1, "subject": None, "by": by, "facts": {}, "evidence": {}})
        self.s3.put_object(Bucket=self.bucket, Key=event_key(model, "gate", record["id"]), Body=b"{}")
        self.s3.put_object(Bucket=self.bucket, Key=record_key(model, sequence + 1), Body=content)
        self.newest[model] = (sequence + 1, digest(content))

    def read(self, key, bucket=None):
        return self.s3.get_object(Bucket=bucket or self.bucket, Key=key)["Body"].read()

    def keys(self, bucket):
        return [entry["Key"] for entry in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def pem(self, folder):
        """The public key as `aws kms get-public-key` and openssl write it; the file."""
        der, pem = folder / "key.der", folder / "key.pem"
        der.write_bytes(self.kms.get_public_key(KeyId=self.key)["PublicKey"])
        openssl("pkey", "-pubin", "-inform", "DER", "-in", der, "-out", pem)
        return pem


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture
def records(local):
    made = Records(f"signer-{uuid.uuid4().hex}")
    for model in ("churn", "churn", "", "fraud"):
        made.append(model)
    return made


@pytest.fixture
def signer(modules, records):
    signing = modules("record_signer", "signing")["signing"]
    made = signing.Signer(records.s3, records.kms, records.bucket, records.key, ("acme", "prod"))
    records.copies = signing.Anchor(records.s3, records.anchor, "prod/")
    return made


def test_newest_record_of_each_chain_is_signed(records, signer):
    assert signer.sign(NOW) == f"_heads/{TODAY}.json"
    heads = json.loads(records.read(f"_heads/{TODAY}.json"))
    assert {name: (head["sequence"], head["digest"]) for name, head in heads["chains"].items()} == {
        model or "_environment": newest for model, newest in records.newest.items()
    }
    assert (heads["factory"], heads["environment"], heads["key"], heads["previous"]) == (
        "acme",
        "prod",
        records.key,
        None,
    )


def test_openssl_accepts_the_signature_and_refuses_another_document(records, signer, tmp_path):
    signer.sign(NOW)
    document, signature = tmp_path / "heads.json", tmp_path / "heads.sig"
    document.write_bytes(records.read(f"_heads/{TODAY}.json"))
    signature.write_bytes(records.read(f"_heads/{TODAY}.sig"))
    verify_file = ("dgst", "-sha256", "-verify", records.pem(tmp_path), "-signature", signature, document)
    assert openssl(*verify_file).stdout == "Verified OK\n"
    document.write_bytes(document.read_bytes().replace(b'"sequence":2', b'"sequence":1'))
    assert openssl(*verify_file).returncode == 1


def test_second_run_of_a_day_changes_nothing(records, signer):
    signer.sign(NOW)
    before = records.read(f"_heads/{TODAY}.json")
    records.append("churn")
    signer.sign(NOW)
    assert records.read(f"_heads/{TODAY}.json") == before
    assert len(records.s3.list_object_versions(Bucket=records.bucket, Prefix="_heads/")["Versions"]) == 2


def test_conflict_without_another_writer_signs_nothing(records, signer, monkeypatch):
    """S3 answers 409 while another request for the key is in progress, which may fail."""
    with monkeypatch.context() as patch:
        patch.setattr(type(signer), "_put", staticmethod(lambda *_: False))
        with pytest.raises(Exception, match="S3 wrote no _heads/"):
            signer.sign(NOW)
    assert records.keys(records.bucket) == [
        key for key in records.keys(records.bucket) if not key.startswith("_heads/")
    ]
    signer.sign(NOW)
    assert json.loads(records.read(f"_heads/{TODAY}.json"))["chains"]


def test_document_that_another_run_wrote_meanwhile_is_signed(records, signer, monkeypatch):
    put = type(signer)._put

    def overtaken(s3, bucket, key, content):
        if key.endswith(".json"):
            put(s3, bucket, key, b"of the other run")
            return False
        return put(s3, bucket, key, content)

    monkeypatch.setattr(type(signer), "_put", staticmethod(overtaken))
    signer.sign(NOW)
    key = PublicKey(records.kms.get_public_key(KeyId=records.key)["PublicKey"], "key")
    assert key.fits(b"of the other run", records.read(f"_heads/{TODAY}.sig"))


def test_refused_reading_signs_nothing(signer):
    def refuses(**_):
        raise refused("AccessDenied")

    with pytest.raises(ClientError, match="AccessDenied"):
        replace(signer, s3=SimpleNamespace(get_object=refuses)).sign(NOW)


def test_run_after_a_crash_signs_the_document_that_exists(records, signer, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(type(signer), "_signature", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            signer.sign(NOW)
    signer.sign(NOW)
    key = PublicKey(records.kms.get_public_key(KeyId=records.key)["PublicKey"], "key")
    assert key.fits(records.read(f"_heads/{TODAY}.json"), records.read(f"_heads/{TODAY}.sig"))


def test_documents_follow_each_other_and_are_copied_once(records, signer):
    signer.sign(NOW)
    assert signer.copy(records.copies) == [f"prod/{TODAY}.json", f"prod/{TODAY}.sig"]
    signer.sign(NOW + timedelta(days=1))
    heads = json.loads(records.read(f"_heads/{TOMORROW}.json"))
    assert heads["previous"] == {"date": TODAY, "digest": digest(records.read(f"_heads/{TODAY}.json"))}
    assert signer.copy(records.copies) == [f"prod/{TOMORROW}.json", f"prod/{TOMORROW}.sig"]
    assert records.read(f"prod/{TODAY}.json", records.anchor) == records.read(f"_heads/{TODAY}.json")


def test_audit_accepts_what_the_signer_wrote(records, signer):
    signer.sign(NOW)
    signer.copy(records.copies)
    key = PublicKey(records.kms.get_public_key(KeyId=records.key)["PublicKey"], "key")
    sources = Source(S3Objects(records, records.bucket)), Source(S3Objects(records, records.anchor), prefix="prod/")
    report = verify(*sources, key, place=("acme", "prod"), now=NOW)
    assert report.intact
    assert [(chain.model, chain.signed) for chain in report.chains] == [("", 1), ("churn", 2), ("fraud", 1)]
    assert len(report.heads) == 2


def test_handler_signs_and_copies(records, load, monkeypatch):
    monkeypatch.setenv("RECORDS_BUCKET", records.bucket)
    monkeypatch.setenv("SIGNING_KEY", records.key)
    function = load("record_signer")
    assert function.invoke({})["copied"] == []
    monkeypatch.setenv("ANCHOR_BUCKET", records.anchor)
    monkeypatch.setenv("ANCHOR_REGION", REGION)
    assert len(function.invoke({})["copied"]) == 2
    assert [line["message"] for line in function.logged()] == ["heads signed"] * 2
