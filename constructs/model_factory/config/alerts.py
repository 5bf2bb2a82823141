"""Section `alerts` of factory.yaml: who is notified, and how often of the same cause."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from .fields import (
    Duration,
    Email,
    EventBusArn,
    MicrosoftId,
    Section,
    SlackChannelId,
    SlackWorkspaceId,
    TeamsChannelId,
    at_most,
)


class Slack(Section):
    """A Slack channel, through Amazon Q Developer in chat applications."""

    workspace: SlackWorkspaceId = Field(
        description="Id of the workspace. It has to be authorized once for each account, in the service's console."
    )
    channel: SlackChannelId = Field(description="Id of the channel, at the end of its link.")


class Teams(Section):
    """A channel of Microsoft Teams, through Amazon Q Developer in chat applications."""

    tenant: MicrosoftId = Field(description="Id of the Microsoft tenant: `tenantId` in the channel's link.")
    team: MicrosoftId = Field(
        description="Id of the team: `groupId` in the channel's link. It has to be authorized once for each account, in the "
        "service's console."
    )
    channel: TeamsChannelId = Field(description="Id of the channel as in its link, with %3A and %40.")


class Alerts(Section):
    """Notification recipients."""

    emails: list[Email] = Field(
        default_factory=list,
        description="Email addresses that are subscribed to the alerts topic of every environment.",
    )
    slack: Slack | None = Field(default=None, description="Slack channel of every environment. Default: none.")
    teams: Teams | None = Field(
        default=None, description="Channel of Microsoft Teams of every environment. Default: none."
    )
    event_bus: EventBusArn | None = Field(
        default=None,
        description="ARN of an EventBridge event bus, of any account, that gets every notification as an event. Its policy has "
        "to allow the accounts of the environments. Default: none.",
    )
    window: Annotated[
        Duration, at_most(timedelta(days=6), "six days", "the lifecycle of the bucket that keeps windows")
    ] = Field(
        default="1h",
        validate_default=True,
        description="Time in which one notification is sent for the same cause and version; the next notification has the number "
        "of those that were not sent. An alarm that is OK again ends it.",
    )
