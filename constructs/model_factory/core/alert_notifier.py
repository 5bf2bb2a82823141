"""The alerts function behind its queue: rules send events to it, it publishes one notification for each cause."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .factory_function import FactoryFunction, consume_statement
from .names import ALERT_DETAIL_TYPE, ALERT_SOURCE, ALERT_WINDOWS, NOTIFICATION_DETAIL_TYPE, EnvironmentNames
from .permissions import allow, put_event, use_key
from .queue_target import queue_target
from .trigger_queue import TriggerQueue

PURPOSE = "alerts"
_TIMEOUT = Duration.seconds(60)


class AlertNotifier(Construct):
    """The function `<prefix>-alerts` behind the queue `<prefix>-alerts.fifo`.

    The function publishes to the alerts topic. Its own alarms, on errors, dead letters and waiting messages, publish directly,
    so that people are also notified when it cannot. It runs outside of a VPC: it reads and writes texts of alerts, and no data.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment.
        source: Folder with the function's code.
        key: Key of the environment.
        topic: The alerts topic, imported by name.
        undelivered: Dead-letter queue of the rules, imported by name.
        window: Time in which one notification is sent for the same cause.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames,
        source: Path,
        key: kms.IKey,
        topic: sns.ITopic,
        undelivered: sqs.IQueue,
        window: Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        self._names, self._undelivered = names, undelivered
        queue = TriggerQueue(
            self, "Queue", names=names, purpose=PURPOSE, key=key, function_timeout=_TIMEOUT, alarm_topic=topic
        )
        self._queue = queue.queue
        function = FactoryFunction(
            self,
            "Function",
            names=names,
            purpose=PURPOSE,
            source=source,
            key=key,
            timeout=_TIMEOUT,
            statements=notifier_statements(names, key.key_arn),
            environment={
                "ALERTS_TOPIC": names.arn("sns", names.alerts_topic),
                "WINDOWS_URI": f"s3://{names.bucket('artifacts')}/{ALERT_WINDOWS}",
                "WINDOW_SECONDS": str(window.to_seconds()),
            },
            alarm_topic=topic,
        )
        function.consume(self._queue, grant=False)
        detail = {"factory": [names.factory], "environment": [names.environment]}
        self.add_rule(
            self,
            "Alert",
            purpose="alert",
            description="Sends alerts of functions and of the command model-factory to the alerts function",
            pattern={"source": [ALERT_SOURCE], "detail-type": [ALERT_DETAIL_TYPE], "detail": detail},
        )

    def add_rule(
        self, scope: Construct, construct_id: str, *, purpose: str, description: str, pattern: Mapping[str, Any]
    ) -> events.CfnRule:
        """Notify of the events that match a pattern; the function has to know their form (lambda/alerts/sources.py).

        Args:
            scope: Parent of the rule. CloudFormation refuses to move a named rule, so it is where earlier versions had it.
            construct_id: Id of the rule.
            purpose: The rule is called `<prefix>-<purpose>`.
            description: Description of the rule.
            pattern: Event pattern, in the format of EventBridge.
        """
        return events.CfnRule(
            scope,
            construct_id,
            name=f"{self._names.prefix}-{purpose}",
            description=description,
            event_pattern=dict(pattern),
            # One group: alerts are few, and an alarm's ALARM is handled before its OK.
            targets=[queue_target("Alerts", self._queue, group=PURPOSE, undelivered=self._undelivered)],
        )


def notifier_statements(names: EnvironmentNames, key_arn: str) -> list[iam.PolicyStatement]:
    """Role of lambda/alerts: publish to the topic, put notifications on the bus, read and write windows."""
    return [
        consume_statement(names, PURPOSE),
        use_key(key_arn),
        allow(["sns:Publish"], [names.arn("sns", names.alerts_topic)]),
        put_event(names, NOTIFICATION_DETAIL_TYPE),
        allow(["s3:GetObject", "s3:PutObject"], [f"{names.bucket_arn('artifacts')}/{ALERT_WINDOWS}*"]),
    ]
