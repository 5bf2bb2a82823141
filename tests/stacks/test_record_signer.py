"""The keys and the function that sign heads of records and evidence, and the bucket of the anchor account."""

import pytest

ROLES = "arn:aws:iam::333333333333:role/"
SIGNER = "acme-prod-record-signer"
KEYS = {
    "heads": ("Signs the heads of the chains of records of acme-prod", "alias/acme-prod-records", f"{SIGNER}-use1"),
    "evidence": ("Signs the evidence of versions of acme-prod", "alias/acme-prod-evidence", "acme-prod-recorder-use1"),
}


@pytest.mark.parametrize("key", KEYS)
def test_signing_key_is_asymmetric_and_has_an_alias(foundation, key):
    description, alias, _ = KEYS[key]
    found = foundation.one("KMS::Key", Description=description, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    assert "EnableKeyRotation" not in found
    foundation.one("KMS::Alias", AliasName=alias)


@pytest.mark.parametrize("key", KEYS)
def test_only_one_role_may_sign_with_a_key(foundation, key):
    description, _, role = KEYS[key]
    key = foundation.one("KMS::Key", Description=description)
    administer, sign = key["KeyPolicy"]["Statement"]
    assert not [action for action in administer["Action"] if "Sign" in action or action.endswith("*")]
    assert (sign["Action"], sign["Effect"]) == ("kms:Sign", "Allow")
    assert sign["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": f"{ROLES}{role}"},
        "StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256"},
    }


def test_no_other_role_may_sign(foundation):
    signers = {
        role["RoleName"]
        for role in foundation.all("IAM::Role")
        if any("kms:Sign" in str(policy["PolicyDocument"]) for policy in role.get("Policies", []))
    }
    assert signers == {role for _, _, role in KEYS.values()}


def test_signer_writes_heads_only(foundation):
    (put,) = [each for each in foundation.statements(SIGNER) if "s3:PutObject" in each["Action"]]
    assert put["Resource"] == ["arn:aws:s3:::acme-prod-records-333333333333-us-east-1/_heads/*"]


def test_heads_are_signed_every_day(foundation):
    schedule = foundation.one("Scheduler::Schedule", Name=SIGNER)
    assert schedule["ScheduleExpression"] == "cron(30 23 * * ? *)"
    assert "RecordSigner" in str(schedule["Target"]["Arn"])
    assert "undelivered" in str(schedule["Target"]["DeadLetterConfig"])
    (invoke,) = [s for s in foundation.statements("acme-prod-scheduler") if "lambda:InvokeFunction" in s["Action"]]
    assert f"arn:aws:lambda:us-east-1:333333333333:function:{SIGNER}" in invoke["Resource"]


def test_failed_signature_notifies(foundation):
    alarm = foundation.one("CloudWatch::Alarm", AlarmName=f"{SIGNER}-errors")
    assert alarm["AlarmActions"] == ["arn:aws:sns:us-east-1:333333333333:acme-prod-alerts"]


def test_without_anchor_nothing_is_copied(foundation, isolated_foundation):
    own, copying = (
        template.one("Lambda::Function", FunctionName=name)["Environment"]["Variables"]
        for template, name in ((foundation, SIGNER), (isolated_foundation, "acme-vault-record-signer"))
    )
    assert "ANCHOR_BUCKET" not in own
    assert copying["ANCHOR_BUCKET"] == "acme-anchor-heads-888888888888-eu-west-1"
    statements = isolated_foundation.statements("acme-vault-record-signer")
    written = [resource for each in statements if "s3:PutObject" in each["Action"] for resource in each["Resource"]]
    assert "arn:aws:s3:::acme-anchor-heads-888888888888-eu-west-1/vault/*" in written


def test_anchor_locks_copies_so_that_nobody_can_delete_them(anchor):
    bucket = anchor.resource("S3::Bucket", BucketName="acme-anchor-heads-888888888888-eu-west-1")
    rule = bucket["Properties"]["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert rule == {"Mode": "COMPLIANCE", "Days": 3653}
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"


def test_each_signer_puts_new_copies_below_its_environment(anchor):
    (policy,) = [each for each in anchor.all("S3::BucketPolicy") if "OnlyNewObjects" in str(each)]
    statements = {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"] if "Sid" in each}
    assert statements["OnlyNewObjects"]["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    assert statements["OnlyNewObjects"]["Effect"] == "Deny"
    vault = statements["SignerVault"]
    assert (vault["Action"], vault["Resource"]["Fn::Join"][1][1]) == ("s3:PutObject", "/vault/*")
    role = "arn:aws:iam::444444444444:role/acme-vault-record-signer-euc1"
    assert vault["Condition"]["ArnEquals"]["aws:PrincipalArn"] == role
    assert statements["ListShared"]["Condition"] == {"StringLike": {"s3:prefix": ["shared/*"]}}
