"""Copies of signed heads in another account: an administrator who writes a chain and its heads anew is named."""

import copy
import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from moto.s3.models import s3_backends

from local_aws.bootstrap import bootstrap_places
from model_factory.functions.shared.chain import digest, encode, index_key
from model_factory.functions.shared.heads import Head, document, heads_key, signature_key
from model_factory.ops.project import Project
from model_factory.ops.records.audit import Report
from model_factory.ops.records.chain import Entry
from model_factory.ops.records.request import Request, make_report
from model_factory.ops.waiting import wait_for

from .auditor import auditor

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
ANCHOR = ("777777777777", "eu-west-1")


@pytest.fixture(scope="module")
def anchored(live):
    """The factory with an anchor in another account, and today's heads copied there; without it afterwards."""
    file = live.root / "factory.yaml"
    before = file.read_text()
    file.write_text(f'{before}anchor: {{account: "{ANCHOR[0]}", region: {ANCHOR[1]}}}\n')
    bootstrap_places(live.local, [ANCHOR])
    live.deploy("test-anchor", "test-prod-foundation", output="cdk.out.anchor")
    s3 = live.local.accounts.client("s3", *ANCHOR)
    time = datetime.now(UTC) + timedelta(seconds=1)
    live.control("tick", schedule=f"{live.session.names.prefix}-record-signer", time=time.isoformat())
    bucket = f"test-anchor-heads-{ANCHOR[0]}-{ANCHOR[1]}"
    copied = wait_for("the copies", lambda: s3.list_objects_v2(Bucket=bucket, Prefix="prod/").get("Contents"), 120)
    assert [each["Key"].rpartition(".")[2] for each in copied] == ["json", "sig"]
    yield Project(live.root)
    file.write_text(before)
    live.deploy("test-prod-foundation", output="cdk.out.anchor")


def audit(project: Project) -> Report:
    return make_report(project.environment("prod"), Request(), lambda *_: None)


def findings(report: Report) -> list[str]:
    everything = [*report.findings, *(each for chain in report.chains for each in chain.findings)]
    return [f"{each.key}: {each.what}" for each in everything]


@pytest.fixture
def forged(live, anchored):
    """Prod's bucket after its administrator wrote the signed end of a chain, its marker and the heads anew."""
    names = live.session.names
    report = audit(anchored)
    signed = max(report.heads, key=lambda each: each.date)
    (entry,) = [
        each for chain in report.chains for each in chain.entries
        if chain.model == live.model and each.sequence == signed.chains[live.model].sequence
    ]  # fmt: skip
    keys = s3_backends[names.account]["aws"].buckets[names.bucket("records")].keys
    saved = {key: copy.deepcopy(keys.getlist(key)) for key in keys}
    forge(live, signed, entry)
    yield signed
    for key in list(keys):
        keys.pop(key)
    for key, versions in saved.items():
        keys.setlist(key, versions)


def forge(live, signed, entry: Entry) -> None:
    """Delete every version, then write: the policy of the bucket and of the key do not bind who may change them."""
    s3, kms, names = live.client("s3"), live.client("kms"), live.session.names
    bucket, head = names.bucket("records"), heads_key(signed.date)

    def replace(key: str, content: bytes) -> None:
        for each in s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", []):
            s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
        s3.put_object(Bucket=bucket, Key=key, Body=content)

    record = entry.record | {"facts": {"outcome": "as it never was"}, "recorded": datetime.now(UTC).isoformat()}
    replace(entry.key, encode(record))
    replace(index_key(record), b"")
    heads = {name: Head(each.sequence, each.digest) for name, each in signed.chains.items()}
    heads[live.model] = Head(entry.sequence, digest(encode(record)))
    original = json.loads(s3.get_object(Bucket=bucket, Key=head)["Body"].read())
    content = document(
        signed.time, heads, factory=names.factory, environment=names.environment, key=original["key"],
        previous=signed.previous,
    )  # fmt: skip
    signature = kms.sign(KeyId=original["key"], Message=content, MessageType="RAW", SigningAlgorithm="ECDSA_SHA_256")[
        "Signature"
    ]
    replace(head, content)
    replace(signature_key(head), signature)


def test_heads_are_verified_against_their_copies(live, anchored, tmp_path, monkeypatch):
    report = audit(anchored)
    assert findings(report) == []
    assert {each.where.split("/")[2] for each in report.heads} == {
        live.session.names.bucket("records"), f"test-anchor-heads-{ANCHOR[0]}-{ANCHOR[1]}"
    }  # fmt: skip
    with auditor(live, tmp_path, monkeypatch, "audit") as run:
        code, text = run()
    assert code == 0, text


def test_chain_and_heads_written_anew_are_named(forged, anchored):
    found = findings(audit(anchored))
    assert any("it differs from its copy in the anchor" in each for each in found), found
    assert any("the chain was written anew" in each for each in found), found


@pytest.mark.parametrize("prefix", ["prod/", "dev/"])
def test_administrator_of_prod_writes_nothing_into_the_anchor(live, anchored, prefix):
    """With every permission in the own account: the bucket's policy names the role of the signer alone."""
    iam, role = live.client("iam"), live.session.names.iam_arn("role/mallory")
    trust = {"Effect": "Allow", "Principal": {"AWS": live.session.names.account}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="mallory", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    iam.put_role_policy(RoleName="mallory", PolicyName="all", PolicyDocument=json.dumps(everything))
    try:
        s3 = live.local.accounts.role_client("s3", role, ANCHOR[1])
        bucket = f"test-anchor-heads-{ANCHOR[0]}-{ANCHOR[1]}"
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object(Bucket=bucket, Key=f"{prefix}2026-01-01.json", Body=b"", IfNoneMatch="*")
    finally:
        iam.delete_role_policy(RoleName="mallory", PolicyName="all")
        iam.delete_role(RoleName="mallory")
