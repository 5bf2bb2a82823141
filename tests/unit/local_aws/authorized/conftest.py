"""One embedded AWS for all tests of this folder: moto keeps its state, and its resource types, in the process."""

import boto3
import pytest
from botocore.config import Config

from local_aws.server import LocalAws

REGION = "eu-west-1"


@pytest.fixture(scope="session")
def local(tmp_path_factory):
    with LocalAws(tmp_path_factory.mktemp("state")) as local:
        yield local


@pytest.fixture
def client(local):
    made = {"aws_access_key_id": "root", "aws_secret_access_key": "root", "region_name": REGION}
    config = Config(retries={"total_max_attempts": 1})
    return lambda service: boto3.client(service, endpoint_url=local.endpoint_url, config=config, **made)
