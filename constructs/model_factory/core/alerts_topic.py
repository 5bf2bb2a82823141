"""The SNS topic that alarms and EventBridge rules publish to, and its e-mail subscriptions."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .encryption_key import key_or_own
from .names import ALERT_DETAIL_TYPE, ALERT_SOURCE, EnvironmentNames, StackLocation
from .permissions import service_principal


class AlertsTopic(sns.Topic):
    """An encrypted SNS topic that requires TLS. CloudWatch alarms of the account and EventBridge rules may publish.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment: the topic is `<prefix>-alerts`. Default: CloudFormation generates the name.
        key: Key that encrypts messages. Default: a key of its own.
        emails: E-mail addresses that are subscribed; SNS asks each for a confirmation. Default: none.
        dead_letter_queue: Standard queue for events that a notification rule could not deliver. Default: none.
        rules: Whether EventBridge rules may publish. Default: True.
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
        rules: bool = True,
    ) -> None:
        key = key_or_own(scope, key, names, construct_id=f"{construct_id}Encryption", services=["events", "cloudwatch"])
        super().__init__(
            scope, construct_id, topic_name=names.alerts_topic if names else None, master_key=key, enforce_ssl=True
        )
        self._names, self._dead_letter_queue = names, dead_letter_queue
        # With a factory's names: beside the topic, where deployed factories have the logical ids of these resources.
        self._parent: Construct = scope if names else self
        for email in emails:
            sns.CfnSubscription(
                self._parent, f"Email-{email}", topic_arn=self.topic_arn, protocol="email", endpoint=email
            )
        here = {"StringEquals": {"aws:SourceAccount": StackLocation.of(self).account}}
        self._allow_service("AlarmsOfThisAccount", "cloudwatch", here)
        if rules:
            # EventBridge's call carries no condition key: "You can't use Condition blocks in Amazon SNS topic policies for
            # EventBridge" (EventBridge user guide, "Troubleshooting Amazon EventBridge").
            self._allow_service("Rules", "events", None)

    def _allow_service(self, sid: str, service: str, conditions: Mapping[str, Any] | None) -> None:
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[service_principal(service)],
                actions=["sns:Publish"],
                resources=[self.topic_arn],
                conditions=conditions,
            )
        )

    def add_alert_rule(self) -> events.CfnRule:
        """Publish the alerts that functions put on the default bus. With names: those of the factory's environment alone."""
        names = self._names
        detail = {"factory": [names.factory], "environment": [names.environment]} if names else {}
        fields = ("model", "environment", "what", "why", "done", "command")
        return self.add_notification_rule(
            "Alert",
            purpose="alert",
            description="Notifies of alerts of functions and of the command model-factory",
            pattern={"source": [ALERT_SOURCE], "detail-type": [ALERT_DETAIL_TYPE]}
            | ({"detail": detail} if names else {}),
            facts={field: f"$.detail.{field}" for field in fields},
            sentence="<model> in <environment>: <what> Why: <why> Done: <done> Next: <command>",
        )

    @staticmethod
    def from_names(scope: Construct, construct_id: str, names: EnvironmentNames) -> sns.ITopic:
        """Import the topic of a deployed environment."""
        return sns.Topic.from_topic_arn(scope, construct_id, names.arn("sns", names.alerts_topic))

    def add_notification_rule(
        self,
        construct_id: str,
        *,
        description: str,
        pattern: Mapping[str, Any],
        facts: Mapping[str, str],
        sentence: str,
        purpose: str | None = None,
    ) -> events.CfnRule:
        """Publish a sentence for each EventBridge event that matches a pattern.

        Args:
            construct_id: Id of the rule.
            description: Description of the rule.
            pattern: Event pattern, in the format of EventBridge.
            facts: JSON paths into the event, such as `$.detail.stepName`, each by the name it has in `sentence`.
            sentence: Text of the notification, with `<name>` for each of the facts.
            purpose: With names, the rule is called `<prefix>-<purpose>`. Default: CloudFormation generates the name.
        """
        names, dead_letters = self._names, self._dead_letter_queue
        target = events.CfnRule.TargetProperty(
            id="Alerts",
            arn=self.topic_arn,
            input_transformer=events.CfnRule.InputTransformerProperty(
                input_paths_map=dict(facts), input_template=f'"{sentence}"'
            ),
            dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=dead_letters.queue_arn)
            if dead_letters
            else None,
        )
        rule = events.CfnRule(
            self._parent,
            construct_id,
            name=f"{names.prefix}-{purpose}" if names and purpose else None,
            description=description,
            event_pattern=dict(pattern),
            targets=[target],
        )
        if dead_letters and not names:
            _allow_dead_letters(dead_letters, rule)
        return rule


def _allow_dead_letters(queue: sqs.IQueue, rule: events.CfnRule) -> None:
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[service_principal("events")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
        )
    )
