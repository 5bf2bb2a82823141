"""Authorization beyond the caller's policies: encryption keys, other accounts, services as callers."""

import pytest

from local_aws.authorization import AccessDeniedError

from .conftest import ACCOUNT, OTHER, REGION, allow, credentials_of, document, lambda_session, refusal


@pytest.fixture
def encrypted(local, bucket):
    """The bucket's default encryption is with a key that leaves permissions to its account's policies."""
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    kms = local.client("kms")
    key = kms.create_key(Policy=document(allow("kms:*", "*", Principal=root)))["KeyMetadata"]["Arn"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    bucket.put_bucket_encryption(Bucket="records", ServerSideEncryptionConfiguration={"Rules": [rule]})
    bucket.put_object(Bucket="records", Key="secret", Body=b"s")
    return key


def test_encrypted_bucket_requires_key_permission(local, encrypted):
    s3_only = local.client("s3", local.session(local.role("s3-only", allow(["s3:GetObject", "s3:PutObject"], "*"))))
    _, message = refusal(s3_only.put_object, Bucket="records", Key="k", Body=b"")
    assert f"kms:GenerateDataKey on resource: {encrypted} because no identity-based" in message
    _, message = refusal(s3_only.get_object, Bucket="records", Key="secret")
    assert f"kms:Decrypt on resource: {encrypted}" in message
    assert s3_only.get_object(Bucket="records", Key="a/1.json")  # from before the bucket was encrypted
    via_s3 = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    keyed = allow(["kms:GenerateDataKey", "kms:Decrypt"], encrypted, Condition=via_s3)
    s3 = local.client("s3", lambda_session(local, allow(["s3:GetObject", "s3:PutObject"], "*"), keyed))
    s3.put_object(Bucket="records", Key="k", Body=b"")
    assert s3.get_object(Bucket="records", Key="secret")["Body"].read() == b"s"


def test_grant_allows_operations_within_constraints(local, encrypted):
    role = local.role("worker", allow("s3:GetObject", "*"))
    s3 = local.client("s3", local.session(role))
    refusal(s3.get_object, Bucket="records", Key="secret")
    constraints = {"EncryptionContextSubset": {"aws:s3:arn": "arn:aws:s3:::records/secret"}}
    local.client("kms").create_grant(
        KeyId=encrypted, GranteePrincipal=role, Operations=["Decrypt"], Constraints=constraints
    )
    assert s3.get_object(Bucket="records", Key="secret")
    local.client("s3").put_object(Bucket="records", Key="other", Body=b"")
    refusal(s3.get_object, Bucket="records", Key="other")


def test_alias_is_authorized_as_its_key(local, encrypted):
    local.client("kms").create_alias(AliasName="alias/own", TargetKeyId=encrypted)
    kms = local.client("kms", lambda_session(local, allow("kms:Encrypt", encrypted)))
    assert kms.encrypt(KeyId="alias/own", Plaintext=b"x")["KeyId"] == encrypted


def test_key_policy_limits_signing_to_one_role_and_algorithm(local):
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    conditions = {
        "ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/signer"},
        "StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256", "kms:MessageType": "DIGEST"},
    }
    administer = allow(["kms:PutKeyPolicy", "kms:GetPublicKey"], "*", Principal=root)
    policy = document(administer, allow("kms:Sign", "*", Principal=root, Condition=conditions))
    kms = local.client("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Policy=policy)["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/signing", TargetKeyId=key)
    signer, other = (
        local.client("kms", local.session(local.role(name, allow("kms:Sign", "*")))) for name in ("signer", "other")
    )
    request = {"KeyId": key, "Message": b"d" * 32, "SigningAlgorithm": "ECDSA_SHA_256"}
    assert signer.sign(**request, MessageType="DIGEST")["Signature"]
    assert "kms:Sign on resource" in refusal(signer.sign, **request, MessageType="RAW")[1]
    assert "kms:Sign on resource" in refusal(other.sign, **request, MessageType="DIGEST")[1]
    by_alias = allow("kms:GetPublicKey", "*", Condition={"StringEquals": {"kms:RequestAlias": "alias/signing"}})
    reader = local.client("kms", lambda_session(local, by_alias))
    assert reader.get_public_key(KeyId="alias/signing")["PublicKey"]
    refusal(reader.get_public_key, KeyId=key)


def test_encrypted_queue_requires_key_permission(local, encrypted):
    queue = local.client("sqs").create_queue(QueueName="q", Attributes={"KmsMasterKeyId": encrypted})["QueueUrl"]
    sqs = local.client("sqs", lambda_session(local, allow("sqs:SendMessage", "*")))
    _, message = refusal(sqs.send_message, QueueUrl=queue, MessageBody="m")
    assert "kms:GenerateDataKey" in message


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([("app", "Alert")], None),
        ([("app", "Other")], "AccessDenied"),
        ([("app", "Alert"), ("b", "Alert")], "AccessDenied"),
    ],
)
def test_events_are_authorized_by_source_and_type(local, entries, expected):
    conditions = {
        "StringEquals": {"events:source": "app", "events:detail-type": "Alert"},
        "Bool": {"events:eventBusInvocation": "false"},
    }
    bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    events = local.client("events", lambda_session(local, allow("events:PutEvents", bus, Condition=conditions)))
    put = [{"Source": source, "DetailType": kind, "Detail": "{}"} for source, kind in entries]
    if expected:
        code, message = refusal(events.put_events, Entries=put)
        assert code.startswith(expected)
        assert f"events:PutEvents on resource: {bus} because" in message
    else:
        assert events.put_events(Entries=put)["FailedEntryCount"] == 0


# Across accounts


def test_cross_account_bucket_requires_both_policies(local):
    other_account = local.client("s3", local.admin_of(OTHER))
    other_account.create_bucket(Bucket="prod")
    other_account.put_object(Bucket="prod", Key="k", Body=b"p")
    role = local.role("worker", allow("s3:GetObject", "*"))
    s3 = local.client("s3", local.session(role))
    _, message = refusal(s3.get_object, Bucket="prod", Key="k")
    assert message.endswith("because no resource-based policy allows the s3:GetObject action")
    other_account.put_bucket_policy(Bucket="prod", Policy=document(allow("s3:GetObject", "*", Principal={"AWS": role})))
    assert s3.get_object(Bucket="prod", Key="k")["Body"].read() == b"p"
    unprivileged = local.client("s3", local.session(local.role("idle")))
    refusal(unprivileged.get_object, Bucket="prod", Key="k")


def test_assume_role_requires_trust_and_external_id(local):
    worker = local.role("worker", allow("sts:AssumeRole", "*"))
    trust = allow(
        "sts:AssumeRole", None, Principal={"AWS": worker}, Condition={"StringEquals": {"sts:ExternalId": "42"}}
    )
    target = local.role("deployer", account=OTHER, trust=trust)
    closed = local.role("closed", account=OTHER)
    sts = local.client("sts", local.session(worker))
    refusal(sts.assume_role, RoleArn=target, RoleSessionName="run")
    refusal(sts.assume_role, RoleArn=closed, RoleSessionName="run", ExternalId="42")
    answer = sts.assume_role(RoleArn=target, RoleSessionName="run", ExternalId="42")
    identity = local.client("sts", credentials_of(answer)).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/deployer/run"


def test_service_requires_queue_policy_and_key_policy(local, encrypted):
    source = {"aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r", "aws:SourceAccount": ACCOUNT}
    events = {"Service": "events.amazonaws.com"}
    from_rule = {"ArnEquals": {"aws:SourceArn": source["aws:SourceArn"]}}
    attributes = {
        "KmsMasterKeyId": encrypted,
        "Policy": document(allow("sqs:SendMessage", "*", Principal=events, Condition=from_rule)),
    }
    queue = local.client("sqs").create_queue(QueueName="q", Attributes=attributes)["QueueUrl"]

    def send(keys):
        local.authorization.check_call(
            "events.amazonaws.com", "sqs", "SendMessage", {"QueueUrl": queue}, REGION, keys=keys
        )

    with pytest.raises(AccessDeniedError, match="sqs:SendMessage"):
        send({})
    with pytest.raises(AccessDeniedError, match="kms:GenerateDataKey"):
        send(source)
    usable = allow(["kms:GenerateDataKey", "kms:Decrypt"], "*", Principal=events)
    local.client("kms").put_key_policy(KeyId=encrypted, PolicyName="default", Policy=document(usable))
    send(source)
