"""Channel configurations of Amazon Q Developer in chat applications, which moto does not have."""

from functools import partial
from typing import Any

from ..chat import CHAT, ENDPOINT, Channel
from .resource_types import Context, Physical, Properties, ResourceType

_SLACK = ("SlackWorkspaceId", "SlackChannelId")
_TEAMS = ("TeamsTenantId", "TeamId", "TeamsChannelId")


def _arn(kind: str, properties: Properties, context: Context) -> str:
    return f"arn:aws:chatbot::{context.account}:chat-configuration/{kind}/{properties['ConfigurationName']}"


def _put(kind: str, place: tuple[str, ...], sns: Any, properties: Properties, context: Context) -> Physical:
    arn, topics = _arn(kind, properties, context), list(properties.get("SnsTopicArns", []))
    name = properties["ConfigurationName"]
    CHAT.put(arn, Channel(context.account, name, tuple(properties[part] for part in place), topics))
    _subscribe(sns, topics)
    return Physical(arn, {"Arn": arn})


def _update(
    kind: str, place: tuple[str, ...], sns: Any, physical: Physical, properties: Properties, context: Context
) -> Physical:
    return _put(kind, place, sns, properties, context)


def _subscribe(sns: Any, topics: list[str]) -> None:
    """The subscriptions that the service makes with its service-linked role, in each topic's region."""
    for topic in topics:
        if topic.split(":")[3] == sns.meta.region_name:
            sns.subscribe(TopicArn=topic, Protocol="https", Endpoint=ENDPOINT)


def _delete(sns: Any, physical: Physical) -> None:
    for topic in CHAT.remove(physical.identifier):
        if topic.split(":")[3] == sns.meta.region_name:
            for each in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
                if each["Endpoint"] == ENDPOINT:
                    sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])


def _type(name: str, kind: str, place: tuple[str, ...]) -> ResourceType:
    return ResourceType(
        name,
        "sns",
        partial(_put, kind, place),
        _delete,
        partial(_update, kind, place),
        "ConfigurationName",
        lambda _, configuration: any(each["name"] == configuration for each in CHAT.report()),
    )


TYPES = [
    _type("AWS::Chatbot::SlackChannelConfiguration", "slack-channel", _SLACK),
    _type("AWS::Chatbot::MicrosoftTeamsChannelConfiguration", "microsoft-teams-channel", _TEAMS),
]
