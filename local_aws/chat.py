"""Amazon Q Developer in chat applications: configurations of channels, and the notifications that a channel would show.

The service subscribes to the topics by HTTPS. It shows events of AWS services as they are, alarms of CloudWatch and custom
notifications, and drops everything else (its administrator guide, "Custom notifications" and "Monitoring AWS services").
"""

import json
import threading
from dataclasses import dataclass, field
from typing import Any

from .interfaces import EmbeddedAws

ENDPOINT = "https://global.sns-api.chatbot.amazonaws.com"
"""The endpoint of the service's subscriptions."""


@dataclass
class Channel:
    """A configuration of one channel. `place`: the ids of workspace and channel, or of tenant, team and channel."""

    account: str
    name: str
    place: tuple[str, ...]
    topics: list[str]
    shown: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    dropped: list[str] = field(default_factory=list[str])


class Chat:
    """The configurations of all accounts: the service has no regions."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}
        self._lock = threading.Lock()

    def put(self, arn: str, channel: Channel) -> None:
        """Create or change a configuration."""
        with self._lock:
            if old := self._channels.get(arn):
                channel.shown, channel.dropped = old.shown, old.dropped
            self._channels[arn] = channel

    def find(self, account: str, place: str) -> dict[str, Any] | None:
        """The configuration of a channel in an account; `place`: its ids, joined by slashes."""
        found = (each for each in self._channels.values() if (each.account, "/".join(each.place)) == (account, place))
        return next(({"ConfigurationName": each.name} for each in found), None)

    def remove(self, arn: str) -> list[str]:
        """Delete a configuration; the topics that no other configuration of the account has."""
        with self._lock:
            removed = self._channels.pop(arn, None)
            used = {topic for each in self._channels.values() for topic in each.topics}
        return [topic for topic in removed.topics if topic not in used] if removed else []

    def receive(self, topic_arn: str, message: str) -> None:
        """Show a topic's message in its channels, or drop it."""
        shown = content_of(message)
        for channel in list(self._channels.values()):
            if topic_arn in channel.topics:
                if shown is None:
                    channel.dropped.append(message)
                else:
                    channel.shown.append(shown)

    def channels(self) -> dict[str, Channel]:
        """The configurations by ARN, to be kept."""
        return self._channels

    def restore(self, channels: dict[str, Channel]) -> None:
        """Put kept configurations back."""
        self._channels = channels

    def report(self) -> list[dict[str, Any]]:
        """Every configuration with what its channel shows."""
        return [{"arn": arn, **vars(channel)} for arn, channel in list(self._channels.items())]


def content_of(message: str) -> dict[str, Any] | None:
    """What a channel shows of a message; None for a message that the service drops."""
    try:
        found = json.loads(message)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    if found.get("source") == "custom":
        content = found.get("content")
        described = isinstance(content, dict) and content.get("description")
        return content if found.get("version") == "1.0" and described else None
    alarm = {"AlarmName", "NewStateValue"} <= found.keys()
    service = str(found.get("source", "")).startswith("aws.") and {"detail-type", "detail"} <= found.keys()
    return found if alarm or service else None


def install(local: EmbeddedAws) -> None:
    """Serve `/_local/chat`, the report of what channels show."""
    local.control("chat", lambda body: CHAT.report())
    local.rules.provide("chat-channel", lambda account, _, place: CHAT.find(account, place))
    local.stores.add("chat", CHAT.channels, CHAT.restore)
    local.on_stop(CHAT.__init__)


CHAT = Chat()
"""The service of this process, as moto's backends are."""
