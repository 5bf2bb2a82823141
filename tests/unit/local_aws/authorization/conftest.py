"""A moto server in this process behind authorization, with clients of administrators and roles."""

import json
import threading
from dataclasses import dataclass
from functools import cache

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.backends import get_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from local_aws import once
from local_aws.authorization import Authorization, install
from local_aws.patches import Patches

ADMIN = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "test"}
REGION = "us-east-1"
ACCOUNT = "123456789012"
OTHER = "444455556666"


@cache
def _client(service, url, credentials, config):
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, **dict(config))
    return boto3.client(service, endpoint_url=url, region_name=REGION, config=config, **dict(credentials))


@dataclass
class Local:
    """Clients for the server."""

    authorization: Authorization
    url: str = ""

    def client(self, service, credentials=ADMIN, **config):
        return _client(service, self.url, *map(tuple, (credentials.items(), config.items())))

    def role(self, name, *statements, account=ACCOUNT, trust=None, boundary=None):
        """A role with these statements as its inline policy."""
        iam = self.client("iam", self.admin_of(account))
        trust = trust or allow("sts:AssumeRole", None, Principal={"Service": "lambda.amazonaws.com"})
        extra = {"PermissionsBoundary": boundary} if boundary else {}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust), **extra)["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document(*statements))
        return arn

    def session(self, role_arn, policy=None):
        """Credentials of a session of the role, as the administrator hands them to functions."""
        extra = {"Policy": policy} if policy else {}
        answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="run", **extra)
        return credentials_of(answer)

    def admin_of(self, account):
        if account == ACCOUNT:
            return ADMIN
        return self.session(f"arn:aws:iam::{account}:role/nobody-made-this")


def credentials_of(answer):
    found = answer["Credentials"]
    return {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }


def allow(actions, resources, **more):
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources, **more}
    return {key: value for key, value in statement.items() if value is not None}


def deny(actions, resources, **more):
    return {**allow(actions, resources, **more), "Effect": "Deny"}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def refusal(call, *args, **kwargs):
    with pytest.raises(ClientError) as error:
        call(*args, **kwargs)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def lambda_session(local, *statements, **more):
    return local.session(local.role("worker", *statements, **more))


@pytest.fixture(scope="session")
def server():
    patches = Patches()
    once.install(patches)
    local = Local(install(patches))
    application = local.authorization.middleware(DomainDispatcherApplication(create_backend_app))
    running = make_server("localhost", 0, application, threaded=True)
    local.url = f"http://localhost:{running.port}"
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield local
    running.shutdown()
    patches.undo()


@pytest.fixture
def local(server):
    for service in ("s3", "sqs", "sns", "kms", "iam", "sts", "cloudwatch", "ec2"):
        get_backend(service).reset()
    server.authorization.reset()
    return server


@pytest.fixture
def bucket(local):
    s3 = local.client("s3")
    s3.create_bucket(Bucket="records")
    s3.put_object(Bucket="records", Key="a/1.json", Body=b"{}")
    return s3
