"""Where people are told: one encrypted topic per environment, and what is published to it for every model."""

from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from .names import EnvironmentNames
from .permissions import service_principal


class Alerts(Construct):
    """The topic `<factory>-<env>-alerts`: alarms, failed pipeline executions, and the addresses of factory.yaml."""

    def __init__(
        self, scope: Construct, construct_id: str, *, names: EnvironmentNames, key: kms.IKey, emails: Sequence[str]
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", topic_name=names.alerts_topic, master_key=key, enforce_ssl=True)
        for email in emails:
            sns.CfnSubscription(
                self, f"Email-{email}", topic_arn=self.topic.topic_arn, protocol="email", endpoint=email
            )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ServicesOfThisAccount",
                principals=[service_principal("cloudwatch"), service_principal("events")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": names.account}},
            )
        )
        events.CfnRule(
            self,
            "PipelineFailed",
            name=f"{names.prefix}-pipeline-failed",
            description="A training or monitoring that failed is told with its step and reason",
            event_pattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Building Pipeline Execution Step Status Change"],
                "detail": {
                    "pipelineArn": [{"prefix": names.arn("sagemaker", f"pipeline/{names.prefix}-")}],
                    "currentStepStatus": ["Failed"],
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Alerts",
                    arn=self.topic.topic_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={
                            "step": "$.detail.stepName",
                            "execution": "$.detail.pipelineExecutionArn",
                            "reason": "$.detail.failureReason",
                        },
                        input_template='"Step <step> of <execution> failed: <reason>"',
                    ),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=names.arn("sqs", names.undelivered_queue)
                    ),
                )
            ],
        )
