"""The role that the delivery function assumes in one environment. (CDK's own roles deploy the stacks.)"""

from typing import cast

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from ..core.bootstrapping import assets_bucket_arn, decrypt_assets, qualifier_of
from ..core.bucket_statements import list_objects, read_objects, write_objects
from ..core.nag import ONE_ROLE, in_both_packs, suppress
from ..core.names import ASYNC, EnvironmentNames
from ..core.permissions import allow, send_alerts, use_key


class DeliveryRole(Construct):
    """The role `<factory>-<env>-delivery`: read models, request trainings, approve versions, invoke endpoints, and send alerts.

    Its permissions are for the resources of an environment of a factory, so it needs the names of that environment.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment that the role gives access to.
        tooling: Names of the delivery account, whose function `<factory>-delivery-work` may assume the role.
        key: Key of the environment's buckets and queues. Default: the role may use no key, which is enough for buckets
            and queues that are not encrypted with a KMS key.
        gives: Whether versions are promoted from this environment. Default: False.
        receives: Whether versions are promoted to this environment. Default: False.
        queues: Whether a model has an asynchronous endpoint, whose requests and answers are objects. Default: False.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames,
        tooling: EnvironmentNames,
        key: kms.IKey | None = None,
        gives: bool = False,
        receives: bool = False,
        queues: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        # A principal that is the role itself would become invalid when the role is replaced; a condition on its ARN does not.
        trusted = iam.PrincipalWithConditions(
            cast(iam.IPrincipal, iam.AccountPrincipal(tooling.account)),
            {"ArnEquals": {"aws:PrincipalArn": tooling.iam_arn(f"role/{tooling.role('tasks')}")}},
        )
        statements = _statements(names, key)
        code = assets_bucket_arn(names, qualifier_of(self))
        statements += _give(names, code) if gives else [_read_statistics(names)]
        statements += _receive(names) if receives else []
        statements += _queue(names) if queues else []
        self.role: iam.Role = iam.Role(
            self,
            "Role",
            role_name=names.delivery_role,
            description=f"Tasks of the delivery pipeline in {names.environment} between deployments",
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


def _statements(names: EnvironmentNames, key: kms.IKey | None) -> list[iam.PolicyStatement]:
    def own(kind: str) -> list[str]:
        return [names.arn("sagemaker", f"{kind}/{names.prefix}-*")]

    return [
        *([use_key(key.key_arn)] if key else []),
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
            [names.arn("sqs", names.queue(purpose)) for purpose in ("retrain", "recorder")],
        ),
        allow(["s3:ListBucket"], [names.bucket_arn("data")], StringLike={"s3:prefix": ["*/raw/*"]}),
        allow(
            ["cloudformation:GetTemplate"],
            [names.arn("cloudformation", f"stack/{names.prefix}-*")],
        ),
        send_alerts(names),
    ]


def _read_statistics(names: EnvironmentNames) -> iam.PolicyStatement:
    """Read the statistics of the training data, for the record of the smoke test."""
    return allow(["s3:GetObject"], [f"{names.bucket_arn('artifacts')}/*/executions/*/statistics.json"])


def _give(names: EnvironmentNames, code_bucket_arn: str) -> list[iam.PolicyStatement]:
    """Read the files of a version: its model artifact, its reports and statistics, and its pipeline's definition and code."""
    return [
        allow(
            ["sagemaker:DescribePipelineDefinitionForExecution"],
            [names.arn("sagemaker", f"pipeline/{names.prefix}-*/execution/*")],
        ),
        allow(["s3:GetObject"], [f"{code_bucket_arn}/*.zip"]),
        # A zip that is gone is 404 only for those who may list the bucket.
        allow(["s3:ListBucket"], [code_bucket_arn]),
        decrypt_assets(names, code_bucket_arn),
        # A zip that is gone is still in evidence.
        list_objects(names.bucket_arn("records"), "*/evidence/"),
        read_objects(names.bucket_arn("records"), "*/evidence/"),
        list_objects(names.bucket_arn("artifacts"), "*/executions/"),
        read_objects(names.bucket_arn("artifacts"), "*/executions/"),
    ]


def _receive(names: EnvironmentNames) -> list[iam.PolicyStatement]:
    """Register a version of the previous environment and write its files, below `promoted-` folders."""
    return [
        write_objects(names.bucket_arn("artifacts"), "*/executions/promoted-"),
        allow(["sagemaker:CreateModelPackage"], [names.arn("sagemaker", f"model-package/{names.prefix}-*")]),
    ]


def _queue(names: EnvironmentNames) -> list[iam.PolicyStatement]:
    """Send requests to asynchronous endpoints, see whether their answers exist, and read them."""
    data = names.bucket_arn("data")
    return [
        allow(["sagemaker:InvokeEndpointAsync"], [names.arn("sagemaker", f"endpoint/{names.prefix}-*")]),
        write_objects(data, f"*/{ASYNC}/input/smoke-"),
        read_objects(data, f"*/{ASYNC}/"),
        list_objects(data, f"*/{ASYNC}/"),
    ]
