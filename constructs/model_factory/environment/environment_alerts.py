"""Notifications of an environment: the alerts topic, and the rule for failed pipeline executions of every model."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ..core.alerts_topic import AlertsTopic
from ..core.names import EnvironmentNames


class EnvironmentAlerts(Construct):
    """The alerts topic of an environment, with a notification for each failed step of a SageMaker pipeline.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment: the topic is `<prefix>-alerts`, and the rule matches pipelines whose names start
            with `<prefix>-`. Default: CloudFormation generates names, and the rule matches every pipeline of the account
            and region.
        key: Key that encrypts messages. Default: a key of its own.
        emails: E-mail addresses that are subscribed; SNS asks each for a confirmation. Default: none.
        dead_letter_queue: Standard queue for events that the rule could not deliver. Default: none.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames | None = None,
        key: kms.IKey | None = None,
        emails: Sequence[str] = (),
        dead_letter_queue: sqs.IQueue | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = AlertsTopic(
            self, "Topic", names=names, key=key, emails=emails, dead_letter_queue=dead_letter_queue
        )
        """The topic, for alarms and further notification rules."""
        self.topic.add_alert_rule()
        detail: dict[str, Any] = {"currentStepStatus": ["Failed"]}
        if names:
            detail["pipelineArn"] = [{"prefix": names.arn("sagemaker", f"pipeline/{names.prefix}-")}]
        self.topic.add_notification_rule(
            "PipelineFailed",
            purpose="pipeline-failed",
            description="Notifies of failed training and monitoring steps, with the reason",
            pattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Building Pipeline Execution Step Status Change"],
                "detail": detail,
            },
            facts={
                "step": "$.detail.stepName",
                "execution": "$.detail.pipelineExecutionArn",
                "reason": "$.detail.failureReason",
            },
            sentence="Step <step> of <execution> failed: <reason>",
        )
