"""SNS, EventBridge and Lambda: what is published, put and invoked."""

import json
from typing import Any

from ..checks import found, larger_than, longer_than, none_of, not_matching, size
from ..rule import Check, Entry, NotEnforced, Request, Values, table

PUBLISH = "SNS API reference: Publish"
EVENTS = "EventBridge API reference: PutEvents"
INVOKE = "Lambda API reference: Invoke"
rule = table("sns", "InvalidParameter", PUBLISH)
events = table("events", "ValidationException", EVENTS)
invoke = table("lambda", "RequestTooLargeException", INVOKE)

TOPIC, FIFO = "arn:aws:sns:us-east-1:123456789012:t", "arn:aws:sns:us-east-1:123456789012:t.fifo"
GIVEN = {
    f"topic/{TOPIC}": {"FifoTopic": False},
    f"topic/{FIFO}": {"FifoTopic": True, "ContentBasedDeduplication": False},
}
SYNCHRONOUS, ASYNCHRONOUS = 6 * 1024 * 1024, 1024 * 1024


def to(topic: str = TOPIC, **more: Any) -> dict[str, Any]:
    """Parameters of Publish."""
    return {"TopicArn": topic, "Message": "m", **more}


def _to_fifo(check: Check) -> Check:
    def of_fifo(request: Request) -> Values | bool | None:
        topic = request.find("topic", request.params.get("TopicArn", "")) or {}
        return check(request) if topic.get("FifoTopic") and not topic.get("ContentBasedDeduplication") else None

    return of_fifo


def _lacks_default(request: Request) -> bool:
    if request.params.get("MessageStructure") != "json":
        return False
    try:
        return "default" not in json.loads(request.params["Message"])
    except ValueError:
        return True


def _invoked(kind: str, limit: int) -> Check:
    def check(request: Request) -> Values | None:
        invoked = request.params.get("InvocationType", "RequestResponse") == kind
        return {"count": request.size} if invoked and request.size > limit else None

    return check


def entry(**more: Any) -> dict[str, Any]:
    """Parameters of PutEvents with one entry."""
    return {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}", **more}]}


def _events_too_large(request: Request) -> bool:
    members = ("Source", "DetailType", "Detail", "Time")
    entries = found(request.params, "Entries[]")
    return sum(size(str(each_.get(name, ""))) for each_ in entries for name in members) > 1024 * 1024


ENTRIES: tuple[Entry, ...] = (
    rule(
        "Publish",
        "A message goes to a topic, a target or a telephone number.",
        "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter",
        none_of("TopicArn", "TargetArn", "PhoneNumber"),
        to(),
        {"Message": "m"},
        given=GIVEN,
    ),
    rule(
        "Publish",
        "A message is at most 256 KiB by default.",
        "Invalid parameter: Message too long",
        larger_than(262144, "Message"),
        to(),
        to(Message="x" * 262145),
        given=GIVEN,
    ),
    rule(
        "Publish",
        "A message is not empty.",
        "Invalid parameter: Empty message",
        lambda request: not request.params.get("Message"),
        to(),
        to(Message=""),
        given=GIVEN,
    ),
    rule(
        "Publish",
        "A subject has at most 100 characters.",
        "Invalid parameter: Subject",
        longer_than(100, "Subject"),
        to(Subject="s" * 100),
        to(Subject="s" * 101),
        given=GIVEN,
    ),
    rule(
        "Publish",
        "A subject has no line breaks or control characters.",
        "Invalid parameter: Subject",
        not_matching(r"[^\x00-\x1f\x7f]+", "Subject"),
        to(Subject="Training failed"),
        to(Subject="Training\nfailed"),
        given=GIVEN,
    ),
    rule(
        "Publish",
        "With MessageStructure json the message is a JSON object with the key default.",
        "Invalid parameter: Message Structure - No default entry in JSON message body",
        _lacks_default,
        to(MessageStructure="json", Message='{"default": "m"}'),
        to(MessageStructure="json", Message='{"email": "m"}'),
        given=GIVEN,
    ),
    rule(
        "Publish",
        "A message to a FIFO topic names its group.",
        "Invalid parameter: The MessageGroupId parameter is required for FIFO topics",
        _to_fifo(lambda request: "MessageGroupId" not in request.params),
        to(FIFO, MessageGroupId="g", MessageDeduplicationId="d"),
        to(FIFO, MessageDeduplicationId="d"),
        given=GIVEN,
    ),
    rule(
        "Publish",
        "A FIFO topic deduplicates by content, or each message has a MessageDeduplicationId.",
        "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
        "provided explicitly",
        _to_fifo(lambda request: "MessageDeduplicationId" not in request.params),
        to(FIFO, MessageGroupId="g", MessageDeduplicationId="d"),
        to(FIFO, MessageGroupId="g"),
        given=GIVEN,
    ),
    events(
        "PutEvents",
        "The entries of a request are less than 1 MB together.",
        "Total size of the entries in the request is over the limit.",
        _events_too_large,
        entry(),
        entry(Detail=json.dumps({"text": "x" * 1024 * 1024})),
    ),
    NotEnforced(
        "events",
        "PutEvents",
        "An entry without source, detail type or detail, or whose detail is no JSON, fails alone.",
        EVENTS,
        "Moto answers with ErrorCode InvalidArgument or MalformedDetail for the entry, as EventBridge does.",
    ),
    invoke(
        "Invoke",
        "The payload of a synchronous invocation is at most 6 MB.",
        "{count} byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)",
        _invoked("RequestResponse", SYNCHRONOUS),
        {"FunctionName": "f"},
        {"FunctionName": "f", "Payload": b" " * (SYNCHRONOUS + 1)},
        status=413,
        sent_refused={"size": SYNCHRONOUS + 1},
    ),
    invoke(
        "Invoke",
        "The payload of an asynchronous invocation is at most 1 MB.",
        "{count} byte payload is too large for the Event invocation type (limit 1048576 bytes)",
        _invoked("Event", ASYNCHRONOUS),
        {"FunctionName": "f", "InvocationType": "Event"},
        {"FunctionName": "f", "InvocationType": "Event", "Payload": b" " * (ASYNCHRONOUS + 1)},
        status=413,
        sent_refused={"size": ASYNCHRONOUS + 1},
    ),
    NotEnforced(
        "lambda",
        "Invoke",
        "Invocations beyond the account's concurrency are throttled.",
        INVOKE,
        "Concurrency is a quota of the account.",
    ),
)
