"""A test of an environment's alerts: one alert through every configured way, and what can be known of its arrival."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from model_factory.config import Environment
from model_factory.core.names import DELIVERY
from model_factory.functions.shared.alerts import Alert, put_alert

from ..acceptance.alerts import subscribed_queue
from ..project import EnvironmentSession, Project, UsageError

ARRIVAL_SECONDS = 60
_CHAT = "chatbot.amazonaws.com"
_REFUSAL_SECONDS = 5


@dataclass(frozen=True)
class Way:
    """One way that a notification takes. `arrived`: True and False are sure, None is not known from here."""

    name: str
    arrived: bool | None
    text: str


def alerts_session(project: Project, name: str | None) -> EnvironmentSession:
    """The session of an environment, or of the tooling account for the name `delivery`. Raises UsageError."""
    delivery = project.factory.delivery
    if name != DELIVERY or not delivery:
        return project.environment(name)
    place = {"name": DELIVERY, "account": delivery.account, "region": delivery.region}
    return EnvironmentSession(project, Environment.model_validate(place))


def send_test_alert(session: EnvironmentSession, seconds: float = ARRIVAL_SECONDS) -> list[Way]:
    """Send one alert, which no window suppresses, and report each configured way.

    Args:
        session: The environment.
        seconds: How long the alert may take to the topic.

    Raises:
        UsageError: Nobody is notified, because factory.yaml configures no way.
    """
    alerts = session.project.factory.alerts
    if not (alerts.emails or alerts.slack or alerts.teams or alerts.event_bus):
        raise UsageError(
            "nobody is notified: factory.yaml has no `alerts`; give emails, slack, teams or event_bus there and deploy"
        )
    cause = f"test-{uuid.uuid4().hex[:8]}"
    if not _reaches_topic(session, cause, seconds):
        where = f"the log group /aws/lambda/{session.names.function('alerts')} and the alarms {session.names.prefix}-alerts-*"
        return [Way("topic", False, f"the alert {cause} did not arrive within {seconds:.0f} s; look at {where}")]
    return [Way("topic", True, f"the alert {cause} arrived"), *_subscribed(session), *_bus(session, cause)]


def _reaches_topic(session: EnvironmentSession, cause: str, seconds: float) -> bool:
    names = session.names
    alert = Alert(
        model="",
        cause=cause,
        what="This is a test of the alerts.",
        why=f"{session.caller_arn} ran model-factory alerts test.",
        done="Nothing has to be done.",
    )
    try:
        with subscribed_queue(session.client, names) as received:
            put_alert(session.client("events"), alert, factory=names.factory, environment=names.environment)
            try:
                received(cause, seconds)
            except UsageError:
                return False
    except ClientError as error:
        # Not the client's own exception class: moto and AWS name it differently.
        if "NotFound" in str(error.response.get("Error", {}).get("Code")):
            raise session.not_deployed(f"topic {names.alerts_topic!r}") from None
        raise
    return True


def _subscribed(session: EnvironmentSession) -> Iterator[Way]:
    """What the topic's subscriptions say about e-mail and chat."""
    topic, alerts = session.names.arn("sns", session.names.alerts_topic), session.project.factory.alerts
    pages = session.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    found: dict[str, str] = {each["Endpoint"]: each["SubscriptionArn"] for p in pages for each in p["Subscriptions"]}
    for address in alerts.emails:
        yield _email(address, found.get(address))
    chat = any(_CHAT in endpoint for endpoint in found)
    for name, channel in (("slack", alerts.slack), ("teams", alerts.teams)):
        if channel and chat:
            yield Way(
                f"{name} {channel.channel}", None, "sent; look in the channel, which has to have the app Amazon Q"
            )
        elif channel:
            yield Way(
                f"{name} {channel.channel}", False, "the chat service is not subscribed to the topic; deploy the stack"
            )


def _email(address: str, subscription: str | None) -> Way:
    name = f"email {address}"
    if subscription is None:
        return Way(name, False, "is not subscribed; deploy the stack")
    if not subscription.startswith("arn:"):
        text = "has not confirmed: open the link of the e-mail 'AWS Notification - Subscription Confirmation'"
        return Way(
            name, False, f"{text}; links are valid for two days, deploy again with the address removed and added"
        )
    return Way(name, None, "sent; look in the inbox")


def _bus(session: EnvironmentSession, cause: str) -> Iterator[Way]:
    """Whether the rule to the other event bus exists, and whether the bus has refused the notification."""
    arn = session.project.factory.alerts.event_bus
    if arn is None:
        return
    name, rule = f"event bus {arn}", f"{session.names.prefix}-notifications"
    try:
        targets = session.client("events").list_targets_by_rule(Rule=rule)["Targets"]
    except ClientError:
        targets = []
    if not any(target["Arn"] == arn for target in targets):
        yield Way(name, False, f"the rule {rule} does not send to it; deploy the stack")
    elif refusal := _refusal(session, cause):
        yield Way(name, False, f"refused: {refusal}; the bus's policy has to allow events:PutEvents to this account")
    else:
        yield Way(name, None, "sent; EventBridge reports no refusal so far, and retries other failures for 24 hours")


def _refusal(session: EnvironmentSession, cause: str) -> str | None:
    """Why the notification is among the undelivered events, if it is; it is removed from there."""
    sqs = session.client("sqs")
    url = sqs.get_queue_url(QueueName=session.names.undelivered_queue)["QueueUrl"]
    end = time.monotonic() + _REFUSAL_SECONDS
    while time.monotonic() < end:
        request = {"MaxNumberOfMessages": 10, "VisibilityTimeout": 1, "WaitTimeSeconds": 1}
        answer = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], **request)
        for message in answer.get("Messages", []):
            if cause in message["Body"]:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                texts: dict[str, Any] = message.get("MessageAttributes", {})
                return ": ".join(texts[key]["StringValue"] for key in ("ERROR_CODE", "ERROR_MESSAGE") if key in texts)
    return None
