"""A topic that people listen to, and the events that are told there in one sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from .names import EnvironmentNames
from .permissions import service_principal


class AlertsTopic(sns.Topic):
    """Encrypted, reached through TLS only; alarms and rules of the account publish, `emails` listen."""

    def __init__(
        self, scope: Construct, construct_id: str, *, names: EnvironmentNames, key: kms.IKey, emails: Sequence[str]
    ) -> None:
        super().__init__(scope, construct_id, topic_name=names.alerts_topic, master_key=key, enforce_ssl=True)
        self._names, self._beside = names, scope
        for email in emails:
            # Beside the topic, where the addresses of deployed factories have their logical ids.
            sns.CfnSubscription(scope, f"Email-{email}", topic_arn=self.topic_arn, protocol="email", endpoint=email)
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ServicesOfThisAccount",
                principals=[service_principal("cloudwatch"), service_principal("events")],
                actions=["sns:Publish"],
                resources=[self.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": names.account}},
            )
        )

    def add_notification_rule(
        self,
        construct_id: str,
        *,
        purpose: str,
        description: str,
        pattern: Mapping[str, Any],
        facts: Mapping[str, str],
        sentence: str,
    ) -> None:
        """The rule `<prefix>-<purpose>` beside the topic tells of events like `pattern`.

        `facts`: JSON paths into the event, by the <name> that they have in the `sentence`.
        """
        names = self._names
        target = events.CfnRule.TargetProperty(
            id="Alerts",
            arn=self.topic_arn,
            input_transformer=events.CfnRule.InputTransformerProperty(
                input_paths_map=dict(facts), input_template=f'"{sentence}"'
            ),
            dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=names.arn("sqs", names.undelivered_queue)),
        )
        events.CfnRule(
            self._beside,
            construct_id,
            name=f"{names.prefix}-{purpose}",
            description=description,
            event_pattern=dict(pattern),
            targets=[target],
        )
