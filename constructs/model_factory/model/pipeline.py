"""A SageMaker pipeline as CDK users expect it: ARN, grants and metrics."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Stack, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from ..core.permissions import service_role
from .metrics import pipeline_metric
from .props import ModelProps


class SageMakerPipeline(Construct):
    """ARN, grants and metrics of a pipeline; base of the pipelines of a model. It creates no resource by itself.

    Attributes:
        pipeline_name: Name of the pipeline.
    """

    def __init__(self, scope: Construct, construct_id: str, *, pipeline_name: str) -> None:
        """A pipeline of the stack's account and region.

        Args:
            scope: Parent construct.
            construct_id: Id of this construct in `scope`.
            pipeline_name: Name of the pipeline.
        """
        super().__init__(scope, construct_id)
        self.pipeline_name = pipeline_name

    def _job_role(
        self, props: ModelProps, purpose: str, kind: str, statements: Sequence[iam.PolicyStatement], open_resources: str
    ) -> iam.Role:
        """The role `<prefix>-<purpose>-job` of the jobs of a pipeline of a kind, such as `training`.

        `open_resources`: reason for wildcards in the statements.
        """
        return service_role(
            self,
            "JobRole",
            names=props.environment_names,
            name=props.role_name(f"{purpose}-job"),
            service="sagemaker",
            description=f"Jobs of the {kind} pipeline of {props.config.name}",
            statements=statements,
            open_resources=open_resources,
        )

    def _pipeline_role(
        self, props: ModelProps, purpose: str, kind: str, statements: Sequence[iam.PolicyStatement], open_resources: str
    ) -> iam.Role:
        """The role `<prefix>-<purpose>` of a pipeline itself; arguments as of `_job_role`."""
        return service_role(
            self,
            "Role",
            names=props.environment_names,
            name=props.role_name(purpose),
            service="sagemaker",
            description=f"{kind.capitalize()} pipeline of {props.config.name}",
            statements=statements,
            open_resources=open_resources,
        )

    def _create(self, definition: Mapping[str, Any], role: iam.Role, description: str) -> sagemaker.CfnPipeline:
        """The resource with a definition, as data, run as `role`."""
        return sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=self.pipeline_name,
            pipeline_description=description,
            pipeline_definition={"PipelineDefinitionBody": Stack.of(self).to_json_string(definition)},
            role_arn=role.role_arn,
        )

    @staticmethod
    def from_pipeline_name(scope: Construct, construct_id: str, pipeline_name: str) -> "SageMakerPipeline":
        """An existing pipeline of the stack's account and region.

        Args:
            scope: Parent construct.
            construct_id: Id of the new construct in `scope`.
            pipeline_name: Name of the pipeline.
        """
        return SageMakerPipeline(scope, construct_id, pipeline_name=pipeline_name)

    @property
    def pipeline_arn(self) -> str:
        """ARN of the pipeline. SageMaker writes the name in lower case there."""
        name = self.pipeline_name if Token.is_unresolved(self.pipeline_name) else self.pipeline_name.lower()
        return Stack.of(self).format_arn(service="sagemaker", resource="pipeline", resource_name=name)

    def grant_start_execution(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow a principal to start the pipeline and to read the state of its executions.

        Args:
            grantee: The principal, such as a role or a Lambda function.
        """
        started = iam.Grant.add_to_principal(
            grantee=grantee, actions=["sagemaker:StartPipelineExecution"], resource_arns=[self.pipeline_arn]
        )
        return started.combine(self.grant_read(grantee))

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow a principal to read the pipeline and its executions.

        Args:
            grantee: The principal, such as a role or a Lambda function.
        """
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[
                "sagemaker:DescribePipeline",
                "sagemaker:DescribePipelineExecution",
                "sagemaker:ListPipelineExecutions",
                "sagemaker:ListPipelineExecutionSteps",
            ],
            resource_arns=[self.pipeline_arn, f"{self.pipeline_arn}/execution/*"],
        )

    def metric(self, metric_name: str, **options: Any) -> cloudwatch.Metric:
        """A metric that SageMaker publishes for the pipeline.

        Args:
            metric_name: Such as ExecutionFailed.
            options: Properties of `cloudwatch.MetricOptions`, such as period. Default: Sum over 5 minutes.
        """
        return pipeline_metric(self.pipeline_name, metric_name, **options)

    def metric_execution_started(self, **options: Any) -> cloudwatch.Metric:
        """Number of executions that were started.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Sum over 5 minutes.
        """
        return self.metric("ExecutionStarted", **options)

    def metric_execution_succeeded(self, **options: Any) -> cloudwatch.Metric:
        """Number of executions that succeeded.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Sum over 5 minutes.
        """
        return self.metric("ExecutionSucceeded", **options)

    def metric_execution_failed(self, **options: Any) -> cloudwatch.Metric:
        """Number of executions that failed.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Sum over 5 minutes.
        """
        return self.metric("ExecutionFailed", **options)

    def metric_execution_duration(self, **options: Any) -> cloudwatch.Metric:
        """Duration of executions, in milliseconds.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Average over 5 minutes.
        """
        return self.metric("ExecutionDuration", **{"statistic": "Average", **options})
