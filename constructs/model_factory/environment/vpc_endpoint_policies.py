"""Policies of the VPC endpoints: they allow the calls of the factory's roles, to principals of this account only."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Fn
from aws_cdk import aws_iam as iam

from ..core.names import Arns, EnvironmentNames, is_token
from ..core.permissions import allow

INTERFACE_SERVICES = {
    "sagemaker.api": "sagemaker",
    "monitoring": "cloudwatch",
    "ssm": "ssm",
    "sqs": "sqs",
    "kms": "kms",
    "events": "events",
    "application-autoscaling": "application-autoscaling",
}
"""Interface endpoints: the service's name in PrivateLink, and the prefix of its actions.

AWS services make the other calls of a workload from outside of the VPC: SageMaker pulls images, delivers logs and
provides credentials, Lambda reads queues (functions only move messages) and delivers logs and traces, and S3 and SQS
call KMS to encrypt and decrypt. The recorder itself calls KMS to sign.
"""

# Calls of jobs that no function makes. The functions' calls are those that their roles allow.
_JOBS: Mapping[str, Mapping[str, Sequence[str]]] = {"sagemaker": {"model": ["DescribeModel"]}}

# Actions that the functions' roles allow because Lambda reads queues as the function, and SageMaker and Application Auto
# Scaling perform them with the permissions of their caller, from outside of the VPC. So do S3 and SQS with the environment's key.
_CALLED_BY_SERVICES = (
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sagemaker:UpdateEndpointWeightsAndCapacities",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:DeleteAlarms",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:CreateGrant",
    "kms:DescribeKey",
)


def interface_policy(
    names: EnvironmentNames, prefix: str, statements: Sequence[iam.PolicyStatement]
) -> list[iam.PolicyStatement]:
    """Policy of the interface endpoint for the service whose actions start with `prefix`."""
    jobs = [
        allow([f"{prefix}:{action}" for action in actions], [names.arn(prefix, f"{kind}/{names.prefix}-*")])
        for kind, actions in _JOBS.get(prefix, {}).items()
    ]
    return [
        _own_principals(names, actions, statement.resources, statement.conditions)
        for statement in [*statements, *jobs]
        if (actions := [a for a in statement.actions if a.startswith(f"{prefix}:") and a not in _CALLED_BY_SERVICES])
    ]


def storage_policy(names: EnvironmentNames, code: str) -> list[iam.PolicyStatement]:
    """Policy of the gateway endpoint for S3: the environment's buckets, the deployed code, and custom resources.

    `code`: ARN of the bucket with the jobs' code, which `cdk bootstrap` created.
    """
    buckets = [names.bucket_arn(purpose) for purpose in ("data", "artifacts", "records")]
    objects = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
    return [
        _own_principals(names, ["s3:ListBucket", "s3:ListBucketVersions"], [*buckets, code]),
        _own_principals(names, objects, [f"{bucket}/*" for bucket in buckets]),
        _own_principals(names, ["s3:GetObject", "s3:GetObjectVersion"], [f"{code}/*"]),
        _custom_resource_responses(names),
    ]


def account_policy(at: Arns, prefix: str) -> list[iam.PolicyStatement]:
    """Policy of an interface endpoint that allows every action of the service to principals of this account."""
    return [_own_principals(at, [f"{prefix}:*"], ["*"])]


def account_storage_policy(at: Arns) -> list[iam.PolicyStatement]:
    """Policy of the gateway endpoint for S3 that allows the buckets of this account, and custom resources."""
    own_buckets = {"StringEquals": {"aws:ResourceAccount": at.account}}
    return [_own_principals(at, ["s3:*"], ["*"], own_buckets), _custom_resource_responses(at)]


def _custom_resource_responses(at: Arns) -> iam.PolicyStatement:
    """Custom resources respond to a pre-signed URL in a bucket of CloudFormation's own account."""
    region = Fn.join("", Fn.split("-", at.region)) if is_token(at.region) else at.region.replace("-", "")
    bucket = f"arn:{at.partition}:s3:::cloudformation-custom-resource-response-{region}"
    statement = allow(["s3:PutObject"], [f"{bucket}/*"])
    statement.sid = "Answers"
    statement.add_any_principal()
    return statement


def _own_principals(
    at: Arns, actions: Sequence[str], resources: Sequence[str], conditions: Any = None
) -> iam.PolicyStatement:
    """A statement for all principals of this account, with further conditions."""
    statement = iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
    statement.add_condition("StringEquals", {"aws:PrincipalAccount": at.account})
    statement.add_any_principal()
    return statement
