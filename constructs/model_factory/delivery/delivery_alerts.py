"""Notifications of a delivery pipeline: failed actions with their reason, and approvals that it waits for."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ..core.alert_notifier import AlertNotifier
from ..core.alerts_topic import AlertsTopic
from ..core.names import EnvironmentNames

_NO_BUILDS = {"type": {"provider": [{"anything-but": ["CodeBuild"]}]}}
_FACTS = {
    "pipeline": "$.detail.pipeline",
    "stage": "$.detail.stage",
    "action": "$.detail.action",
    "execution": "$.detail.execution-id",
}


class DeliveryAlerts(Construct):
    """An alerts topic, with notifications for failed actions and for approvals of CodePipeline pipelines.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the delivery account: the topic is `<factory>-delivery-alerts`, the pipeline
            `<factory>-delivery`. Default: CloudFormation generates names.
        key: Key that encrypts messages. Default: a key of its own.
        emails: E-mail addresses that are subscribed; SNS asks each for a confirmation. Default: none.
        dead_letter_queue: Standard queue for events that a rule could not deliver. Default: none.
        failed_builds: Notify of failed builds as well, with CodeBuild's reason: the command and its exit status. Default: True;
            False beside `FailedBuilds`, whose function sends an alert with the log.
        pipeline: The pipeline. Default: with names, `<factory>-delivery`; without, every pipeline of the account and
            region.
        notifier: The alerts function, with names only. It notifies of the same cause once within its window. Default:
            EventBridge publishes one sentence for each event to the topic.
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
        failed_builds: bool = True,
        pipeline: codepipeline.IPipeline | None = None,
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
        name = pipeline.pipeline_name if pipeline else names.delivery_pipeline if names else None
        failed = _actions(name, state=["FAILED"], **({} if failed_builds else _NO_BUILDS))
        waiting = _actions(name, state=["STARTED"], type={"category": ["Approval"]})
        if names and notifier:
            _add_rules(self, notifier, failed, waiting)
        else:
            self._publish_sentences(failed, waiting)

    def _publish_sentences(self, failed: dict[str, Any], waiting: dict[str, Any]) -> None:
        """Rules that publish to the topic without a function."""
        self.topic.add_alert_rule()
        self.topic.add_notification_rule(
            "Failed",
            purpose="failed",
            description="Notifies of failed actions of the delivery, with the reason",
            pattern=failed,
            facts=_FACTS | {"why": "$.detail.execution-result.external-execution-summary"},
            sentence="<pipeline> stopped in <stage> at <action>: <why> (execution <execution>)",
        )
        self.topic.add_notification_rule(
            "Waiting",
            purpose="waiting",
            description="Notifies of approvals that the delivery waits for",
            pattern=waiting,
            facts=_FACTS,
            sentence="<pipeline> waits for an approval: <action> (execution <execution>)",
        )


def _actions(pipeline: str | None, **detail: Any) -> dict[str, Any]:
    return {
        "source": ["aws.codepipeline"],
        "detail-type": ["CodePipeline Action Execution State Change"],
        "detail": ({"pipeline": [pipeline]} if pipeline else {}) | detail,
    }


def _add_rules(scope: Construct, notifier: AlertNotifier, failed: dict[str, Any], waiting: dict[str, Any]) -> None:
    notifier.add_rule(
        scope,
        "Failed",
        purpose="failed",
        description="Sends failed actions of the delivery to the alerts function",
        pattern=failed,
    )
    notifier.add_rule(
        scope,
        "Waiting",
        purpose="waiting",
        description="Sends approvals that the delivery waits for to the alerts function",
        pattern=waiting,
    )
