"""The rule that invokes a function with each failed build of a pipeline, so that it can send an alert with the build's log."""

from typing import cast

import jsii
from aws_cdk import IListProducer, IResolveContext, Lazy
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ..core.names import StackLocation
from ..core.permissions import allow
from .pipeline import DeliveryPipeline


@jsii.implements(IListProducer)
class BuildLogs:
    """The logs of builds: `statement` lets the role of a function read them that exists before the pipeline does."""

    def __init__(self) -> None:
        self._arns: list[str] = []

    @property
    def statement(self) -> iam.PolicyStatement:
        """Read the logs."""
        return allow(["logs:GetLogEvents"], Lazy.uncached_list(cast(IListProducer, self)))

    def add(self, pipeline: DeliveryPipeline) -> None:
        """Add the logs of a pipeline's builds."""
        at = StackLocation.of(pipeline)
        for project in pipeline.build_projects:
            self._arns.append(at.arn("logs", f"log-group:/aws/codebuild/{project.ref}:log-stream:*"))

    def produce(self, context: IResolveContext) -> list[str]:
        """Called by the CDK at synthesis."""
        return self._arns


class FailedBuilds(Construct):
    """Invokes a function with CodePipeline's event of each failed action of CodeBuild.

    The event has CodeBuild's reason, which is the failed command and its exit status. The function's role needs
    the statement of `BuildLogs` to read more.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        pipeline: The pipeline.
        function: The function; the factory's is lambda/delivery.
        rule_name: Name of the rule. Default: CloudFormation generates it.
        dead_letter_queue: Standard queue for events that EventBridge could not deliver. Default: none.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pipeline: DeliveryPipeline,
        function: lambda_.IFunction,
        rule_name: str | None = None,
        dead_letter_queue: sqs.IQueue | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        queue = dead_letter_queue
        rule = events.CfnRule(
            self,
            "Rule",
            name=rule_name,
            description="Sends an alert of each failed build, with the last lines of its log",
            event_pattern={
                "source": ["aws.codepipeline"],
                "detail-type": ["CodePipeline Action Execution State Change"],
                "detail": {
                    "pipeline": [pipeline.pipeline.pipeline_name],
                    "state": ["FAILED"],
                    "type": {"provider": ["CodeBuild"]},
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Function",
                    arn=function.function_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=queue.queue_arn) if queue else None,
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "Invoke",
            action="lambda:InvokeFunction",
            function_name=function.function_arn,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )
