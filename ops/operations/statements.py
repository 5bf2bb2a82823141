"""Parts of IAM statements that the policies of several commands have."""

from collections.abc import Iterable
from typing import Any

from model_factory.core.names import EnvironmentNames

type Statement = dict[str, Any]


def send(names: EnvironmentNames, purpose: str) -> Iterable[Statement]:
    """Send messages to the queue `<prefix>-<purpose>.fifo`."""
    yield allow("sqs", ["GetQueueUrl", "SendMessage"], [names.arn("sqs", names.queue(purpose))])
    yield use_key(names, "sqs")


def use_key(names: EnvironmentNames, service: str) -> Statement:
    """The environment's key by way of one service; a policy cannot name it before it exists."""
    via = f"{service}.{names.region}.{names.url_suffix}"
    key = allow("kms", ["Decrypt", "GenerateDataKey"], [names.arn("kms", "key/*")])
    return key | condition("StringEquals", "kms:ViaService", via)


def sagemaker(names: EnvironmentNames, *kinds: str) -> list[str]:
    """ARN patterns of the environment's resources of these kinds, such as `endpoint`."""
    return [names.arn("sagemaker", f"{kind}/{names.prefix}-*") for kind in kinds]


def condition(operator: str, key: str, value: str | list[str]) -> Statement:
    """The condition of a statement."""
    return {"Condition": {operator: {key: value}}}


def allow(service: str, actions: list[str], resources: list[str]) -> Statement:
    """Allow actions of one service, named without it."""
    return {"Effect": "Allow", "Action": [f"{service}:{action}" for action in actions], "Resource": resources}
