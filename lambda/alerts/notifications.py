"""The notification of an alert: its texts for e-mail and chat, and its event; published to the topic and the default bus."""

import json
import os
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from shared.alerts import put_event
from shared.clients import client
from shared.names import factory_and_environment
from sources import Event
from texts import Place

NOTIFICATION_DETAIL_TYPE = "Model Factory Notification"
LONGEST_SUBJECT = 99
"""SNS: a subject is "less than 100 characters long" (API reference, Publish)."""
_MARKDOWN = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True)
class Notifier:
    """Publishes notifications of one environment. `topic`: ARN of the alerts topic."""

    place: Place
    topic: str

    @classmethod
    def from_environment(cls) -> "Notifier":
        """The notifier of the environment that the stack configures. Raises KeyError."""
        return cls(Place(*factory_and_environment(os.environ["MODELS_PARAMETER_PREFIX"])), os.environ["ALERTS_TOPIC"])

    def notify(self, event: Event, *, suppressed: int, since: datetime | None) -> None:
        """Publish the notification. `suppressed`: events of this cause that were not told since the last notification."""
        facts = self._facts(event, suppressed, since)
        put_event(client("events"), NOTIFICATION_DETAIL_TYPE, facts)
        text, chat = email_text(facts), json.dumps(chat_notification(facts, event))
        client("sns").publish(
            TopicArn=self.topic,
            Subject=subject(facts),
            MessageStructure="json",
            # The chat service subscribes by HTTPS and shows notifications of its own schema only.
            Message=json.dumps({"default": text, "email": text, "https": chat}),
        )

    def _facts(self, event: Event, suppressed: int, since: datetime | None) -> dict[str, Any]:
        texts = asdict(event.alert)
        not_told = f"{suppressed} with the same cause since {since:%Y-%m-%d %H:%M} UTC" if suppressed and since else ""
        return {
            "id": event.id,
            "time": event.time,
            "factory": self.place.factory,
            "environment": self.place.environment,
            **texts,
            "not_told": not_told,
        }


def subject(facts: dict[str, Any]) -> str:
    """Subject of an e-mail, in ASCII."""
    version = f" version {facts['version']}" if facts["version"] else ""
    text = f"[{facts['factory']} {facts['environment']}] {facts['model']}{version}: {facts['what']}"
    text = re.sub(r"\s+", " ", text.replace("] : ", "] "))
    text = text.encode("ascii", "replace").decode()
    return text if len(text) <= LONGEST_SUBJECT else f"{text[: LONGEST_SUBJECT - 3]}..."


def email_text(facts: dict[str, Any]) -> str:
    """The notification as text: one line or paragraph for each fact."""
    version = f", version {facts['version']}" if facts["version"] else ""
    lines = {
        "Model": f"{facts['model']}{version}" if facts["model"] else "",
        "Environment": f"{facts['environment']} of {facts['factory']}",
        "What": facts["what"],
        "Why": facts["why"],
        "Done": facts["done"] or "Nothing was done automatically.",
        "Next": facts["command"],
        "Not sent": facts["not_told"],
        "Time": facts["time"],
        "Cause": facts["cause"],
    }
    return "\n".join(f"{name + ':':<13}{value}" for name, value in lines.items() if value)


def chat_notification(facts: dict[str, Any], event: Event) -> dict[str, Any]:
    """The custom notification of Amazon Q Developer in chat applications ('Custom notifications', its administrator guide)."""
    text = {name: _plain(str(value)) for name, value in facts.items() if value}
    paragraphs = [f"*{name.capitalize()}:* {text[name]}" for name in ("what", "why", "done") if name in text]
    if "not_told" in text:
        paragraphs.append(f"*Not sent:* {text['not_told']}")
    return {
        "version": "1.0",
        "source": "custom",
        "id": event.id,
        "content": {
            "textType": "client-markdown",
            "title": _plain(subject(facts)),
            "description": "\n".join(paragraphs),
            **({"nextSteps": [f"`{facts['command']}`"]} if facts["command"] else {}),
            "keywords": [word for word in (facts["environment"], facts["model"], facts["cause"]) if word],
        },
        "metadata": {"threadId": event.key, "summary": text["what"], "eventType": facts["cause"]},
    }


def _plain(text: str) -> str:
    """Text in which a chat finds no mention and no link: reasons hold what people wrote."""
    return re.sub("[&<>]", lambda match: _MARKDOWN[match[0]], text)
