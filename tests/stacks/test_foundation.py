"""Buckets and key of an environment: the stack with its shared resources."""

import pytest
from aws_cdk.assertions import Match

BUCKETS = ["data", "artifacts", "records", "logs"]
PROD = "333333333333-us-east-1"


@pytest.fixture(params=BUCKETS)
def bucket(request):
    """Name of a bucket."""
    return f"acme-prod-{request.param}-{PROD}"


def test_buckets_are_versioned_encrypted_and_private(bucket, foundation):
    blocked = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    foundation.cdk.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "BucketName": bucket,
            "VersioningConfiguration": {"Status": "Enabled"},
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [Match.any_value()]},
            "PublicAccessBlockConfiguration": Match.object_equals(dict.fromkeys(blocked, True)),
        },
    )


def test_buckets_require_tls(foundation):
    denied = {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    foundation.cdk.resource_count_is("AWS::S3::BucketPolicy", len(BUCKETS))
    foundation.cdk.all_resources_properties(
        "AWS::S3::BucketPolicy", {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(denied)])}}
    )


def test_retained_records_are_locked_for_a_year(foundation, dev_foundation):
    foundation.cdk.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "BucketName": f"acme-prod-records-{PROD}",
            "ObjectLockConfiguration": {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 365}}},
        },
    )
    dev_foundation.cdk.has_resource_properties(
        "AWS::S3::Bucket",
        {"BucketName": "acme-dev-records-111111111111-eu-west-1", "ObjectLockConfiguration": Match.absent()},
    )


def test_compliance_mode_locks_records(isolated_foundation):
    isolated_foundation.cdk.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "BucketName": "acme-vault-records-444444444444-eu-central-1",
            "ObjectLockConfiguration": {"Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}}},
        },
    )


def test_incomplete_uploads_are_aborted_after_a_week(bucket, foundation):
    rule = Match.object_like({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}})
    foundation.cdk.has_resource_properties(
        "AWS::S3::Bucket", {"BucketName": bucket, "LifecycleConfiguration": {"Rules": Match.array_with([rule])}}
    )


@pytest.mark.parametrize(("purpose", "folder"), [("data", "captured"), ("artifacts", "monitor")])
def test_captured_requests_and_reports_expire(foundation, purpose, folder):
    rule = {
        "Prefix": f"churn/{folder}/",
        "ExpirationInDays": 365,
        "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
        "Status": "Enabled",
    }
    foundation.cdk.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "BucketName": f"acme-prod-{purpose}-{PROD}",
            "LifecycleConfiguration": {"Rules": Match.array_with([Match.object_like(rule)])},
        },
    )


def test_rebuilds_expire_after_a_month(foundation):
    bucket = foundation.one("S3::Bucket", BucketName=f"acme-prod-artifacts-{PROD}")
    (rule,) = [each for each in bucket["LifecycleConfiguration"]["Rules"] if each.get("Prefix") == "_rebuilds/"]
    assert (rule["ExpirationInDays"], rule["NoncurrentVersionExpiration"]) == (30, {"NoncurrentDays": 7})


def test_access_to_buckets_is_logged(foundation):
    logged = [each for each in foundation.all("S3::Bucket") if "LoggingConfiguration" in each]
    assert [each["LoggingConfiguration"]["LogFilePrefix"] for each in logged] == ["data/", "artifacts/", "records/"]


@pytest.mark.parametrize(("stack", "policy"), [("foundation", "RetainExceptOnCreate"), ("dev_foundation", "Delete")])
def test_removal_sets_deletion_policy_of_data(request, stack, policy):
    template = request.getfixturevalue(stack)
    for kind, count in (("AWS::S3::Bucket", len(BUCKETS)), ("AWS::KMS::Key", 3)):
        template.cdk.resource_count_is(kind, count)
        template.cdk.all_resources(kind, {"DeletionPolicy": policy})


def test_versions_of_data_do_not_expire(foundation):
    """Manifests of trainings name them."""
    bucket = foundation.one("S3::Bucket", BucketName=f"acme-prod-data-{PROD}")
    everything, *others = bucket["LifecycleConfiguration"]["Rules"]
    assert "Prefix" not in everything
    assert "NoncurrentVersionExpiration" not in everything
    assert everything["NoncurrentVersionTransitions"]
    assert all("/captured/" in rule["Prefix"] for rule in others)


def test_rows_of_trainings_expire(foundation):
    bucket = foundation.one("S3::Bucket", BucketName=f"acme-prod-artifacts-{PROD}")
    (rule,) = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if rule.get("Prefix") == "_rows/"]
    assert (rule["ExpirationInDays"], rule["NoncurrentVersionExpiration"]) == (30, {"NoncurrentDays": 7})


def test_key_rotates(foundation):
    foundation.cdk.has_resource_properties("AWS::KMS::Key", {"EnableKeyRotation": True})
    foundation.cdk.has_resource_properties("AWS::KMS::Alias", {"AliasName": "alias/acme-prod"})
