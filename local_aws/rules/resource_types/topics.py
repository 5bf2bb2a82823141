"""SNS topics, their policies and subscriptions."""

import re
from functools import partial
from typing import Any

from ..checks import longer_than, not_matching
from ..rule import CLOUDFORMATION, Entry, Request, Rule
from .values import every, is_fifo, statements, unknown_principal, without_principal

_ARN = "arn:aws:sqs:us-east-1:123456789012:"
_topic_policy = partial(Rule, CLOUDFORMATION, "AWS::SNS::TopicPolicy", code="InvalidParameter")
_subscription = partial(Rule, CLOUDFORMATION, "AWS::SNS::Subscription", code="InvalidParameter")


def _all(request: Request) -> list[Any]:
    return list(statements(request.params.get("PolicyDocument")))


def _foreign_action(request: Request) -> bool:
    actions = [str(action) for each in _all(request) for action in every(each.get("Action"))]
    return any(not action.lower().startswith("sns:") and action != "*" for action in actions)


def _fifo_subscriber(request: Request) -> bool:
    given = request.params
    return given.get("Protocol") == "sqs" and is_fifo(given.get("Endpoint")) and not is_fifo(given.get("TopicArn"))


def _protocol(request: Request) -> bool:
    starts = {"sqs": "arn:aws[a-z-]*:sqs:", "lambda": "arn:aws[a-z-]*:lambda:", "https": "https://", "http": "http://"}
    wanted = starts.get(request.params.get("Protocol", ""))
    return bool(wanted) and not re.match(str(wanted), str(request.params.get("Endpoint")))


def _no_address(request: Request) -> bool:
    given = request.params
    email = str(given.get("Protocol")).startswith("email")
    return email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", str(given.get("Endpoint")))


def _without_role(request: Request) -> bool:
    return request.params.get("Protocol") == "firehose" and not request.params.get("SubscriptionRoleArn")


def _statement(**members: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sqs:SendMessage", "Resource": "*"}
    return {"PolicyDocument": {"Statement": [statement | members]}, "Queues": ["https://queue"], "Topics": ["topic"]}


_ROLE = {"AWS": "arn:aws:iam::123456789012:role/reader"}
_TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"
_PUBLISH = _statement(Action="sns:Publish")

ENTRIES: tuple[Entry, ...] = (
    Rule(
        CLOUDFORMATION,
        "AWS::SNS::Topic",
        says="A topic's name has up to 256 letters, digits, hyphens and underscores; a FIFO topic's ends with .fifo.",
        source="SNS API reference, CreateTopic",
        code="InvalidParameter",
        message="Invalid parameter: Topic Name",
        check=not_matching(r"[A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo", "TopicName"),
        accepted={"TopicName": "alerts"},
        refused={"TopicName": "alerts!"},
    ),
    Rule(
        CLOUDFORMATION,
        "AWS::SNS::Topic",
        says="A display name has up to 100 characters.",
        source="SNS API reference, SetTopicAttributes",
        code="InvalidParameter",
        message="Invalid parameter: Attributes Reason: DisplayName: must be at most 100 characters long",
        inferred=True,
        check=longer_than(100, "DisplayName"),
        accepted={"DisplayName": "a" * 100},
        refused={"DisplayName": "a" * 101},
    ),
    _topic_policy(
        says="A topic policy has actions of SNS only.",
        source="SNS developer guide, Amazon SNS policy actions",
        message="Invalid parameter: Policy statement action out of service scope!",
        check=_foreign_action,
        accepted=_PUBLISH,
        refused=_statement(Action=["sns:Publish", "sqs:SendMessage"]),
    ),
    _topic_policy(
        says="The principals of a topic policy exist.",
        source="IAM user guide, AWS JSON policy elements: Principal",
        message="Invalid parameter: Policy Error: PrincipalNotFound",
        check=unknown_principal,
        accepted=_statement(Action="sns:Publish", Principal=_ROLE),
        refused=_statement(Action="sns:Publish", Principal={"AWS": "arn:aws:iam::123456789012:role/gone"}),
        given={"role/reader": {}},
    ),
    _topic_policy(
        says="Every statement of a topic policy has a principal.",
        source="SNS developer guide, Key concepts of the access policy language",
        message="Invalid parameter: Policy Error: null",
        check=without_principal,
        accepted=_PUBLISH,
        refused={"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sns:Publish"}]}, "Topics": ["topic"]},
    ),
    _subscription(
        says="A FIFO queue subscribes to FIFO topics only.",
        source="SNS developer guide, Message delivery for FIFO topics",
        message="Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS "
        "topics",
        check=_fifo_subscriber,
        accepted={"TopicArn": f"{_TOPIC}.fifo", "Protocol": "sqs", "Endpoint": f"{_ARN}jobs.fifo"},
        refused={"TopicArn": _TOPIC, "Protocol": "sqs", "Endpoint": f"{_ARN}jobs.fifo"},
    ),
    _subscription(
        says="The endpoint of a subscription fits its protocol.",
        source="SNS API reference, Subscribe",
        message="Invalid parameter: Endpoint must match the specified protocol",
        check=_protocol,
        accepted={"TopicArn": _TOPIC, "Protocol": "https", "Endpoint": "https://example.com"},
        refused={"TopicArn": _TOPIC, "Protocol": "https", "Endpoint": "http://example.com"},
    ),
    _subscription(
        says="The endpoint of a subscription by e-mail is an address.",
        source="SNS API reference, Subscribe",
        message="Invalid parameter: Email address",
        check=_no_address,
        accepted={"TopicArn": _TOPIC, "Protocol": "email", "Endpoint": "ml@example.com"},
        refused={"TopicArn": _TOPIC, "Protocol": "email", "Endpoint": "ml-team"},
    ),
    _subscription(
        says="A subscription of a Firehose delivery stream has a role.",
        source="SNS API reference, Subscribe",
        message="Invalid parameter: SubscriptionRoleArn",
        inferred=True,
        check=_without_role,
        accepted={"TopicArn": _TOPIC, "Protocol": "firehose", "Endpoint": "arn", "SubscriptionRoleArn": "arn"},
        refused={"TopicArn": _TOPIC, "Protocol": "firehose", "Endpoint": "arn"},
    ),
)
