"""Roles of services, and policy statements with exact actions and named resources."""

from collections.abc import Mapping, Sequence
from typing import cast

from aws_cdk import aws_iam as iam
from constructs import Construct

from .image import repository
from .nag import ONE_ROLE, in_both_packs, suppress
from .names import ALERT_DETAIL_TYPE, ALERT_SOURCE, METRIC_NAMESPACE, Arns, EnvironmentNames, StackLocation

WITHOUT_RESOURCE = {
    "cloudwatch:PutMetricData": "A metric outside of a dataset is no resource; a condition binds it to our namespace.",
    "ec2:DescribeDhcpOptions": "EC2 describes all or nothing; SageMaker looks before it puts a job into a network.",
    "ec2:DescribeNetworkInterfaces": "EC2 describes all or nothing; Lambda and SageMaker watch their own interfaces.",
    "ec2:DescribeSecurityGroups": "EC2 describes all or nothing; SageMaker looks before it puts a job into a network.",
    "ec2:DescribeSubnets": "EC2 describes all or nothing; Lambda and SageMaker look before they use a network.",
    "ec2:DescribeVpcs": "EC2 describes all or nothing; SageMaker looks before it puts a job into a network.",
    "ecr:GetAuthorizationToken": "The token is the account's; what may be pulled with it is named by repository.",
    "sagemaker:ListActions": "The publisher looks for lineage entities by their source; a list has no resource.",
    "sagemaker:ListArtifacts": "The publisher looks for lineage entities by their source; a list has no resource.",
    "sagemaker:ListAssociations": "The publisher looks for associations by their ends; a list has no resource.",
    "sagemaker:ListContexts": "The publisher looks for lineage entities by their source; a list has no resource.",
    "sagemaker:ListEndpointConfigs": "The clean-up looks for what a stack left behind; a list has no resource.",
    "sagemaker:ListModels": "The clean-up looks for what a stack left behind; a list has no resource.",
    "xray:PutTelemetryRecords": "X-Ray has no resource for what is sent to it.",
    "xray:PutTraceSegments": "X-Ray has no resource for what is sent to it.",
}
"""Every action that is allowed on the resource `*`, and why: AWS supports no resource-level permissions for it."""

# `aws:SourceArn` of a service that assumes a role. Lambda sets neither this key nor `aws:SourceAccount`.
_SOURCES = {
    "events": ("events", "rule/*"),
    "sagemaker": ("sagemaker", "*"),
    "scheduler": ("scheduler", "schedule-group/default"),
    "vpc-flow-logs": ("ec2", "vpc-flow-log/*"),
}


def allow(actions: Sequence[str], resources: Sequence[str], **conditions: Mapping[str, object]) -> iam.PolicyStatement:
    """Allow `actions` on `resources`; conditions by operator, such as `StringEquals={"aws:SourceAccount": "1"}`."""
    return iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=dict(conditions) or None)


def allow_without_resource(actions: Sequence[str], **conditions: Mapping[str, object]) -> iam.PolicyStatement:
    """Allow `actions` on `*`, which have no resource-level permissions. Raises KeyError for one not in WITHOUT_RESOURCE."""
    for action in actions:
        if action not in WITHOUT_RESOURCE:
            raise KeyError(f"{action} is not in WITHOUT_RESOURCE; name its resources, or say there why it has none")
    return allow(actions, ["*"], **conditions)


def service_principal(
    service: str, conditions: Mapping[str, object] | None = None, *, suffix: str = "amazonaws.com"
) -> iam.IPrincipal:
    """An AWS service, such as `sagemaker`. jsii's classes and interfaces name parameters differently: hence the cast."""
    return cast(iam.IPrincipal, iam.ServicePrincipal(f"{service}.{suffix}", conditions=conditions))


def service_role(
    scope: Construct,
    construct_id: str,
    *,
    service: str,
    description: str,
    statements: Sequence[iam.PolicyStatement],
    names: EnvironmentNames | None = None,
    name: str | None = None,
    open_resources: str | None = None,
) -> iam.Role:
    """A role that an AWS service assumes, on behalf of resources of this account only.

    Args:
        scope: Parent construct.
        construct_id: Id of the role in `scope`.
        service: The service that assumes the role, such as `sagemaker`.
        description: Description of the role.
        statements: The role's permissions.
        names: Names of the environment. Default: account and region are those of the stack.
        name: Name of the role. Default: CloudFormation generates the name.
        open_resources: Reason for wildcards in the statements, recorded for cdk-nag. Default: there are none.
    """
    at = names or StackLocation.of(scope)
    conditions = {}
    if service in _SOURCES:
        source = at.arn(*_SOURCES[service])
        conditions = {"StringEquals": {"aws:SourceAccount": at.account}, "ArnLike": {"aws:SourceArn": source}}
    role = iam.Role(
        scope,
        construct_id,
        role_name=name,
        description=description,
        assumed_by=service_principal(service, conditions),
        inline_policies={"Work": iam.PolicyDocument(statements=list(statements))} if statements else None,
    )
    suppress(
        role,
        in_both_packs("IAMNoInlinePolicy", ONE_ROLE)
        | ({"AwsSolutions-IAM5": open_resources} if open_resources else {}),
    )
    return role


def use_key(key_arn: str) -> iam.PolicyStatement:
    """Encrypt and decrypt with the environment's key."""
    return allow(["kms:Decrypt", "kms:GenerateDataKey"], [key_arn])


def decrypt(key_arn: str) -> iam.PolicyStatement:
    """Decrypt with the environment's key."""
    return allow(["kms:Decrypt"], [key_arn])


def encrypt_output(key_arn: str) -> iam.PolicyStatement:
    """Permission that SageMaker requires of a job's role when the job has a key for its output."""
    return allow(["kms:Encrypt"], [key_arn])


def encrypt_volumes(key_arn: str) -> iam.PolicyStatement:
    """Encrypt volumes: a job's role creates the grant for its volume, the creator of an endpoint for the endpoint's."""
    return allow(["kms:CreateGrant"], [key_arn], Bool={"kms:GrantIsForAWSResource": "true"})


def put_metrics() -> iam.PolicyStatement:
    """Publish metrics in the factory's namespace; metrics have no ARN, so a condition limits the permission."""
    return allow_without_resource(["cloudwatch:PutMetricData"], StringEquals={"cloudwatch:namespace": METRIC_NAMESPACE})


def send_alerts(at: Arns) -> iam.PolicyStatement:
    """Put alerts on EventBridge's default bus."""
    return put_event(at, ALERT_DETAIL_TYPE)


def put_event(at: Arns, detail_type: str) -> iam.PolicyStatement:
    """Put events of Model Factory of one detail type on EventBridge's default bus.

    One event a call, as operators without a set qualifier match one value.
    """
    return allow(
        ["events:PutEvents"],
        [at.arn("events", "event-bus/default")],
        StringEquals={"events:source": ALERT_SOURCE, "events:detail-type": detail_type},
    )


def write_logs(names: EnvironmentNames, group: str, *, make: bool = True) -> iam.PolicyStatement:
    """Write to log groups whose name matches `group`; its `*` at the end includes their streams.

    `make`: create the log group as well.
    """
    making = ["logs:CreateLogGroup"] if make else []
    return allow(
        [*making, "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        [names.arn("logs", f"log-group:{group}")],
    )


def pull_images(names: EnvironmentNames, images: Sequence[str]) -> list[iam.PolicyStatement]:
    """Pull container images from the ECR repositories of their URIs. Raises ImageError for another registry."""
    places = dict.fromkeys(map(repository, images))
    arns = [f"arn:{names.partition}:ecr:{region}:{account}:repository/{name}" for account, region, name in places]
    return [
        allow(["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], arns),
        allow_without_resource(["ecr:GetAuthorizationToken"]),
    ]


def pass_role(role_arn: str) -> iam.PolicyStatement:
    """Pass the role to SageMaker only."""
    return allow(["iam:PassRole"], [role_arn], StringEquals={"iam:PassedToService": "sagemaker.amazonaws.com"})


def apply_permissions_boundary(scope: Construct, policy_name: str | None) -> None:
    """Set the permissions boundary of every role below `scope`. Without a name, roles have none."""
    if policy_name:
        boundary = iam.ManagedPolicy.from_managed_policy_name(scope, "PermissionsBoundary", policy_name)
        iam.PermissionsBoundary.of(scope).apply(boundary)
