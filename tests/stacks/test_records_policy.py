"""The policy of the bucket for records, evaluated as S3 does."""

import json
from typing import Any

import pytest

from local_aws.authorization.conditions import Context
from local_aws.authorization.context import ABSENT
from local_aws.authorization.evaluation import Policies, Request, evaluate
from local_aws.authorization.policies import Principal, parse

ACCOUNT = "333333333333"
BUCKET = f"arn:aws:s3:::acme-prod-records-{ACCOUNT}-us-east-1"
ROLES = {"recorder": "acme-prod-recorder-use1", "signer": "acme-prod-record-signer-use1", "admin": "admin"}
RECORD, HEADS = "fraud/chain/9999999999-1.json", "_heads/2026-11-26.json"
WHOLE = {"s3:if-none-match": "*", "s3:ObjectCreationOperation": "true"}
OVER = {"s3:ObjectCreationOperation": "true"}
PART = {"s3:ObjectCreationOperation": "false"}
ANYTHING = parse("admin", json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}))


def statements(template, bucket):
    """The statements with an id in the policy of a bucket's physical name."""
    (policy,) = [
        each["PolicyDocument"]
        for each in template.all("S3::BucketPolicy")
        if template.resources[each["Bucket"]["Ref"]]["Properties"]["BucketName"] == bucket
    ]
    text = json.dumps([each for each in policy["Statement"] if "Sid" in each])
    ids = [logical for logical, each in template.resources.items() if each["Type"] == "AWS::S3::Bucket"]
    for logical in ids:
        arn = f"arn:aws:s3:::{template.resources[logical]['Properties']['BucketName']}"
        text = text.replace(f'{{"Fn::GetAtt": ["{logical}", "Arn"]}}', f'"{arn}"')
    return [{key: joined(value) for key, value in each.items()} for each in json.loads(text)]


def joined(value) -> Any:
    """A value without Fn::Join."""
    if isinstance(value, dict) and set(value) == {"Fn::Join"}:
        return "".join(value["Fn::Join"][1])
    return [joined(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def policy(foundation):
    document = {"Version": "2012-10-17", "Statement": statements(foundation, BUCKET.rpartition(":")[2])}
    return parse("records", json.dumps(document))


def allowed(policy, who, action, key, header):
    role = f"arn:aws:iam::{ACCOUNT}:role/{ROLES[who]}"
    session = Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLES[who]}/run", ACCOUNT, role)
    context = Context.of({"aws:PrincipalArn": role} | header, ABSENT)
    request = Request(session, action, f"{BUCKET}/{key}", context, ACCOUNT)
    return evaluate(request, Policies(identity=(ANYTHING,), resource=(policy,))).allowed


@pytest.mark.parametrize("header", [WHOLE, PART], ids=["whole", "part"])
@pytest.mark.parametrize(
    ("who", "key", "expected"),
    [
        ("recorder", RECORD, True),
        ("recorder", "_lineage/aa/1/x", True),
        ("recorder", HEADS, False),
        ("signer", HEADS, True),
        ("signer", RECORD, False),
        ("admin", RECORD, False),
        ("admin", HEADS, False),
    ],
)
def test_each_role_writes_its_own_keys_only(policy, who, key, expected, header):
    assert allowed(policy, who, "s3:PutObject", key, header) is expected


@pytest.mark.parametrize(("who", "key"), [("recorder", RECORD), ("signer", HEADS)])
def test_objects_are_not_written_over(policy, who, key):
    assert not allowed(policy, who, "s3:PutObject", key, OVER)


CHANGES = {
    "s3:DeleteObject": "writes a delete marker",
    "s3:DeleteObjectVersion": "deletes a version",
    "s3:PutObjectRetention": "changes the lock of a version",
    "s3:BypassGovernanceRetention": "deletes a locked version",
    "s3:PutObjectLegalHold": "takes a hold away",
}


@pytest.mark.parametrize("who", ROLES)
@pytest.mark.parametrize(
    "key", [RECORD, HEADS, "fraud/evidence/0a", "fraud/index/gate/20261126T030000Z-v7-1", "_lineage/aa/1/x"]
)
@pytest.mark.parametrize("action", CHANGES)
def test_nobody_changes_kept_records(policy, who, action, key):
    assert not allowed(policy, who, action, key, {})


def test_denials_are_those_of_the_policy(policy):
    """Without it, the same administrator may do all of it."""
    nothing = parse("nothing", json.dumps({"Statement": []}))
    for action in ("s3:PutObject", *CHANGES):
        assert allowed(nothing, "admin", action, RECORD, OVER)
        assert not allowed(policy, "admin", action, RECORD, OVER)


def test_only_the_cleanup_deletes_records_of_destroyed_environments(dev_foundation):
    (bucket,) = [p["BucketName"] for p in dev_foundation.all("S3::Bucket") if "-records-" in p.get("BucketName", "")]
    (stay,) = [each for each in statements(dev_foundation, bucket) if each["Sid"] == "RecordsStay"]
    assert stay["Condition"]["ArnNotEquals"]["aws:PrincipalArn"].endswith("role/acme-dev-bucket-cleanup-euw1")
