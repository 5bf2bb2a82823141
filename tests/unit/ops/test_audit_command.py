"""The command `audit` on buckets of moto."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID

from model_factory.functions.shared.chain import digest, encode, record_key
from model_factory.functions.shared.heads import Head, document, heads_key, signature_key
from model_factory.ops.records.request import read_since

from .chains import MemoryObjects, write

BUCKET = f"acme-prod-records-{DEFAULT_ACCOUNT_ID}-eu-west-1"
EVENTS = ({"kind": "training", "version": None}, {"kind": "approval", "version": 2}, {"evidence": {"manifest": b"{}"}})


@pytest.fixture
def s3(aws):
    """The records bucket of the environment prod, with three records of churn and signed heads."""
    s3 = boto3.client("s3", region_name="eu-west-1")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    objects = MemoryObjects()
    objects.now = datetime.now(UTC)
    newest = write(objects, "churn", *EVENTS, step=timedelta())[-1]
    kms = boto3.client("kms", region_name="eu-west-1")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/acme-prod-records", TargetKeyId=key)
    heads = {"churn": Head(3, digest(encode(newest)))}
    content = document(objects.now, heads, factory="acme", environment="prod", key=key, previous=None)
    name = heads_key(f"{objects.now:%Y-%m-%d}")
    objects.put(name, content)
    signature = kms.sign(KeyId=key, Message=content, SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    objects.put(signature_key(name), signature)
    for each in objects.objects:
        s3.put_object(Bucket=BUCKET, Key=each, Body=objects.read(each) or b"")
    return s3


@pytest.fixture
def audit(project, run):
    return lambda *options: run("audit", "--project", str(project), *options)


def test_intact_records_are_listed_with_exit_code_0(s3, audit):
    code, printed, mistakes = audit()
    assert (code, mistakes) == (0, "")
    lines = printed.splitlines()
    assert [line.split()[2:5] for line in lines[:3]] == [
        ["churn", "1", "training"],
        ["churn", "2", "approval"],
        ["churn", "3", "deployment"],
    ]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert lines[-4:] == [
        "_environment: 0 records, 0 files, intact; not signed yet",
        f"churn: 3 records, 1 file, intact; all signed on {today}",
        f"signed heads: 1 day, newest {today}",
        "nothing is wrong",
    ]


def test_kinds_and_versions_choose_what_is_listed(s3, audit):
    assert audit("churn", "--kind", "approval", "--since", "7d")[1].count("\n") == 4
    found = json.loads(audit("--version", "2", "--json")[1])
    assert [each["record"]["kind"] for each in found["records"]] == ["approval"]
    assert (found["intact"], found["chains"][1]["signed"]) == (True, 3)


def test_changed_record_is_named_with_exit_code_1(s3, audit):
    s3.put_object(Bucket=BUCKET, Key=record_key("churn", 2), Body=b"{}")
    code, printed, mistakes = audit("churn", "--no-verify")
    assert code == 1
    assert mistakes.startswith(f"{record_key('churn', 2)}: it was put over: 2 versions")
    assert printed.endswith("1 wrong; files, markers and heads not verified\n1 thing wrong\n")


def test_rewritten_chain_contradicts_the_signed_head(s3, audit):
    s3.delete_object(Bucket=BUCKET, Key=(key := record_key("churn", 3)), VersionId=_only_version(s3, key))
    code, _, mistakes = audit("churn")
    assert code == 1
    assert "record 3 is missing, but is signed in s3://" in mistakes


def _only_version(s3, key: str) -> str:
    return s3.list_object_versions(Bucket=BUCKET, Prefix=key)["Versions"][0]["VersionId"]


def test_signature_of_another_key_is_named(s3, audit, tmp_path):
    kms = boto3.client("kms", region_name="eu-west-1")
    other = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    (tmp_path / "key.der").write_bytes(kms.get_public_key(KeyId=other)["PublicKey"])
    code, _, mistakes = audit("--public-key", str(tmp_path / "key.der"))
    assert code == 1
    assert "its signature does not fit the public key" in mistakes


def test_heads_without_a_key_are_named(s3, audit):
    boto3.client("kms", region_name="eu-west-1").delete_alias(AliasName="alias/acme-prod-records")
    code, _, mistakes = audit()
    assert code == 1
    assert "signed heads cannot be verified: KMS has no key alias/acme-prod-records; give --public-key" in mistakes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("chrun",), "there is no model 'chrun' in"),
        (("chrun",), "(did you mean 'churn'?)"),
        (("--env", "prd"), "(did you mean 'prod'?)"),
        (("--since", "yesterday"), "--since 'yesterday' is no age such as 7d or 12h"),
        (("--kind", "deploy"), "there is no kind of record 'deploy' (did you mean 'deployment'?)"),
        (("--public-key", "missing.pem"), "--public-key missing.pem: No such file or directory"),
        (("--public-key", __file__), "is no public key in PEM or DER"),
    ],
)
def test_mistakes_have_exit_code_2(s3, audit, options, message):
    code, _, mistakes = audit(*options)
    assert code == 2
    assert message in mistakes


def test_environment_without_bucket_is_not_deployed(aws, audit):
    code, _, mistakes = audit()
    assert code == 2
    assert f"environment 'prod' has no bucket {BUCKET}; deploy it first" in mistakes


def test_since_takes_ages_and_times():
    now = datetime(2026, 11, 8, tzinfo=UTC)
    assert read_since("7d", now) == read_since("2026-11-01", now) == datetime(2026, 11, 1, tzinfo=UTC)
    assert read_since("12h", now) == read_since("2026-11-07T13:00+01:00", now)
