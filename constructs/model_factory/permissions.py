"""Roles and the statements they are made of: exact actions, resources by their names."""

from collections.abc import Mapping, Sequence
from typing import cast

from aws_cdk import aws_iam as iam
from constructs import Construct

from .image import repository
from .nag import accept
from .names import METRIC_NAMESPACE, EnvironmentNames

_INLINE = "The policy belongs to this one role and lives and dies with it; nobody else can attach it."


def allow(actions: Sequence[str], resources: Sequence[str], **conditions: Mapping[str, object]) -> iam.PolicyStatement:
    """Allow `actions` on `resources`; conditions by operator, such as `StringEquals={"aws:SourceAccount": "1"}`."""
    return iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=dict(conditions) or None)


def service_principal(service: str, conditions: Mapping[str, object] | None = None) -> iam.IPrincipal:
    """An AWS service, such as `sagemaker`. jsii's classes and interfaces name parameters differently, so: a cast."""
    return cast(iam.IPrincipal, iam.ServicePrincipal(f"{service}.amazonaws.com", conditions=conditions))


def service_role(
    scope: Construct,
    construct_id: str,
    *,
    names: EnvironmentNames,
    name: str,
    service: str,
    description: str,
    statements: Sequence[iam.PolicyStatement],
    open_resources: str | None = None,
) -> iam.Role:
    """A role that `service` takes on, for this account only. `open_resources`: why some are not fully named."""
    conditions = {"StringEquals": {"aws:SourceAccount": names.account}} if service != "lambda" else {}
    role = iam.Role(
        scope,
        construct_id,
        role_name=name,
        description=description,
        assumed_by=service_principal(service, conditions),
        inline_policies={"Work": iam.PolicyDocument(statements=list(statements))},
    )
    reasons = {"NIST.800.53.R5-IAMNoInlinePolicy": _INLINE}
    accept(role, reasons | ({"AwsSolutions-IAM5": open_resources} if open_resources else {}))
    return role


def list_objects(names: EnvironmentNames, purpose: str, prefix: str) -> iam.PolicyStatement:
    """List what is below `prefix` of a bucket."""
    return allow(["s3:ListBucket"], [names.bucket_arn(purpose)], StringLike={"s3:prefix": [f"{prefix}*"]})


def read_objects(names: EnvironmentNames, purpose: str, prefix: str) -> iam.PolicyStatement:
    """Read what is below `prefix` of a bucket."""
    return allow(["s3:GetObject"], [f"{names.bucket_arn(purpose)}/{prefix}*"])


def read_object_versions(names: EnvironmentNames, purpose: str, prefix: str) -> list[iam.PolicyStatement]:
    """List and read, by version id, what is and was below `prefix` of a bucket."""
    bucket = names.bucket_arn(purpose)
    return [
        allow(["s3:ListBucketVersions"], [bucket], StringLike={"s3:prefix": [f"{prefix}*"]}),
        allow(["s3:GetObjectVersion"], [f"{bucket}/{prefix}*"]),
    ]


def write_objects(names: EnvironmentNames, purpose: str, prefix: str) -> iam.PolicyStatement:
    """Write below `prefix` of a bucket. (Uploads that break off are tidied by the bucket's lifecycle.)"""
    return allow(["s3:PutObject"], [f"{names.bucket_arn(purpose)}/{prefix}*"])


def use_key(key_arn: str) -> iam.PolicyStatement:
    """Encrypt and decrypt with the environment's key."""
    return allow(["kms:Decrypt", "kms:GenerateDataKey"], [key_arn])


def decrypt(key_arn: str) -> iam.PolicyStatement:
    """Read what is encrypted with the environment's key, and no more."""
    return allow(["kms:Decrypt"], [key_arn])


def encrypt_output(key_arn: str) -> iam.PolicyStatement:
    """What SageMaker asks of a job's role when the job names a key for its output."""
    return allow(["kms:Encrypt"], [key_arn])


def encrypt_volumes(key_arn: str) -> iam.PolicyStatement:
    """Encrypt disks: a job's role gives SageMaker the grant for its own, who creates an endpoint for the endpoint's."""
    return allow(["kms:CreateGrant"], [key_arn], Bool={"kms:GrantIsForAWSResource": "true"})


def put_metrics() -> iam.PolicyStatement:
    """Publish metrics of the factory; CloudWatch has no resource to name, the namespace bounds it."""
    return allow(["cloudwatch:PutMetricData"], ["*"], StringEquals={"cloudwatch:namespace": METRIC_NAMESPACE})


def write_logs(names: EnvironmentNames, group: str) -> iam.PolicyStatement:
    """Write to log groups whose name is like `group`, which ends in *: that stands for their streams as well."""
    return allow(
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        [names.arn("logs", f"log-group:{group}")],
    )


def pull_images(names: EnvironmentNames, image: str) -> list[iam.PolicyStatement]:
    """Pull a container image from the repository that its URI names. Raises ImageError."""
    account, region, name = repository(image)
    arn = f"arn:{names.partition}:ecr:{region}:{account}:repository/{name}"
    return [
        allow(["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [arn]),
        allow(["ecr:GetAuthorizationToken"], ["*"]),
    ]


def pass_role(role_arn: str) -> iam.PolicyStatement:
    """Hand the role to SageMaker and to nothing else."""
    return allow(["iam:PassRole"], [role_arn], StringEquals={"iam:PassedToService": "sagemaker.amazonaws.com"})


def bound_roles(scope: Construct, policy_name: str | None) -> None:
    """Put the account's permissions boundary, when there is one, on every role below `scope`."""
    if policy_name:
        boundary = iam.ManagedPolicy.from_managed_policy_name(scope, "PermissionsBoundary", policy_name)
        iam.PermissionsBoundary.of(scope).apply(boundary)
