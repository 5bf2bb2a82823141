"""Clients of jobs, with the variables that a container has."""

import boto3
import pytest

from jobs import s3


@pytest.mark.parametrize("service", ["s3", "sagemaker", "cloudwatch"])
def test_client_gets_region_of_container(monkeypatch, service):
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    assert s3.client(service).meta.region_name == "eu-west-1"
