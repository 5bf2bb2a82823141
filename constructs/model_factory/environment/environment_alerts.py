"""Notifications of an environment: the alerts topic, and the rules for every model's pipelines, alarms and approvals."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ..core.alert_notifier import AlertNotifier
from ..core.alerts_topic import AlertsTopic
from ..core.names import METRIC_NAMESPACE, EnvironmentNames


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
        notifier: The alerts function, with names only. It also notifies of models' alarms and of versions that wait for
            approval, and of the same cause once within its window. Default: EventBridge publishes one sentence for each failed
            step to the topic.
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
        notifier: AlertNotifier | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = AlertsTopic(
            self,
            "Topic",
            names=names,
            key=key,
            emails=emails,
            dead_letter_queue=dead_letter_queue,
            rules=notifier is None,
        )
        """The topic, for alarms and further notification rules."""
        if names and notifier:
            _add_rules(self, notifier, names)
        else:
            self._publish_sentences(names)

    def _publish_sentences(self, names: EnvironmentNames | None) -> None:
        """Rules that publish to the topic without a function."""
        self.topic.add_alert_rule()
        self.topic.add_notification_rule(
            "PipelineFailed",
            purpose="pipeline-failed",
            description="Notifies of failed training and monitoring steps, with the reason",
            pattern=_failed_steps(names),
            facts={
                "step": "$.detail.stepName",
                "execution": "$.detail.pipelineExecutionArn",
                "reason": "$.detail.failureReason",
            },
            sentence="Step <step> of <execution> failed: <reason>",
        )


def _failed_steps(names: EnvironmentNames | None) -> dict[str, Any]:
    detail: dict[str, Any] = {"currentStepStatus": ["Failed"]}
    if names:
        detail["pipelineArn"] = [{"prefix": names.arn("sagemaker", f"pipeline/{names.prefix}-")}]
    return {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Building Pipeline Execution Step Status Change"],
        "detail": detail,
    }


def _add_rules(scope: Construct, notifier: AlertNotifier, names: EnvironmentNames) -> None:
    notifier.add_rule(
        scope,
        "PipelineFailed",
        purpose="pipeline-failed",
        description="Sends failed training and monitoring steps to the alerts function",
        pattern=_failed_steps(names),
    )
    # The namespaces of alarms of models. Those of queues and functions publish to the topic themselves, because they also tell
    # that the alerts function does not work.
    metrics = {"metricStat": {"metric": {"namespace": [METRIC_NAMESPACE, "AWS/SageMaker"]}}}
    notifier.add_rule(
        scope,
        "Alarms",
        purpose="alarms",
        description="Sends changes of models' alarms to the alerts function",
        pattern={
            "source": ["aws.cloudwatch"],
            "detail-type": ["CloudWatch Alarm State Change"],
            "detail": {"alarmName": [{"prefix": f"{names.prefix}-"}], "configuration": {"metrics": metrics}},
        },
    )
