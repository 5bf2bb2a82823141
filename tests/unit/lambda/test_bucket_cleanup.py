"""lambda/bucket_cleanup: empties a bucket that is marked for it, versions and delete markers included."""

import json

import botocore.client
import pytest

from .test_endpoint_cleanup import responses  # noqa: F401 (a fixture)

TAG = {"Key": "model-factory:delete-objects", "Value": "true"}


@pytest.fixture
def s3(cloud):
    client = cloud.client("s3")
    client.put_bucket_versioning(Bucket=cloud.bucket, VersioningConfiguration={"Status": "Enabled"})
    for content in (b"1", b"2"):
        client.put_object(Bucket=cloud.bucket, Key="rows", Body=content)
    client.delete_object(Bucket=cloud.bucket, Key="rows")
    return client


def tag(s3, cloud):
    s3.put_bucket_tagging(Bucket=cloud.bucket, Tagging={"TagSet": [TAG]})


def left(s3, cloud):
    answer = s3.list_object_versions(Bucket=cloud.bucket)
    return len(answer.get("Versions", [])) + len(answer.get("DeleteMarkers", []))


@pytest.fixture
def request_deletion(cloud, load, responses):  # noqa: F811
    function = load("bucket_cleanup")

    def send(kind="Delete", bucket=None):
        properties = {"BucketName": bucket or cloud.bucket}
        event = cloud.event("stack_deleted", ResponseURL=responses.url, ResourceProperties=properties)
        function.invoke(event | {"RequestType": kind, "PhysicalResourceId": properties["BucketName"]})
        return responses.received.pop()[0]

    return send


def test_deletion_empties_marked_bucket_and_closes_it(s3, cloud, request_deletion):
    tag(s3, cloud)
    answer = request_deletion()
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", cloud.bucket)
    assert left(s3, cloud) == 0
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=cloud.bucket)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:PutObject")
    s3.delete_bucket(Bucket=cloud.bucket)
    assert request_deletion()["Status"] == "SUCCESS"  # again, after the bucket is gone


def test_bucket_that_is_retained_keeps_its_objects(s3, cloud, request_deletion):
    """An update from `destroy` to `retain` removes the tag, then the custom resource."""
    assert request_deletion()["Status"] == "SUCCESS"
    assert left(s3, cloud) == 3


def test_creation_deletes_nothing(s3, cloud, request_deletion):
    tag(s3, cloud)
    assert request_deletion("Create")["Status"] == "SUCCESS"
    assert left(s3, cloud) == 3


def test_locked_version_fails_the_deletion(s3, cloud, request_deletion, monkeypatch):
    tag(s3, cloud)
    refused = {"Errors": [{"Key": "rows", "Code": "AccessDenied", "Message": "it is protected by object lock"}]}
    call = botocore.client.BaseClient._make_api_call
    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", _instead(call, "DeleteObjects", refused))
    answer = request_deletion()
    assert answer["Status"] == "FAILED"
    assert "AccessDenied: it is protected by object lock" in answer["Reason"]


def _instead(call, operation, answer):
    return lambda self, name, parameters: answer if name == operation else call(self, name, parameters)


@pytest.fixture
def emptying(s3, cloud, modules):
    tag(s3, cloud)
    return modules("bucket_cleanup", "emptying")["emptying"]


@pytest.mark.parametrize(("milliseconds", "is_enough"), [(24_999, False), (25_000, True)])
def test_end_of_time_fails_the_deletion_with_what_to_do(s3, cloud, emptying, milliseconds, is_enough):
    if is_enough:
        assert emptying.empty(cloud.bucket, "stack", lambda: milliseconds) == 3
        return
    with pytest.raises(TimeoutError, match="has more objects, 0 are deleted; delete the stack again"):
        emptying.empty(cloud.bucket, "stack", lambda: milliseconds)
    assert left(s3, cloud) == 3


def test_bucket_of_another_stack_keeps_its_objects(s3, cloud, emptying, monkeypatch):
    stacks = {"TagSet": [TAG, {"Key": "aws:cloudformation:stack-id", "Value": "mine"}]}
    call = botocore.client.BaseClient._make_api_call
    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", _instead(call, "GetBucketTagging", stacks))
    assert emptying.empty(cloud.bucket, "another", lambda: 60_000) == 0
    assert left(s3, cloud) == 3
    assert emptying.empty(cloud.bucket, "mine", lambda: 60_000) == 3


def test_version_that_s3_deletes_later_is_deleted_after_a_pause(s3, cloud, emptying, monkeypatch):
    pauses, call = [], botocore.client.BaseClient._make_api_call

    def slow_once(self, name, parameters):
        answer = call(self, name, parameters)
        if name == "DeleteObjects" and not pauses:
            s3.put_object(Bucket=cloud.bucket, Key="late", Body=b"")  # stands for the version that is still there
            return answer | {"Errors": [{"Key": "rows", "Code": "SlowDown"}]}
        return answer

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", slow_once)
    monkeypatch.setattr(emptying, "_refuse_writes", lambda *_: None)
    monkeypatch.setattr(emptying.time, "sleep", pauses.append)
    assert emptying.empty(cloud.bucket, "stack", lambda: 60_000) == 3
    assert (pauses, left(s3, cloud)) == ([1], 0)


def test_policy_of_bucket_keeps_its_statements(s3, cloud, emptying):
    own = {
        "Sid": "Own",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{cloud.bucket}/x",
    }
    s3.put_bucket_policy(Bucket=cloud.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [own]}))
    for _ in range(2):
        emptying.empty(cloud.bucket, "stack", lambda: 60_000)
        statements = json.loads(s3.get_bucket_policy(Bucket=cloud.bucket)["Policy"])["Statement"]
        assert [each["Sid"] for each in statements] == ["Own", "Deleting"]
    assert statements[0] == own


def test_refused_reading_of_tags_fails_the_deletion(s3, cloud, request_deletion, dies):
    tag(s3, cloud)
    with dies("GetBucketTagging", False, "Access Denied"):
        answer = request_deletion()
    assert (answer["Status"], left(s3, cloud)) == ("FAILED", 3)


@pytest.mark.parametrize("name", ["", "-rows", "Rows", "ro", "r" * 64, "rows/x"])
def test_name_that_is_no_buckets_fails_the_deletion(request_deletion, name):
    assert "BucketName: String should match pattern" in request_deletion(bucket=name or "/")["Reason"]


def test_throttled_deletions_are_repeated_eight_times(emptying):
    assert emptying._client("s3").meta.config.retries == {"mode": "standard", "total_max_attempts": 9}
