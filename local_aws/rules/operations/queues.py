"""SQS: messages, batches and FIFO queues."""

from typing import Any

from ..checks import found, more_than, not_matching, outside, repeated, size
from ..rule import Check, Entry, NotEnforced, Request, Values, table

SEND = "SQS API reference: SendMessage"
BATCH = "SQS API reference: SendMessageBatch"
rule = table("sqs", "InvalidParameterValue", SEND)

STANDARD, FIFO = "http://localhost/123456789012/q", "http://localhost/123456789012/q.fifo"
GIVEN = {
    f"queue/{STANDARD}": {"FifoQueue": False, "MaximumMessageSize": 1048576},
    f"queue/{FIFO}": {"FifoQueue": True, "ContentBasedDeduplication": False, "MaximumMessageSize": 1048576},
}
LIMIT = 1048576
CHARACTERS = r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}"
BATCHES = "SendMessageBatch DeleteMessageBatch ChangeMessageVisibilityBatch"


def to(url: str, **more: Any) -> dict[str, Any]:
    """Parameters of SendMessage."""
    return {"QueueUrl": url, "MessageBody": "m", **more}


def fifo(**more: Any) -> dict[str, Any]:
    """Parameters of SendMessage to a FIFO queue."""
    return {**to(FIFO), "MessageGroupId": "g", "MessageDeduplicationId": "d", **more}


def batch(*bodies: str, ids: str = "0123456789abcdef") -> dict[str, Any]:
    """Parameters of SendMessageBatch."""
    entries = [{"Id": identifier, "MessageBody": body} for identifier, body in zip(ids, bodies, strict=False)]
    return {"QueueUrl": STANDARD, "Entries": entries}


def _queue(request: Request) -> Any:
    return request.find("queue", request.params["QueueUrl"]) or {}


def _to_fifo(check: Check) -> Check:
    return lambda request: check(request) if _queue(request).get("FifoQueue") else None


def _lacks(member: str) -> Check:
    return lambda request: member not in request.params


def _size(entry: Any) -> int:
    """Bytes of a message with its attributes: names, types and values."""
    attributes = entry.get("MessageAttributes", {}).items()
    values = (
        size(name) + size(value.get("DataType", "")) + size(value.get("StringValue", value.get("BinaryValue", "")))
        for name, value in attributes
    )
    return size(entry.get("MessageBody", "")) + sum(values)


def _too_large(request: Request) -> Values | None:
    limit = _queue(request).get("MaximumMessageSize", LIMIT)
    return {"limit": limit} if _size(request.params) > limit else None


def _batch_too_large(request: Request) -> Values | None:
    total = sum(_size(entry) for entry in found(request.params, "Entries[]"))
    return {"count": total} if total > LIMIT else None


def _no_deduplication(request: Request) -> bool:
    by_content = _queue(request).get("ContentBasedDeduplication")
    return not by_content and "MessageDeduplicationId" not in request.params


ENTRIES: tuple[Entry, ...] = (
    rule(
        "SendMessage",
        "A message with its attributes is at most the queue's MaximumMessageSize, which is 1 MiB at most.",
        "One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes.",
        _too_large,
        to(STANDARD),
        to(STANDARD, MessageBody="x" * (LIMIT + 1)),
        given=GIVEN,
    ),
    rule(
        "SendMessage",
        "A message contains at least one character.",
        "The request must contain the parameter MessageBody.",
        lambda request: not request.params.get("MessageBody"),
        to(STANDARD),
        to(STANDARD, MessageBody=""),
        code="MissingParameter",
        given=GIVEN,
    ),
    rule(
        "SendMessage",
        "Messages contain only characters that XML allows.",
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | "
        "#x10000 to #x10FFFF",
        not_matching(r"[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*", "MessageBody"),
        to(STANDARD),
        to(STANDARD, MessageBody="a\u0001"),
        code="InvalidMessageContents",
        given=GIVEN,
    ),
    rule(
        "SendMessage",
        "A message to a FIFO queue names its group.",
        "The request must contain the parameter MessageGroupId.",
        _to_fifo(_lacks("MessageGroupId")),
        fifo(),
        to(FIFO, MessageDeduplicationId="d"),
        code="MissingParameter",
        given=GIVEN,
    ),
    rule(
        "SendMessage",
        "A FIFO queue deduplicates by content, or each message has a MessageDeduplicationId.",
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        _to_fifo(_no_deduplication),
        fifo(),
        to(FIFO, MessageGroupId="g"),
        given=GIVEN,
    ),
    rule(
        "SendMessage",
        "Messages to a FIFO queue have no delay of their own.",
        "Value {value} for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for "
        "this queue type.",
        _to_fifo(
            lambda request: {"value": request.params["DelaySeconds"]} if request.params.get("DelaySeconds") else None
        ),
        fifo(),
        fifo(DelaySeconds=5),
        given=GIVEN,
    ),
    rule(
        "SendMessage",
        "A message group's identifier has up to 128 letters, digits and punctuation characters.",
        "Value {value} for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and "
        "punctuation characters. 1 to 128 in length.",
        not_matching(CHARACTERS, "MessageGroupId"),
        fifo(),
        fifo(MessageGroupId="two words"),
        given=GIVEN,
    ),
    rule(
        "SendMessage",
        "A deduplication identifier has up to 128 letters, digits and punctuation characters.",
        "Value {value} for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId can only include "
        "alphanumeric and punctuation characters. 1 to 128 in length.",
        not_matching(CHARACTERS, "MessageDeduplicationId"),
        fifo(),
        fifo(MessageDeduplicationId="d" * 129),
        given=GIVEN,
    ),
    rule(
        "SendMessage",
        "A message is delayed by at most 15 minutes.",
        "Value {value} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
        outside(0, 900, "DelaySeconds"),
        to(STANDARD, DelaySeconds=900),
        to(STANDARD, DelaySeconds=901),
        given=GIVEN,
    ),
    rule(
        "SendMessage",
        "A message has at most ten attributes.",
        "Number of message attributes [{count}] exceeds the allowed maximum [10].",
        more_than(10, "MessageAttributes"),
        to(STANDARD, MessageAttributes={"a": {"DataType": "String", "StringValue": "v"}}),
        to(STANDARD, MessageAttributes={f"a{i}": {"DataType": "String", "StringValue": "v"} for i in range(11)}),
        source="SQS developer guide: Amazon SQS message metadata",
        given=GIVEN,
    ),
    rule(
        BATCHES,
        "A batch has at least one entry.",
        "There should be at least one entry in the request.",
        lambda request: not request.params.get("Entries"),
        batch("m"),
        batch(),
        code="AWS.SimpleQueueService.EmptyBatchRequest",
        source=BATCH,
        given=GIVEN,
    ),
    rule(
        BATCHES,
        "A batch has at most ten entries.",
        "Maximum number of entries per request are 10. You have sent {count}.",
        more_than(10, "Entries"),
        batch(*"abc"),
        batch(*"abcdefghijk"),
        code="AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        source=BATCH,
        given=GIVEN,
    ),
    rule(
        BATCHES,
        "Identifiers of a batch's entries are unique.",
        "Id {value} repeated.",
        repeated("Entries[].Id"),
        batch("m", "n"),
        batch("m", "n", ids="00"),
        code="AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        source=BATCH,
        given=GIVEN,
    ),
    rule(
        BATCHES,
        "An entry's identifier has up to 80 letters, digits, hyphens and underscores.",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters "
        "long.",
        not_matching(r"[A-Za-z0-9_-]{1,80}", "Entries[].Id"),
        batch("m"),
        batch("m", ids="*"),
        code="AWS.SimpleQueueService.InvalidBatchEntryId",
        source=BATCH,
        given=GIVEN,
    ),
    rule(
        "SendMessageBatch",
        "The messages of a batch are 1 MiB together.",
        "Batch requests cannot be longer than 1048576 bytes. You have sent {count} bytes.",
        _batch_too_large,
        batch("m", "n"),
        batch("m" * 700_000, "n" * 700_000),
        code="AWS.SimpleQueueService.BatchRequestTooLong",
        source=BATCH,
        given=GIVEN,
    ),
    rule(
        "ReceiveMessage",
        "One to ten messages are received at once.",
        "Value {value} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
        outside(1, 10, "MaxNumberOfMessages"),
        {"QueueUrl": STANDARD, "MaxNumberOfMessages": 10},
        {"QueueUrl": STANDARD, "MaxNumberOfMessages": 11},
        source="SQS API reference: ReceiveMessage",
    ),
    rule(
        "ReceiveMessage",
        "A long poll waits for at most 20 seconds.",
        "Value {value} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
        outside(0, 20, "WaitTimeSeconds"),
        {"QueueUrl": STANDARD, "WaitTimeSeconds": 20},
        {"QueueUrl": STANDARD, "WaitTimeSeconds": 21},
        source="SQS API reference: ReceiveMessage",
    ),
    rule(
        "ReceiveMessage ChangeMessageVisibility",
        "A message is invisible for at most 12 hours.",
        "Value {value} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200, if provided.",
        outside(0, 43200, "VisibilityTimeout"),
        {"QueueUrl": STANDARD, "VisibilityTimeout": 43200},
        {"QueueUrl": STANDARD, "VisibilityTimeout": 43201},
        source="SQS API reference: ChangeMessageVisibility",
    ),
    NotEnforced(
        "sqs",
        "ReceiveMessage",
        "At most 120,000 messages of a queue are in flight.",
        "SQS developer guide: Amazon SQS message quotas",
        "No test or demo holds that many messages.",
    ),
)
