"""Policies of the VPC endpoints: they allow the calls of the factory's roles, to principals of this account only."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

from aws_cdk import Fn
from aws_cdk import aws_iam as iam

from ..core.names import BACKLOG_ALARM, ROWS, Arns, EnvironmentNames, is_token
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

# Calls of functions for alarms of one kind, while Application Auto Scaling makes the same calls for others.
_ALARM_CALLS = ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"]

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


def interface_policies(
    names: EnvironmentNames, statements: Sequence[iam.PolicyStatement]
) -> dict[str, list[iam.PolicyStatement]]:
    """Policy of the interface endpoint for each service of INTERFACE_SERVICES, by the prefix of its actions.

    `statements`: what the functions' roles allow.
    """
    policies: dict[str, list[iam.PolicyStatement]] = {prefix: [] for prefix in INTERFACE_SERVICES.values()}
    for statement in statements:
        by_prefix: dict[str, list[str]] = {}
        for action in statement.actions:
            prefix = action.partition(":")[0]
            if prefix in policies and action not in _CALLED_BY_SERVICES:
                by_prefix.setdefault(prefix, []).append(action)
        for prefix, actions in by_prefix.items():
            policies[prefix].append(_own_principals(names, actions, statement.resources, statement.conditions))
    alarms = [names.arn("cloudwatch", f"alarm:{names.prefix}-*{BACKLOG_ALARM}")]
    policies["cloudwatch"].append(_own_principals(names, _ALARM_CALLS, alarms))
    for prefix, kinds in _JOBS.items():
        for kind, calls in kinds.items():
            resource = names.arn(prefix, f"{kind}/{names.prefix}-*")
            policies[prefix].append(_own_principals(names, [f"{prefix}:{call}" for call in calls], [resource]))
    return policies


def storage_policy(names: EnvironmentNames, code: str, *, checkpoints: bool = False) -> list[iam.PolicyStatement]:
    """Policy of the gateway endpoint for S3: the environment's buckets, the deployed code, and custom resources.

    `code`: ARN of the bucket with the jobs' code, which `cdk bootstrap` created. `checkpoints`: SageMaker removes the checkpoints
    that a training on spot capacity removes.
    """
    buckets = [names.bucket_arn(purpose) for purpose in ("data", "artifacts", "records")]
    objects = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
    removed = [f"{names.bucket_arn('artifacts')}/{ROWS}*/checkpoints/*"] if checkpoints else []
    return [
        _own_principals(names, ["s3:ListBucket", "s3:ListBucketVersions"], [*buckets, code]),
        _own_principals(names, objects, [f"{bucket}/*" for bucket in buckets]),
        *([_own_principals(names, ["s3:DeleteObject"], removed)] if removed else []),
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
    given: Mapping[str, Mapping[str, Any]] = conditions or {}
    own = {**given.get("StringEquals", {}), "aws:PrincipalAccount": at.account}
    return iam.PolicyStatement(
        principals=[_any_principal()],
        actions=list(actions),
        resources=list(resources),
        conditions={**given, "StringEquals": own},
    )


@cache
def _any_principal() -> iam.IPrincipal:
    """One object for all statements: each is a call of the CDK's process."""
    return cast(iam.IPrincipal, iam.AnyPrincipal())
