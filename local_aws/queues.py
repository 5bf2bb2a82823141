"""Queues as SQS has them: FIFO queues keep the order of a group through retries and remember deduplication ids after a message is
deleted, and attributes that are not given stay as they are.

Moto does none of this, and invokes functions of event source mappings inside SendMessage; here `pollers` reads the queues.
"""

import threading
from collections import defaultdict
from types import ModuleType
from typing import Any

from moto.sqs.models import DEDUPLICATION_TIME_IN_SECONDS, Queue, SQSBackend

from .interfaces import EmbeddedAws
from .pollers import Pollers


def install(local: EmbeddedAws) -> None:
    """Poll in moto's place, from the first use of Lambda on; give FIFO queues their order and their memory."""
    add_message = Queue.add_message
    arrivals: defaultdict[str, threading.Event] = defaultdict(threading.Event)

    def add_once(self: Any, message: Any) -> None:
        if _is_repeat(self, message):
            return
        mappings, self.lambda_event_source_mappings = self.lambda_event_source_mappings, {}
        try:
            add_message(self, message)
        finally:
            self.lambda_event_source_mappings = mappings
        arrivals[self.queue_arn].set()

    receive_message = SQSBackend.receive_message

    def receive_in_order(self: Any, queue_name: str, *arguments: Any, **more: Any) -> Any:
        queue: Any = self.get_queue(queue_name)
        # Moto takes one back at a time, and holds the first against those that it received with it.
        queue.pending_messages.difference_update([m for m in list(queue.pending_messages) if m.visible])
        return receive_message(self, queue_name, *arguments, **more)

    set_attributes = Queue._set_attributes

    def set_those_given(self: Any, attributes: dict[str, Any], now: float | None = None) -> None:
        # Moto takes a queue's policy away when any other attribute is set; a new queue has none yet.
        kept = {"Policy": self.policy} if hasattr(self, "_policy_json") else {}
        set_attributes(self, kept | attributes, now)

    local.replace(Queue, "_set_attributes", set_those_given)
    local.replace(Queue, "add_message", add_once)
    local.replace(SQSBackend, "receive_message", receive_in_order)
    local.replace(Queue, "pending_message_groups", property(_groups_in_flight))

    def poll(_: ModuleType) -> None:
        Pollers(local, arrivals)

    local.when_imported("moto.awslambda.models", poll)


def _is_repeat(queue: Any, message: Any) -> bool:
    """Whether the queue got this deduplication id within five minutes; the message may have been deleted since.

    'Amazon SQS continues to keep track of the message deduplication ID even after the message is received and deleted'
    (SendMessage, MessageDeduplicationId).
    """
    if not queue.fifo_queue or not message.deduplication_id:
        return False
    group = message.group_id if queue.deduplication_scope == "messageGroup" else None
    known: dict[Any, int] = queue.__dict__.setdefault("known_deduplication_ids", {})
    sent = known.get((group, message.deduplication_id))
    if sent is not None and message.sent_timestamp - sent < DEDUPLICATION_TIME_IN_SECONDS * 1000:
        return True
    known[group, message.deduplication_id] = message.sent_timestamp
    return False


def _groups_in_flight(queue: Any) -> set[str]:
    """Groups with a message that a consumer has. Moto counts messages that are visible again, and so skips the first one."""
    return {message.group_id for message in queue.pending_messages if message.group_id and not message.visible}
