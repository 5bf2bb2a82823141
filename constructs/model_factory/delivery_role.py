"""What the delivery pipeline may do in one environment, besides CDK's own deployments."""

from typing import cast

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from .nag import ONE_ROLE, accept, in_both_packs
from .names import EnvironmentNames
from .permissions import allow, read_objects, use_key


class DeliveryRole(Construct):
    """The role `<factory>-<env>-delivery`: look at models, ask for trainings, approve, and ask the endpoint."""

    def __init__(
        self, scope: Construct, construct_id: str, *, names: EnvironmentNames, tooling: EnvironmentNames, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        # A trust in the role's own ARN would break when the role is made anew; a condition on its name does not.
        trusted = iam.PrincipalWithConditions(
            cast(iam.IPrincipal, iam.AccountPrincipal(tooling.account)),
            {"ArnEquals": {"aws:PrincipalArn": tooling.iam_arn(f"role/{tooling.role('work')}")}},
        )
        self.role = iam.Role(
            self,
            "Role",
            role_name=names.delivery_role,
            description=f"What the delivery pipeline does in {names.environment} besides deploying stacks",
            assumed_by=cast(iam.IPrincipal, trusted),
            inline_policies={"Work": iam.PolicyDocument(statements=_statements(names, key.key_arn))},
        )
        accept(
            self.role,
            {
                **in_both_packs("IAMNoInlinePolicy", ONE_ROLE),
                "AwsSolutions-IAM5": "Every model of the environment is delivered; names of the factory bound them.",
            },
        )


def _statements(names: EnvironmentNames, key_arn: str) -> list[iam.PolicyStatement]:
    def own(*kinds: str) -> list[str]:
        return [names.arn("sagemaker", f"{kind}/{names.prefix}-*") for kind in kinds]

    records = names.bucket_arn("records")
    return [
        use_key(key_arn),
        allow(["ssm:GetParametersByPath"], [names.arn("ssm", f"parameter{names.models_parameter_prefix.rstrip('/')}")]),
        allow(["sagemaker:DescribePipeline", "sagemaker:ListPipelineExecutions"], own("pipeline")),
        allow(["sagemaker:DescribePipelineExecution"], own("pipeline")),
        allow(
            ["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"],
            own("model-package-group", "model-package"),
        ),
        allow(["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"], own("endpoint")),
        allow(["sagemaker:DescribeEndpointConfig"], own("endpoint-config")),
        allow(["sagemaker:DescribeModel"], own("model")),
        allow(
            ["sqs:GetQueueUrl", "sqs:SendMessage"],
            [names.arn("sqs", names.queue(purpose)) for purpose in ("retrain", "deploy")],
        ),
        allow(["s3:ListBucket"], [names.bucket_arn("data")], StringLike={"s3:prefix": ["*/raw/*"]}),
        read_objects(names, "artifacts", "*/executions/"),
        allow(["s3:PutObject"], [f"{records}/*/approvals/*"]),
        allow(
            ["cloudformation:GetTemplate"],
            [names.arn("cloudformation", f"stack/{names.prefix}-*")],
        ),
    ]
