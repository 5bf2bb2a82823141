"""Notifications of a delivery pipeline: failed actions with their reason, and approvals that it waits for."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

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
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = AlertsTopic(
            self, "Topic", names=names, key=key, emails=emails, dead_letter_queue=dead_letter_queue
        )
        """The topic, for alarms and further notification rules."""
        self.topic.add_alert_rule()
        name = pipeline.pipeline_name if pipeline else names.delivery_pipeline if names else None

        def actions(**detail: Any) -> dict[str, Any]:
            return {
                "source": ["aws.codepipeline"],
                "detail-type": ["CodePipeline Action Execution State Change"],
                "detail": ({"pipeline": [name]} if name else {}) | detail,
            }

        self.topic.add_notification_rule(
            "Failed",
            purpose="failed",
            description="Notifies of failed actions of the delivery, with the reason",
            pattern=actions(state=["FAILED"], **({} if failed_builds else _NO_BUILDS)),
            facts=_FACTS | {"why": "$.detail.execution-result.external-execution-summary"},
            sentence="<pipeline> stopped in <stage> at <action>: <why> (execution <execution>)",
        )
        self.topic.add_notification_rule(
            "Waiting",
            purpose="waiting",
            description="Notifies of approvals that the delivery waits for",
            pattern=actions(state=["STARTED"], type={"category": ["Approval"]}),
            facts=_FACTS,
            sentence="<pipeline> waits for an approval: <action> (execution <execution>)",
        )
