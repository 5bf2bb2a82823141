"""Who is told when a delivery stops, with the action and its reason; and when somebody has to approve."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_kms as kms
from constructs import Construct

from ..core.alerts_topic import AlertsTopic
from ..core.names import EnvironmentNames

_FACTS = {
    "pipeline": "$.detail.pipeline",
    "stage": "$.detail.stage",
    "action": "$.detail.action",
    "execution": "$.detail.execution-id",
}


class DeliveryAlerts(Construct):
    """The topic `<factory>-delivery-alerts`, and the rules for failed actions and waiting approvals."""

    def __init__(
        self, scope: Construct, construct_id: str, *, names: EnvironmentNames, key: kms.IKey, emails: Sequence[str]
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = AlertsTopic(self, "Topic", names=names, key=key, emails=emails)

        def actions(**detail: Any) -> dict[str, Any]:
            return {
                "source": ["aws.codepipeline"],
                "detail-type": ["CodePipeline Action Execution State Change"],
                "detail": {"pipeline": [names.delivery_pipeline], **detail},
            }

        self.topic.add_notification_rule(
            "Failed",
            purpose="failed",
            description="A delivery that stopped is told with its action and reason",
            pattern=actions(state=["FAILED"]),
            facts=_FACTS | {"why": "$.detail.execution-result.external-execution-summary"},
            sentence="<pipeline> stopped in <stage> at <action>: <why> (execution <execution>)",
        )
        self.topic.add_notification_rule(
            "Waiting",
            purpose="waiting",
            description="A delivery that waits for an approval is told",
            pattern=actions(state=["STARTED"], type={"category": ["Approval"]}),
            facts=_FACTS,
            sentence="<pipeline> waits for an approval: <action> (execution <execution>)",
        )
