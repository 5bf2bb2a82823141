"""SNS deliveries: to queues and functions by their policies, to e-mail after its confirmation, to chat as it shows them."""

import logging
import threading
import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.sns.exceptions import SNSInvalidParameter
from moto.sns.models import SNSBackend, Subscription
from moto.sns.responses import SNSResponse

from . import chat, deliveries
from .interfaces import EmbeddedAws

log = logging.getLogger(__name__)
_CONFIRMED_BY_RECIPIENT = ("email", "email-json", "http", "https")
"""Protocols whose recipient confirms (SNS API reference, Subscribe). The chat service confirms its own subscriptions."""


class Mailbox:
    """The e-mails of all subscriptions: requests for confirmation, which have the token of their link, and notifications."""

    def __init__(self) -> None:
        self._mails: list[dict[str, str]] = []
        self._lock = threading.Lock()

    def add(self, to: str, subject: str, text: str, **more: str) -> None:
        """Put an e-mail into the mailbox of all addresses."""
        with self._lock:
            self._mails.append({"to": to, "subject": subject, "text": text, **more})

    def restore(self, mails: list[dict[str, str]]) -> None:
        """Put kept e-mails back."""
        self._mails = mails

    def all(self) -> list[dict[str, str]]:
        """Every e-mail, the oldest first."""
        return list(self._mails)


def install(local: EmbeddedAws) -> None:
    """Check the policies before moto delivers a message, hold messages of unconfirmed subscriptions, and keep e-mails.

    A delivery that fails reaches neither the publisher nor the others. `/_local/mail` answers all e-mails.
    """
    mailbox = Mailbox()
    local.control("mail", lambda body: mailbox.all())
    local.stores.add("mail", mailbox.all, mailbox.restore)
    publish, subscribe = Subscription.publish, SNSBackend.subscribe

    def publish_where_allowed(self: Any, message: str, *arguments: Any, **more: Any) -> None:
        matcher = self._filter_policy_matcher
        if self.attributes.get("PendingConfirmation") or (
            matcher and not matcher.matches(more.get("message_attributes"), message)
        ):
            return
        text = self._parse_message_structure(message, self.protocol) if more.get("message_structure") else message
        if self.protocol == "email":
            mailbox.add(self.endpoint, more.get("subject") or "AWS Notification Message", text)
        elif self.endpoint == chat.ENDPOINT:
            chat.CHAT.receive(self.topic.arn, text)
        elif _may_deliver(local, self):
            try:
                publish(self, message, *arguments, **more)
            except Exception:
                log.exception("subscription of %s to %s", self.endpoint, self.topic.arn)

    def subscribe_pending(self: Any, topic_arn: str, endpoint: str, protocol: str) -> Any:
        known = self._find_subscription(topic_arn, endpoint, protocol)
        made: Any = known or subscribe(self, topic_arn, endpoint, protocol)
        if not known and protocol in _CONFIRMED_BY_RECIPIENT and endpoint != chat.ENDPOINT:
            made.attributes |= {"PendingConfirmation": True, "ConfirmationWasAuthenticated": False}
            made.token = uuid.uuid4().hex
            if protocol == "email":
                text = f"You have chosen to subscribe to the topic: {topic_arn}"
                mailbox.add(endpoint, "AWS Notification - Subscription Confirmation", text, token=made.token)
        return made

    local.replace(Subscription, "publish", publish_where_allowed)
    local.replace(SNSBackend, "subscribe", subscribe_pending)
    _install_answers(local)


def _install_answers(local: EmbeddedAws) -> None:
    """Answers that name an unconfirmed subscription as SNS does, and ConfirmSubscription."""
    subscribe = SNSResponse.subscribe

    def subscribed(self: Any) -> ActionResult:
        answer: Any = subscribe(self)
        made = self.backend.subscriptions[answer.result["SubscriptionArn"]]
        if made.attributes.get("PendingConfirmation") and self._get_param("ReturnSubscriptionArn") not in (
            True,
            "true",
        ):
            return ActionResult({"SubscriptionArn": "pending confirmation"})
        return answer

    def listed(found: tuple[list[Any], Any]) -> ActionResult:
        subscriptions, token = found
        rows = [
            {
                "SubscriptionArn": "PendingConfirmation" if each.attributes.get("PendingConfirmation") else each.arn,
                "Owner": each.owner,
                "Protocol": each.protocol,
                "Endpoint": each.endpoint,
                "TopicArn": each.topic_arn,
            }
            for each in subscriptions
        ]
        return ActionResult({"Subscriptions": rows, "NextToken": token})

    def confirm(self: Any) -> ActionResult:
        token = self._get_param("Token")
        for each in self.backend.subscriptions.values():
            if each.topic_arn == self._get_param("TopicArn") and getattr(each, "token", None) == token:
                each.attributes |= {"PendingConfirmation": False, "ConfirmationWasAuthenticated": True}
                return ActionResult({"SubscriptionArn": each.arn})
        raise SNSInvalidParameter("Invalid parameter: Token")

    def by_topic(self: Any) -> ActionResult:
        topic, token = self._get_param("TopicArn"), self._get_param("NextToken")
        return listed(self.backend.list_subscriptions_by_topic(topic, next_token=token))

    def everything(self: Any) -> ActionResult:
        return listed(self.backend.list_subscriptions(next_token=self._get_param("NextToken")))

    local.replace(SNSResponse, "subscribe", subscribed)
    local.replace(SNSResponse, "confirm_subscription", confirm)
    local.replace(SNSResponse, "list_subscriptions_by_topic", by_topic)
    local.replace(SNSResponse, "list_subscriptions", everything)


def _may_deliver(local: EmbeddedAws, subscription: Any) -> bool:
    if subscription.protocol not in ("sqs", "lambda"):
        return True
    call = deliveries.call_to(local, subscription.endpoint)
    return deliveries.check(local, deliveries.SNS, subscription.topic.arn, *call)
