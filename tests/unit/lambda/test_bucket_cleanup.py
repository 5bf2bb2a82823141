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


def test_end_of_time_fails_the_deletion_with_what_to_do(s3, cloud, modules):
    tag(s3, cloud)
    emptying = modules("bucket_cleanup", "emptying")["emptying"]
    with pytest.raises(TimeoutError, match="delete the stack again"):
        emptying.empty(cloud.bucket, "stack", lambda: 1000)
