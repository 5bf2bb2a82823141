"""Clients of jobs, with the variables that a container has."""

import io

import boto3
import pytest

from jobs import s3


@pytest.mark.parametrize("service", ["s3", "sagemaker", "cloudwatch"])
def test_client_gets_region_of_container(monkeypatch, service):
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    assert s3.client(service).meta.region_name == "eu-west-1"


def test_lines_of_body_that_can_only_be_read_are_whole():
    """Botocore 1.38, of AWS's XGBoost image, has a body without `readinto`."""

    class Body:
        def __init__(self, content):
            self.read = io.BytesIO(content).read

    content = [b"a" * (s3.READ_BYTES + 5) + b"\n", b"\n", b"b"]
    assert list(s3.lines(Body(b"".join(content)))) == content
