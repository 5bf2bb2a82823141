"""ListObjectVersions lists what it did before, and copies no versions that are not asked for."""

import boto3
import pytest
from moto import mock_aws
from moto.s3 import models

from local_aws import object_versions
from local_aws.patches import Patches


@pytest.fixture
def s3(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    patches = Patches()
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="versions")
        client.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
        for key in ("a/1", "a/2", "a/b/1", "z"):
            client.put_object(Bucket="versions", Key=key, Body=b"old")
            client.put_object(Bucket="versions", Key=key, Body=b"new")
        client.delete_object(Bucket="versions", Key="a/2")
        yield client, lambda: object_versions.install(patches)
    patches.undo()


def everything(s3, **request):
    """What the pages have: keys, versions, whether they are the latest, and common prefixes."""
    found = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket="versions", **request):
        for kind in ("Versions", "DeleteMarkers"):
            found += [(kind, each["Key"], each["VersionId"], each["IsLatest"]) for each in page.get(kind, [])]
        found += [each["Prefix"] for each in page.get("CommonPrefixes", [])]
    return found


def test_versions_are_listed_as_before(s3):
    client, install = s3
    requests = [{}, {"Prefix": "a/"}, {"Prefix": "a/2"}, {"Delimiter": "/"}, {"PaginationConfig": {"PageSize": 3}}]
    before = [everything(client, **request) for request in requests]
    install()
    assert [everything(client, **request) for request in requests] == before
    assert [each[1] for each in before[2]] == ["a/2"] * 3


def test_other_versions_are_not_copied(s3, monkeypatch):
    client, install = s3
    install()
    monkeypatch.setattr(models.FakeKey, "__getstate__", lambda _: pytest.fail("a version was copied"))
    assert len(everything(client, Prefix="a/1")) == 2
