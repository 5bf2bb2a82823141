"""Who is told when a delivery stops, with the action and its reason; and when somebody has to approve."""

from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from .names import EnvironmentNames
from .permissions import service_principal


class DeliveryAlerts(Construct):
    """The topic `<factory>-delivery-alerts`, and the rules for failed actions and waiting approvals."""

    def __init__(
        self, scope: Construct, construct_id: str, *, names: EnvironmentNames, key: kms.IKey, emails: Sequence[str]
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", topic_name=names.alerts_topic, master_key=key, enforce_ssl=True)
        self._names = names
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
        reason = {
            "pipeline": "$.detail.pipeline",
            "stage": "$.detail.stage",
            "action": "$.detail.action",
            "execution": "$.detail.execution-id",
        }
        self._rule(
            "Failed",
            "failed",
            {"state": ["FAILED"]},
            reason | {"why": "$.detail.execution-result.external-execution-summary"},
            '"<pipeline> stopped in <stage> at <action>: <why> (execution <execution>)"',
        )
        self._rule(
            "Waiting",
            "waiting",
            {"state": ["STARTED"], "type": {"category": ["Approval"]}},
            reason,
            '"<pipeline> waits for an approval: <action> (execution <execution>)"',
        )

    def _rule(
        self, construct_id: str, purpose: str, detail: dict[str, object], paths: dict[str, str], template: str
    ) -> None:
        names = self._names
        events.CfnRule(
            self,
            construct_id,
            name=f"{names.prefix}-{purpose}",
            event_pattern={
                "source": ["aws.codepipeline"],
                "detail-type": ["CodePipeline Action Execution State Change"],
                "detail": {"pipeline": [names.delivery_pipeline], **detail},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Alerts",
                    arn=self.topic.topic_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map=paths, input_template=template
                    ),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=names.arn("sqs", names.undelivered_queue)
                    ),
                )
            ],
        )
