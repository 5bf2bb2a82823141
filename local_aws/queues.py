"""Event source mappings from SQS to Lambda: a poller for each queue, with partial batch responses and ordered FIFO groups.

Moto invokes the function inside SendMessage, forgets failed messages and has no partial batches; here a thread polls as
Lambda's does, under the role of the function. FIFO queues keep the order of a group through retries, and remember
deduplication ids after a message is deleted; moto does neither.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from moto.backends import get_backend
from moto.sqs.models import DEDUPLICATION_TIME_IN_SECONDS, Queue, SQSBackend, sqs_backends

from .arn import parse_arn
from .function_concurrency import TooManyRequestsError
from .interfaces import EmbeddedAws

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.25
"""How often a poller looks at a queue that got no message: messages that are delayed or were received become visible."""
RETRY_SECONDS = 1
"""The delay before a failed message is received again: on AWS it is the queue's visibility timeout."""


class Pollers:
    """Polls every queue that an enabled event source mapping names.

    `arrivals` has an event for each queue, by its ARN, that is set when a message is sent.
    """

    def __init__(self, local: EmbeddedAws, arrivals: Mapping[str, threading.Event]) -> None:
        self._local, self._arrivals = local, arrivals
        self._stop = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        threading.Thread(target=self._watch, name="sqs-pollers", daemon=True).start()
        local.on_stop(self._stop.set)

    def _watch(self) -> None:
        """Start a poller for each new mapping; the poller of a deleted mapping ends."""
        while not self._stop.wait(LOOK_SECONDS):
            for mapping in _mappings():
                thread = self._threads.get(mapping.uuid)
                if thread is None or not thread.is_alive():
                    self._threads[mapping.uuid] = threading.Thread(target=self._poll, args=(mapping,), daemon=True)
                    self._threads[mapping.uuid].start()

    def _poll(self, mapping: Any) -> None:
        arn = mapping.event_source_arn
        _, region, account, name = parse_arn(arn)
        url = f"{self._local.endpoint_url}/{account}/{name}"
        seen: set[str] = set()
        arrived = self._arrivals[arn]
        while not self._stop.is_set() and any(m.uuid == mapping.uuid for m in _mappings()):
            arrived.wait(LOOK_SECONDS)
            arrived.clear()
            if self._stop.is_set():
                return
            try:
                role = _function(mapping).role
                sqs = self._local.accounts.role_client("sqs", role, region)
                if role not in seen:  # Lambda looks at the queue to know how many pollers it needs
                    sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
                    seen.add(role)
                # A look into the queue costs less than a request.
                if sqs_backends[account][region].queues[name].messages and self._batch(mapping, sqs, url, region):
                    arrived.set()
            except Exception:
                if self._stop.is_set():
                    return
                log.exception("polling %s", name)
                self._stop.wait(RETRY_SECONDS)

    def _batch(self, mapping: Any, sqs: Any, url: str, region: str) -> bool:
        """Invoke the function with the messages that the queue has; False when another consumer has them."""
        received = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=min(10, mapping.batch_size or 10), AttributeNames=["All"]
        ).get("Messages", [])
        if not received:
            return False
        event = {"Records": [_record(message, mapping.event_source_arn, region) for message in received]}
        try:
            answer, _ = self._local.functions.invoke(_function(mapping), event)
        except TooManyRequestsError as throttled:  # the batch returns to the queue
            answer = {"error": {"errorType": "TooManyRequestsException", "errorMessage": throttled.message}}
        reports = "ReportBatchItemFailures" in (mapping.function_response_types or [])
        failed = _failed(answer, [message["MessageId"] for message in received], reports_failures=reports)
        for message in received:
            handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
            if message["MessageId"] in failed:
                # In the place of the visibility timeout, which needs no call and no permission.
                _, _, account, _ = parse_arn(mapping.event_source_arn)
                service = self._local.accounts.client("sqs", account, region)
                service.change_message_visibility(**handle, VisibilityTimeout=RETRY_SECONDS)
            else:
                sqs.delete_message(**handle)
        return True


def _function(mapping: Any) -> Any:
    _, region, account, _ = parse_arn(mapping.function_arn)
    return _lambda_backends()[account][region].get_function(mapping.function_arn)


def _lambda_backends() -> Any:
    return get_backend("lambda")


def _mappings() -> list[Any]:
    return [
        mapping
        for regions in list(_lambda_backends().values())
        for backend in list(regions.values())
        for mapping in list(backend._event_source_mappings.values())
        if mapping.enabled and ":sqs:" in mapping.event_source_arn
    ]


def _record(message: dict[str, Any], queue_arn: str, region: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": message.get("MessageAttributes", {}),
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def _failed(answer: dict[str, Any], all_ids: list[str], *, reports_failures: bool) -> set[str]:
    """Ids of the messages that return to the queue: all after an error, else those in batchItemFailures.

    Only a mapping with ReportBatchItemFailures looks at the answer. An id that is empty or not in the batch fails all
    (Lambda's guide, 'Handling errors for an SQS event source').
    """
    if "error" in answer:
        return set(all_ids)
    result = answer.get("result")
    if not reports_failures or not isinstance(result, dict):
        return set()
    identifiers = {item.get("itemIdentifier") for item in result.get("batchItemFailures") or []}
    return set(all_ids) if identifiers - set(all_ids) else identifiers


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
