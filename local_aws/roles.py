"""Roles for tests whose subject is not permissions."""

import json
from collections.abc import Sequence

import boto3

SERVICES = ("sagemaker", "lambda", "scheduler", "events", "codepipeline", "codebuild")


def create_role(session: boto3.Session, name: str, services: Sequence[str] = SERVICES) -> str:
    """Create a role that these services may assume and that may do everything; its ARN.

    `services` are the first parts of host names: `sagemaker` for sagemaker.amazonaws.com.
    """
    iam = session.client("iam")
    principal = {"Service": [f"{service}.amazonaws.com" for service in services]}
    trust = _document({"Principal": principal, "Action": "sts:AssumeRole"})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    everything = _document({"Action": "*", "Resource": "*"})
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=everything)
    return arn


def _document(statement: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
