"""One embedded AWS for all tests of this folder: moto keeps its state, and its resource types, in the process."""

import io
import json
import zipfile
from functools import cache

import boto3
import pytest
from botocore.config import Config

from local_aws.server import LocalAws

REGION = "eu-west-1"
ACCOUNT = "123456789012"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})


def trust(service):
    return document({"Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"})


def handler_zip():
    """The code of a function that prints and returns."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", "def handle(event, context):\n    print('it ran')\n    return 'done'\n")
    return content.getvalue()


@pytest.fixture(scope="session")
def local(tmp_path_factory):
    with LocalAws(tmp_path_factory.mktemp("state")) as local:
        yield local


@pytest.fixture(scope="session")
def client(local):
    made = {"aws_access_key_id": "root", "aws_secret_access_key": "root", "region_name": REGION}
    config = Config(retries={"total_max_attempts": 1})
    return cache(lambda service: boto3.client(service, endpoint_url=local.endpoint_url, config=config, **made))


@pytest.fixture
def role(client):
    """Creates roles, which are deleted after the test."""
    iam, made = client("iam"), []

    def make(*statements, service="sagemaker", name="worker"):
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=document(*statements))
        made.append(name)
        return arn

    yield make
    for name in made:
        iam.delete_role_policy(RoleName=name, PolicyName="work")
        iam.delete_role(RoleName=name)


@pytest.fixture
def queue(client):
    """Creates queues that a service may send to, each with a function that reads it."""
    sqs, made = client("sqs"), []

    def make(name, service=None, **condition):
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        statement = {"Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": arn, **condition}
        attributes = {"Policy": document(statement)} if service else {}
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        made.append(url)
        read = lambda: [m["Body"] for m in sqs.receive_message(QueueUrl=url).get("Messages", [])]  # noqa: E731
        return arn, read

    yield make
    for url in made:
        sqs.delete_queue(QueueUrl=url)
