"""What the ways out of an isolated network let through: the factory's own calls, of this account's principals only."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_iam as iam

from ..core.names import EnvironmentNames
from ..core.permissions import allow

INTERFACE_SERVICES = {
    "sagemaker.api": "sagemaker",
    "monitoring": "cloudwatch",
    "ssm": "ssm",
    "application-autoscaling": "application-autoscaling",
}
"""Endpoints by the service's name in PrivateLink, each with the prefix of its actions.

Everything else that a workload needs comes from outside of the network: SageMaker pulls images, delivers logs and
hands out credentials itself, Lambda reads queues and delivers logs and traces, and S3 calls KMS.
"""

# What jobs call that no function does; the functions' calls are taken from their roles.
_JOBS: Mapping[str, Mapping[str, Sequence[str]]] = {"sagemaker": {"model": ["DescribeModel"]}}

# What the deploy function's role allows because SageMaker and Application Auto Scaling ask it of who calls them: they
# do it in its name, from outside of the network.
_IN_A_FUNCTIONS_NAME = ("sagemaker:UpdateEndpointWeightsAndCapacities", "cloudwatch:DescribeAlarms")


def interface_policy(
    names: EnvironmentNames, prefix: str, statements: Sequence[iam.PolicyStatement]
) -> list[iam.PolicyStatement]:
    """The policy of the endpoint for the service whose actions start with `prefix`."""
    jobs = [
        allow([f"{prefix}:{action}" for action in actions], [names.arn(prefix, f"{kind}/{names.prefix}-*")])
        for kind, actions in _JOBS.get(prefix, {}).items()
    ]
    return [
        _ours(names, actions, statement.resources, statement.conditions)
        for statement in [*statements, *jobs]
        if (actions := [a for a in statement.actions if a.startswith(f"{prefix}:") and a not in _IN_A_FUNCTIONS_NAME])
    ]


def storage_policy(names: EnvironmentNames) -> list[iam.PolicyStatement]:
    """The policy of the gateway to S3: the environment's buckets, the deployed code, and CloudFormation's answers."""
    buckets = [names.bucket_arn(purpose) for purpose in ("data", "artifacts", "records")]
    listed = [names.bucket_arn(purpose) for purpose in ("data", "artifacts")]
    objects = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
    # Where `cdk bootstrap` puts assets, under its default qualifier.
    code = f"arn:{names.partition}:s3:::cdk-hnb659fds-assets-{names.account}-{names.region}"
    # The pre-signed address at which a custom resource answers is CloudFormation's own, not this account's.
    answers = f"arn:{names.partition}:s3:::cloudformation-custom-resource-response-{names.region.replace('-', '')}/*"
    answering = allow(["s3:PutObject"], [answers])
    answering.sid = "Answers"
    answering.add_any_principal()
    return [
        _ours(names, ["s3:ListBucket", "s3:ListBucketVersions"], [*listed, code]),
        _ours(names, objects, [f"{bucket}/*" for bucket in buckets]),
        _ours(names, ["s3:GetObject"], [f"{code}/*"]),
        answering,
    ]


def _ours(
    names: EnvironmentNames, actions: Sequence[str], resources: Sequence[str], conditions: Any = None
) -> iam.PolicyStatement:
    """The statement for this account's principals, whoever they are; `conditions` hold besides."""
    statement = iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
    statement.add_condition("StringEquals", {"aws:PrincipalAccount": names.account})
    statement.add_any_principal()
    return statement
