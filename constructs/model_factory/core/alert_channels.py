"""Where notifications go besides e-mail: chat channels, by AWS's own chat service, and another event bus."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .names import ALERT_SOURCE, NOTIFICATION_DETAIL_TYPE, EnvironmentNames
from .permissions import allow, service_principal, service_role


@dataclass(frozen=True)
class SlackChannel:
    """A Slack channel by its ids."""

    workspace: str
    channel: str


@dataclass(frozen=True)
class TeamsChannel:
    """A channel of Microsoft Teams by its ids."""

    tenant: str
    team: str
    channel: str


class ChatChannel(Construct):
    """A configuration of Amazon Q Developer in chat applications: it shows the notifications of topics in one channel.

    The service accepts one configuration of a channel for each account ("Slack channel … has already been configured for AWS
    account"), so that the topics of all environments in the account belong to the same one. It subscribes to them itself, with
    its service-linked role. Nobody can run commands from the channel: the role has no permissions, and the guardrail denies
    everything (the service's default is AdministratorAccess).

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment whose stack has the configuration; it is called `<prefix>-<slack or teams>`.
        channel: The channel.
        topics: ARNs of the topics.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames,
        channel: SlackChannel | TeamsChannel,
        topics: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        kind = "slack" if isinstance(channel, SlackChannel) else "teams"
        role = iam.Role(
            self,
            "Role",
            role_name=names.role(kind),
            description=f"Notifications of {names.prefix} in chat; it has no permissions",
            assumed_by=service_principal("chatbot"),
        )
        shared: dict[str, Any] = {
            "configuration_name": f"{names.prefix}-{kind}",
            "iam_role_arn": role.role_arn,
            "sns_topic_arns": list(topics),
            "guardrail_policies": [f"arn:{names.partition}:iam::aws:policy/AWSDenyAll"],
            "logging_level": "ERROR",
        }
        if isinstance(channel, SlackChannel):
            chatbot.CfnSlackChannelConfiguration(
                self,
                "Channel",
                slack_workspace_id=channel.workspace,
                slack_channel_id=channel.channel,
                **shared,
            )
        else:
            chatbot.CfnMicrosoftTeamsChannelConfiguration(
                self,
                "Channel",
                teams_tenant_id=channel.tenant,
                team_id=channel.team,
                teams_channel_id=channel.channel,
                **shared,
            )


class ForwardedNotifications(Construct):
    """A rule that sends the environment's notifications to another event bus, of any account and region.

    The bus's policy has to allow events:PutEvents to this account. What the bus refuses goes to the dead-letter queue.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment: the rule is `<prefix>-notifications`.
        bus_arn: ARN of the bus.
        undelivered: Standard queue for events that the bus did not accept.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, names: EnvironmentNames, bus_arn: str, undelivered: sqs.IQueue
    ) -> None:
        super().__init__(scope, construct_id)
        role = service_role(
            self,
            "Role",
            names=names,
            name=names.role("notifications"),
            service="events",
            description=f"Sends notifications of {names.prefix} to another event bus",
            statements=[allow(["events:PutEvents"], [bus_arn])],
        )
        events.CfnRule(
            self,
            "Rule",
            name=f"{names.prefix}-notifications",
            description="Sends notifications to the event bus of alerts.event_bus",
            event_pattern={
                "source": [ALERT_SOURCE],
                "detail-type": [NOTIFICATION_DETAIL_TYPE],
                "detail": {"factory": [names.factory], "environment": [names.environment]},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Bus",
                    arn=bus_arn,
                    role_arn=role.role_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
                )
            ],
        )
