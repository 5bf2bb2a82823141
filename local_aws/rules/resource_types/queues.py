"""SQS queues and their policies."""

import re
from functools import partial
from typing import Any

from ..checks import more_than
from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .values import (
    compact,
    every,
    is_fifo,
    last,
    own,
    statements,
    true,
    unknown_principal,
    without_principal,
)

_QUEUE = "SQS API reference, CreateQueue"
_POLICIES = "SQS developer guide, Amazon SQS policy quotas"
_ARN = "arn:aws:sqs:us-east-1:123456789012:"
_queue = partial(Rule, CLOUDFORMATION, "AWS::SQS::Queue", code="InvalidParameterValue")
_policy = partial(Rule, CLOUDFORMATION, "AWS::SQS::QueuePolicy")


def _fifo_name(request: Request) -> bool:
    name = request.params.get("QueueName", "x.fifo")
    return true(request.params.get("FifoQueue")) and not re.fullmatch(r"[A-Za-z0-9_-]{1,75}\.fifo", name)


def _standard_name(request: Request) -> bool:
    name = request.params.get("QueueName", "x")
    return not true(request.params.get("FifoQueue")) and not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name)


def _fifo_attribute(request: Request) -> Values | None:
    names = ("ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")
    if true(request.params.get("FifoQueue")):
        return None
    return next(({"name": name} for name in names if name in request.params), None)


def _redrive(request: Request) -> tuple[dict[str, Any], str]:
    policy = request.params.get("RedrivePolicy") or {}
    return policy, str(policy.get("deadLetterTargetArn", ""))


def _no_dead_letters(request: Request) -> Values | None:
    policy, arn = _redrive(request)
    missing = arn and own(request, arn) and request.find("queue", last(arn)) is None
    return {"value": compact(policy)} if missing else None


def _other_kind(request: Request) -> Values | None:
    policy, arn = _redrive(request)
    differs = arn and is_fifo(arn) != true(request.params.get("FifoQueue"))
    return {"value": compact(policy)} if differs else None


def _receive_count(request: Request) -> Values | None:
    policy, arn = _redrive(request)
    count = policy.get("maxReceiveCount")
    wrong = arn and not (str(count).isdigit() and 1 <= int(str(count)) <= 1000)
    return {"value": compact(policy), "count": count} if wrong else None


def _two_encryptions(request: Request) -> bool:
    return bool(request.params.get("KmsMasterKeyId")) and true(request.params.get("SqsManagedSseEnabled"))


def _scope(request: Request) -> bool:
    given = request.params
    return given.get("FifoThroughputLimit") == "perMessageGroupId" and given.get("DeduplicationScope") != "messageGroup"


def _many_actions(request: Request) -> Values | None:
    counts = [len(every(each.get("Action"))) for each in statements(request.params.get("PolicyDocument"))]
    return next(({"count": count} for count in counts if count > 7), None)


def _many_statements(request: Request) -> Values | None:
    count = len(list(statements(request.params.get("PolicyDocument"))))
    return {"count": count} if count > 20 else None


def _all(request: Request) -> list[Any]:
    return list(statements(request.params.get("PolicyDocument")))


def _statement(**members: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sqs:SendMessage", "Resource": "*"}
    return {"PolicyDocument": {"Statement": [statement | members]}, "Queues": ["https://queue"], "Topics": ["topic"]}


_DEAD = {"deadLetterTargetArn": f"{_ARN}dead", "maxReceiveCount": 3}
_FIFO_DEAD = {"deadLetterTargetArn": f"{_ARN}dead.fifo", "maxReceiveCount": 3}
_ROLE = {"AWS": "arn:aws:iam::123456789012:role/reader"}

ENTRIES: tuple[Entry, ...] = (
    _queue(
        says="The name of a FIFO queue ends with .fifo and has up to 80 letters, digits, hyphens and underscores.",
        source=_QUEUE,
        message="The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end "
        "with .fifo suffix and be 1 to 80 in length.",
        check=_fifo_name,
        accepted={"QueueName": "jobs.fifo", "FifoQueue": True},
        refused={"QueueName": "jobs", "FifoQueue": True},
    ),
    _queue(
        says="The name of a standard queue has up to 80 letters, digits, hyphens and underscores.",
        source=_QUEUE,
        message="Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        check=_standard_name,
        accepted={"QueueName": "a" * 80},
        refused={"QueueName": "jobs.fifo"},
    ),
    _queue(
        says="Attributes of FIFO queues are for FIFO queues only.",
        source=_QUEUE,
        code="InvalidAttributeName",
        message="Unknown Attribute {name}.",
        check=_fifo_attribute,
        accepted={"QueueName": "jobs.fifo", "FifoQueue": "true", "ContentBasedDeduplication": True},
        refused={"ContentBasedDeduplication": True},
    ),
    _queue(
        says="The dead-letter queue exists.",
        source="SQS API reference, SetQueueAttributes",
        message="Value {value} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.",
        check=_no_dead_letters,
        accepted={"RedrivePolicy": _DEAD},
        refused={"RedrivePolicy": _DEAD | {"deadLetterTargetArn": f"{_ARN}other"}},
        given={"queue/dead": {}},
    ),
    _queue(
        says="The dead-letter queue of a FIFO queue is a FIFO queue, that of a standard queue a standard queue.",
        source=_QUEUE,
        message="Value {value} for parameter RedrivePolicy is invalid. Reason: Dead-letter queue must be same type of queue "
        "as the source.",
        check=_other_kind,
        accepted={"FifoQueue": True, "RedrivePolicy": _FIFO_DEAD},
        refused={"FifoQueue": True, "RedrivePolicy": _DEAD},
        given={"queue/dead": {}, "queue/dead.fifo": {}},
    ),
    _queue(
        says="A message is received 1 to 1,000 times before it goes to the dead-letter queue.",
        source="SQS developer guide, Using dead-letter queues in Amazon SQS",
        message="Value {value} for parameter RedrivePolicy is invalid. Reason: Invalid value for maxReceiveCount: {count}, "
        "valid values are from 1 to 1000 both inclusive.",
        check=_receive_count,
        accepted={"RedrivePolicy": _DEAD},
        refused={"RedrivePolicy": _DEAD | {"maxReceiveCount": 0}},
        given={"queue/dead": {}},
    ),
    _queue(
        says="A queue has one type of server-side encryption.",
        source=_QUEUE,
        code="InvalidAttributeValue",
        message="You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
        check=_two_encryptions,
        accepted={"KmsMasterKeyId": "alias/data"},
        refused={"KmsMasterKeyId": "alias/data", "SqsManagedSseEnabled": True},
    ),
    _queue(
        says="A throughput limit per message group needs deduplication per message group.",
        source=_QUEUE,
        code="InvalidAttributeValue",
        message="The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup.",
        inferred=True,
        check=_scope,
        accepted={"FifoQueue": True, "FifoThroughputLimit": "perMessageGroupId", "DeduplicationScope": "messageGroup"},
        refused={"FifoQueue": True, "FifoThroughputLimit": "perMessageGroupId"},
    ),
    _policy(
        says="A statement of a queue policy has at most 7 actions.",
        source=_POLICIES,
        code="OverLimit",
        message="{count} Actions were found, maximum allowed is 7.",
        check=_many_actions,
        accepted=_statement(Action=[f"sqs:A{n}" for n in range(7)]),
        refused=_statement(Action=[f"sqs:A{n}" for n in range(8)]),
    ),
    _policy(
        says="A queue policy has at most 20 statements.",
        source=f"{_POLICIES}; words: tests of public repositories",
        code="OverLimit",
        message="{count} Statements were found, maximum allowed is 20.",
        check=_many_statements,
        accepted=_statement(),
        refused={"PolicyDocument": {"Statement": [{"Principal": "*"}] * 21}, "Queues": ["https://queue"]},
    ),
    _policy(
        says="Every statement of a queue policy has a principal.",
        source="SQS developer guide, Key concepts of the Amazon SQS access policy language",
        code="InvalidAttributeValue",
        message="Invalid value for the parameter Policy.",
        check=without_principal,
        accepted=_statement(),
        refused={
            "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sqs:*"}]},
            "Queues": ["https://queue"],
        },
    ),
    _policy(
        says="The principals of a queue policy exist.",
        source="IAM user guide, AWS JSON policy elements: Principal",
        code="InvalidAttributeValue",
        message="Invalid value for the parameter Policy.",
        check=unknown_principal,
        accepted=_statement(Principal=_ROLE),
        refused=_statement(Principal={"AWS": "arn:aws:iam::123456789012:role/gone"}),
        given={"role/reader": {}},
    ),
    _queue(
        says="A dead-letter queue names at most 10 source queues.",
        source="SQS developer guide, Using dead-letter queues in Amazon SQS",
        message="Value for parameter RedriveAllowPolicy is invalid. Reason: The number of sourceQueueArns must not exceed 10.",
        inferred=True,
        check=more_than(10, "RedriveAllowPolicy.sourceQueueArns"),
        accepted={"RedriveAllowPolicy": {"redrivePermission": "byQueue", "sourceQueueArns": ["a"] * 10}},
        refused={"RedriveAllowPolicy": {"redrivePermission": "byQueue", "sourceQueueArns": ["a"] * 11}},
    ),
)
