"""The chat channels and the event bus of factory.yaml's section `alerts`, in the stacks of environments and of the delivery."""

from aws_cdk import Stack
from aws_cdk import aws_sqs as sqs

from model_factory.config import FactoryConfig
from model_factory.core.alert_channels import ChatChannel, ForwardedNotifications, SlackChannel, TeamsChannel
from model_factory.core.names import EnvironmentNames


def add_channels(stack: Stack, factory: FactoryConfig, names: EnvironmentNames, undelivered: sqs.IQueue) -> None:
    """Add what the environment needs of them to its stack."""
    alerts = factory.alerts
    channels: dict[str, SlackChannel | TeamsChannel] = {}
    if alerts.slack:
        channels["Slack"] = SlackChannel(alerts.slack.workspace, alerts.slack.channel)
    if alerts.teams:
        channels["Teams"] = TeamsChannel(alerts.teams.tenant, alerts.teams.team, alerts.teams.channel)
    topics = factory.chat_topics(names)
    for construct_id, channel in channels.items() if topics else ():
        configured = ChatChannel(stack, construct_id, names=names, channel=channel, topics=topics)
        # The own topic is known by name, which says nothing about the order.
        configured.node.add_dependency(stack.node.find_child("Alerts"))
    if alerts.event_bus:
        ForwardedNotifications(stack, "Bus", names=names, bus_arn=alerts.event_bus, undelivered=undelivered)
