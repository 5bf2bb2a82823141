"""What rules may ask of an account's state: records by kind and name, from the extensions and from moto."""

from collections.abc import Callable, Mapping
from typing import Any

from moto.backends import get_backend

from ..arn import parse_arn
from .moto_records import RECORDS, as_document
from .rule import Params

type Finder = Callable[[str, str, str], Params | None]
"""`find(account, region, name)`: the record, or None."""


class State:
    """The records of all accounts and regions. Moto's are read from its backends when a rule asks."""

    def __init__(self) -> None:
        self._finders: dict[str, Finder] = dict(_MOTO)

    def provide(self, kind: str, find: Finder) -> None:
        """Look up records of a kind with `find`."""
        self._finders[kind] = find

    def find(self, kind: str, account: str, region: str, name: str) -> Params | None:
        """The record; None when there is none. Raises LookupError for a kind that nothing provides."""
        if kind not in self._finders:
            raise LookupError(f"no records of the kind {kind!r}; there are {', '.join(sorted(self._finders))}")
        return self._finders[kind](account, region, name)


def _queue(account: str, region: str, name: str) -> Mapping[str, Any] | None:
    """Attributes of a queue by its name or URL."""
    backend: Any = get_backend("sqs")[account][region]
    queue = backend.queues.get(name.rpartition("/")[2])
    return queue and {
        "FifoQueue": queue.fifo_queue,
        "ContentBasedDeduplication": queue.content_based_deduplication,
        "MaximumMessageSize": int(queue.maximum_message_size),
        "VisibilityTimeout": int(queue.visibility_timeout),
    }


def _topic(account: str, region: str, name: str) -> Mapping[str, Any] | None:
    """Attributes of a topic by its ARN."""
    backend: Any = get_backend("sns")[account][region]
    topic = backend.topics.get(name)
    return topic and {
        "FifoTopic": topic.fifo_topic == "true",
        "ContentBasedDeduplication": topic.content_based_deduplication == "true",
    }


def _alarm(account: str, region: str, name: str) -> Mapping[str, Any] | None:
    backend: Any = get_backend("cloudwatch")[account][region]
    return {} if name in backend.alarms or name in backend.composite_alarms else None


def _role(account: str, region: str, name: str) -> Mapping[str, Any] | None:
    """A role by its name or ARN, with its trust policy."""
    owner = parse_arn(name).account if name.startswith("arn:") else account
    backend: Any = get_backend("iam")[owner]["aws"]
    role = next((each for each in backend.roles.values() if name in (each.name, each.arn)), None)
    return role and {
        "MaxSessionDuration": int(role.max_session_duration or 3600),
        "AssumeRolePolicyDocument": as_document(role.assume_role_policy_document),
    }


def _scalable_target(account: str, region: str, resource: str) -> Mapping[str, Any] | None:
    backend: Any = get_backend("applicationautoscaling")[account][region]
    return {} if any(resource in targets for targets in backend.targets.values()) else None


_MOTO: dict[str, Finder] = {
    "queue": _queue,
    "topic": _topic,
    "alarm": _alarm,
    "role": _role,
    "scalable-target": _scalable_target,
    **RECORDS,
}
