"""Copies of S3 are what S3 makes."""

import base64
import hashlib

import pytest
from botocore.exceptions import ClientError

LARGE = b"x" * (6 << 20)


@pytest.fixture
def s3(client):
    made = client("s3")
    made.create_bucket(Bucket="copies", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    made.put_object(Bucket="copies", Key="source", Body=LARGE)
    yield made
    for entry in made.list_objects_v2(Bucket="copies")["Contents"]:
        made.delete_object(Bucket="copies", Key=entry["Key"])
    made.delete_bucket(Bucket="copies")


def test_copy_is_refused_where_object_exists(s3):
    request = {"Bucket": "copies", "Key": "target", "CopySource": "copies/source", "IfNoneMatch": "*"}
    copied = s3.copy_object(**request, ChecksumAlgorithm="SHA256")["CopyObjectResult"]
    assert copied["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(LARGE).digest()).decode()
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.copy_object(**request)


def test_part_of_copy_has_checksum(s3):
    upload = {"Bucket": "copies", "Key": "parts"}
    upload["UploadId"] = s3.create_multipart_upload(**upload, ChecksumAlgorithm="SHA256")["UploadId"]
    source = {"CopySource": "copies/source", "CopySourceRange": f"bytes=0-{(5 << 20) - 1}"}
    part = s3.upload_part_copy(**upload, PartNumber=1, **source)["CopyPartResult"]
    assert part["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(LARGE[: 5 << 20]).digest()).decode()
    s3.abort_multipart_upload(**upload)
