"""Event source mappings from SQS to Lambda: batches of a queue, several at a time, with partial batch responses.

Sources: Lambda developer guide, "Configuring scaling behavior for SQS event source mappings": a FIFO queue has as many
invocations at a time as active message groups, a standard queue starts with five, and `MaximumConcurrency` of the mapping is
the most; "Using Lambda with Amazon SQS": a group's messages stay in order, retries included; "Handling errors for an SQS event
source". Moto invokes the function inside SendMessage, forgets failed messages and has no partial batches.
"""

import logging
import threading
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from moto.backends import get_backend
from moto.sqs.models import sqs_backends

from .arn import parse_arn
from .function_concurrency import TooManyRequestsError
from .interfaces import EmbeddedAws

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.25
"""How often a poller looks at a queue that got no message: messages that are delayed or were received become visible."""
RETRY_SECONDS = 1
"""The delay before a failed message is received again: on AWS it is the queue's visibility timeout."""
STANDARD_BATCHES = 5
"""Batches at a time of a standard queue. Lambda adds more when the queue stays full; here it does not."""

type Batch = list[dict[str, Any]]


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
                    arrived = self._arrivals[mapping.event_source_arn]
                    poll = _Poller(self._local, mapping, arrived, self._stop).run
                    self._threads[mapping.uuid] = threading.Thread(target=poll, daemon=True)
                    self._threads[mapping.uuid].start()


class _Poller:
    """The poller of one mapping. `arrived`: set when a message was sent, and when a batch has ended."""

    def __init__(self, local: EmbeddedAws, mapping: Any, arrived: threading.Event, stop: threading.Event) -> None:
        self._local, self._mapping, self._arrived, self._stop = local, mapping, arrived, stop
        _, self._region, self._account, self._name = parse_arn(mapping.event_source_arn)
        self._url = f"{local.endpoint_url}/{self._account}/{self._name}"
        self._running: set[threading.Thread] = set()
        self._seen: set[str] = set()
        self._slots = threading.Semaphore(self._most())  # one receipt may have batches of several groups

    def run(self) -> None:
        """Poll until the mapping is deleted or disabled."""
        while not self._stop.is_set() and any(each.uuid == self._mapping.uuid for each in _mappings()):
            self._arrived.wait(LOOK_SECONDS)
            self._arrived.clear()
            if self._stop.is_set():
                return
            try:
                while self._poll():
                    pass
            except Exception:
                if self._stop.is_set():
                    return
                log.exception("polling %s", self._name)
                self._stop.wait(RETRY_SECONDS)

    def _poll(self) -> bool:
        """Take a batch to the function; False when the queue has none, or as many run as may."""
        role = _function(self._mapping).role
        sqs = self._local.accounts.role_client("sqs", role, self._region)
        if role not in self._seen:  # Lambda looks at the queue to know how many pollers it needs
            sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"])
            self._seen.add(role)
        self._running = {thread for thread in self._running if thread.is_alive()}
        # A look into the queue costs less than a request.
        if len(self._running) >= self._most() or not self._has_messages():
            return False
        received: Batch = sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=min(10, self._mapping.batch_size or 10), AttributeNames=["All"]
        ).get("Messages", [])
        for batch in _batches(received):
            thread = threading.Thread(target=self._handle, args=(batch, sqs), daemon=True)
            self._running.add(thread)
            thread.start()
        return bool(received)

    def _most(self) -> int:
        """Batches that may run at a time. A FIFO queue gives no message of a group that has one in flight."""
        configured = (self._mapping.scaling_config or {}).get("MaximumConcurrency")
        if configured:
            return int(configured)
        return 1000 if self._name.endswith(".fifo") else STANDARD_BATCHES

    def _has_messages(self) -> bool:
        """Whether the queue would give a message: none of a group that has one in flight."""
        queue: Any = sqs_backends[self._account][self._region].queues[self._name]
        in_flight = queue.pending_message_groups if queue.fifo_queue else set()
        return any(message.group_id not in in_flight for message in queue.messages)

    def _handle(self, batch: Batch, sqs: Any) -> None:
        """Invoke the function with a batch; what it handled is deleted, the rest returns to the queue."""
        try:
            event = {"Records": [_record(message, self._mapping.event_source_arn, self._region) for message in batch]}
            try:
                with self._slots:
                    answer, _ = self._local.functions.invoke(_function(self._mapping), event)
            except TooManyRequestsError as throttled:  # the batch returns to the queue
                answer = {"error": {"errorType": "TooManyRequestsException", "errorMessage": throttled.message}}
            reports = "ReportBatchItemFailures" in (self._mapping.function_response_types or [])
            failed = _failed(answer, [message["MessageId"] for message in batch], reports_failures=reports)
            for message in batch:
                handle = {"QueueUrl": self._url, "ReceiptHandle": message["ReceiptHandle"]}
                if message["MessageId"] in failed:
                    # In the place of the visibility timeout, which needs no call and no permission.
                    service = self._local.accounts.client("sqs", self._account, self._region)
                    service.change_message_visibility(**handle, VisibilityTimeout=RETRY_SECONDS)
                else:
                    sqs.delete_message(**handle)
        except Exception:
            if not self._stop.is_set():
                log.exception("a batch of %s", self._name)
        finally:
            self._arrived.set()


def _batches(received: Batch) -> list[Batch]:
    """What one invocation gets: all messages of a standard queue, those of one group of a FIFO queue."""

    def group(message: dict[str, Any]) -> str:
        return message.get("Attributes", {}).get("MessageGroupId", "")

    return [list(messages) for _, messages in groupby(sorted(received, key=group), group)]


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
