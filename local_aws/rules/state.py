"""What rules may ask of an account's state: records by kind and name, from the extensions and from moto."""

from collections.abc import Callable, Mapping
from typing import Any

from moto.backends import get_backend

from ..arn import parse_arn
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
    """Attributes of a queue by its name, or by its URL, which has the account of its owner."""
    owner = name.rstrip("/").split("/")[-2] if "/" in name else account
    backend: Any = get_backend("sqs")[owner][region]
    queue = backend.queues.get(name.rpartition("/")[2])
    return queue and {
        "FifoQueue": queue.fifo_queue,
        "ContentBasedDeduplication": queue.content_based_deduplication,
        "MaximumMessageSize": int(queue.maximum_message_size),
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
    return {} if name in backend.alarms else None


def _role(account: str, region: str, arn: str) -> Mapping[str, Any] | None:
    """A role by its ARN."""
    owner = parse_arn(arn).account
    backend: Any = get_backend("iam")[owner]["aws"]
    role = next((each for each in backend.roles.values() if each.arn == arn), None)
    return role and {"MaxSessionDuration": int(role.max_session_duration or 3600)}


def _scalable_target(account: str, region: str, resource: str) -> Mapping[str, Any] | None:
    backend: Any = get_backend("applicationautoscaling")[account][region]
    return {} if any(resource in targets for targets in backend.targets.values()) else None


def _bucket(account: str, region: str, name: str) -> Mapping[str, Any] | None:
    """A bucket of any account: names are global."""
    backends: Any = get_backend("s3")
    owner = backends.bucket_accounts.get(name, (None, account))[1]
    bucket = backends[owner]["aws"].buckets.get(name)
    return bucket and {"ObjectLock": bucket.object_lock_enabled, "Ownership": _ownership(bucket.ownership_rule)}


def _ownership(stored: Any) -> str:
    """Who owns objects: moto stores what the creation's header or a configuration says; BucketOwnerEnforced is the default."""
    if isinstance(stored, str):
        return stored
    rules = (stored or {}).get("Rule") or [{}]
    first = rules[0] if isinstance(rules, list) else rules
    return first.get("ObjectOwnership", "BucketOwnerEnforced")


def _log_group(account: str, region: str, name: str) -> Mapping[str, Any] | None:
    backend: Any = get_backend("logs")[account][region]
    return {} if name in backend.groups else None


def _log_stream(account: str, region: str, name: str) -> Mapping[str, Any] | None:
    """A log stream by `<group>:<stream>`."""
    backend: Any = get_backend("logs")[account][region]
    group, _, stream = name.partition(":")
    return {} if group in backend.groups and stream in backend.groups[group].streams else None


_MOTO: dict[str, Finder] = {
    "alarm": _alarm,
    "bucket": _bucket,
    "log-group": _log_group,
    "log-stream": _log_stream,
    "queue": _queue,
    "role": _role,
    "scalable-target": _scalable_target,
    "topic": _topic,
}
