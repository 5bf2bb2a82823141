"""lambda/shared/records: records that are written once, also when two are written at the same time."""

from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

TIME = datetime(2026, 11, 26, 3, 0, 59, tzinfo=UTC)
PACKAGE = {
    "ModelPackageArn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/acme-prod-churn/1",
    "ModelPackageVersion": 1,
}


class S3:
    """S3 that answers the first writes with these errors."""

    def __init__(self, *codes):
        self.codes, self.keys = list(codes), []

    def put_object(self, Key, **_):
        self.keys.append(Key)
        if self.codes:
            raise ClientError({"Error": {"Code": self.codes.pop(0), "Message": ""}}, "PutObject")


@pytest.fixture
def records(modules):
    return modules("deploy", "shared.records")["shared.records"]


def test_object_that_exists_is_not_written_again(records):
    assert records.put_once(S3(), "s3://bucket/a.json", {})
    assert not records.put_once(S3("PreconditionFailed"), "s3://bucket/a.json", {})


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "AccessDenied"])
def test_write_that_may_have_failed_raises(records, code):
    """The other write of a conflict may fail yet: the message has to come again."""
    with pytest.raises(ClientError, match=code):
        records.put_once(S3(code), "s3://bucket/a.json", {})


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict"])
def test_second_record_of_a_second_has_the_next_name(records, code):
    s3 = S3(code)
    uri = records.write_record(s3, "s3://bucket/churn/", "approvals", PACKAGE, {}, time=TIME)
    assert s3.keys == ["churn/approvals/20261126T030059Z-v1.json", "churn/approvals/20261126T030100Z-v1.json"]
    assert uri == f"s3://bucket/{s3.keys[-1]}"


def test_record_that_s3_refuses_raises(records):
    with pytest.raises(ClientError, match="AccessDenied"):
        records.write_record(S3("AccessDenied"), "s3://bucket/churn/", "approvals", PACKAGE, {}, time=TIME)
