"""What the delivery pipeline may do in one environment, besides CDK's own deployments."""

from typing import cast

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from ..core.nag import ONE_ROLE, in_both_packs, suppress
from ..core.names import EnvironmentNames
from ..core.permissions import allow, list_objects, read_objects, use_key, write_objects


class DeliveryRole(Construct):
    """The role `<factory>-<env>-delivery`: look at models, ask for trainings, approve, and ask the endpoint.

    `gives`: versions are promoted from here; `receives`: to here.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames,
        tooling: EnvironmentNames,
        key: kms.IKey,
        gives: bool,
        receives: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        # A trust in the role's own ARN would break when the role is made anew; a condition on its name does not.
        trusted = iam.PrincipalWithConditions(
            cast(iam.IPrincipal, iam.AccountPrincipal(tooling.account)),
            {"ArnEquals": {"aws:PrincipalArn": tooling.iam_arn(f"role/{tooling.role('tasks')}")}},
        )
        statements = _statements(names, key.key_arn)
        statements += _give(names) if gives else [_read_statistics(names)]
        statements += _receive(names) if receives else []
        self.role = iam.Role(
            self,
            "Role",
            role_name=names.delivery_role,
            description=f"What the delivery pipeline does in {names.environment} besides deploying stacks",
            assumed_by=cast(iam.IPrincipal, trusted),
            inline_policies={"DeliveryTasks": iam.PolicyDocument(statements=statements)},
        )
        suppress(
            self.role,
            {
                **in_both_packs("IAMNoInlinePolicy", ONE_ROLE),
                "AwsSolutions-IAM5": "Every model of the environment is delivered; names of the factory bound them.",
            },
        )


def _statements(names: EnvironmentNames, key_arn: str) -> list[iam.PolicyStatement]:
    def own(kind: str) -> list[str]:
        return [names.arn("sagemaker", f"{kind}/{names.prefix}-*")]

    return [
        use_key(key_arn),
        allow(["ssm:GetParametersByPath"], [names.arn("ssm", f"parameter{names.models_parameter_prefix.rstrip('/')}")]),
        allow(["sagemaker:DescribePipeline", "sagemaker:ListPipelineExecutions"], own("pipeline")),
        allow(["sagemaker:DescribePipelineExecution"], own("pipeline")),
        allow(
            ["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"],
            own("model-package"),
        ),
        allow(["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"], own("endpoint")),
        allow(["sagemaker:DescribeEndpointConfig"], own("endpoint-config")),
        allow(["sagemaker:DescribeModel"], own("model")),
        allow(
            ["sqs:GetQueueUrl", "sqs:SendMessage"],
            [names.arn("sqs", names.queue(purpose)) for purpose in ("retrain", "deploy")],
        ),
        allow(["s3:ListBucket"], [names.bucket_arn("data")], StringLike={"s3:prefix": ["*/raw/*"]}),
        allow(["s3:PutObject"], [f"{names.bucket_arn('records')}/*/approvals/*"]),
        allow(
            ["cloudformation:GetTemplate"],
            [names.arn("cloudformation", f"stack/{names.prefix}-*")],
        ),
    ]


def _read_statistics(names: EnvironmentNames) -> iam.PolicyStatement:
    """Read what the training data looked like, for a typical record."""
    return allow(["s3:GetObject"], [f"{names.bucket_arn('artifacts')}/*/executions/*/statistics.json"])


def _give(names: EnvironmentNames) -> list[iam.PolicyStatement]:
    """Read what a version consists of: its artifact and the folders of its reports, statistics among them."""
    return [
        list_objects(names, "artifacts", "*/executions/"),
        read_objects(names, "artifacts", "*/executions/"),
    ]


def _receive(names: EnvironmentNames) -> list[iam.PolicyStatement]:
    """Register a version of the environment before, whose files have folders of their own beside those of trainings."""
    return [
        write_objects(names, "artifacts", "*/executions/promoted-"),
        write_objects(names, "records", "*/promotions/"),
        allow(["sagemaker:CreateModelPackage"], [names.arn("sagemaker", f"model-package/{names.prefix}-*")]),
    ]
