"""Statements of the delivery function's role: report results to the pipeline, and assume one role per environment."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam

from ..core.names import EnvironmentNames
from ..core.permissions import allow, send_alerts


def delivery_statements(
    names: EnvironmentNames, environments: Sequence[EnvironmentNames], key_arn: str
) -> list[iam.PolicyStatement]:
    """Role of lambda/delivery. In an environment, the function has the permissions of that environment's DeliveryRole."""
    pipeline = names.arn("codepipeline", names.delivery_pipeline)
    return [
        allow(["kms:GenerateDataKey"], [key_arn]),
        allow(["sts:AssumeRole"], [to.iam_arn(f"role/{to.delivery_role}") for to in environments]),
        # Results of a job have no resource to name.
        allow(["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"], ["*"]),
        allow(
            ["codepipeline:GetPipeline", "codepipeline:GetPipelineExecution", "codepipeline:ListActionExecutions"],
            [pipeline],
        ),
        allow(["s3:PutObject"], [f"{names.bucket_arn('records')}/reports/*"]),
        send_alerts(names),
    ]
