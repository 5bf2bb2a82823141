"""The records of SageMaker in one account and region, and the look-ups that operations share; lists are in `lists`."""

import threading
from dataclasses import dataclass, field
from typing import Any

from ..json_api import Record, ServiceError


@dataclass
class State:
    """The records of one account and region; each is the create request plus the results."""

    account: str
    region: str
    lock: threading.RLock = field(default_factory=threading.RLock)
    pipelines: dict[str, Record] = field(default_factory=dict)
    executions: dict[str, Any] = field(default_factory=dict)
    processing_jobs: dict[str, Record] = field(default_factory=dict)
    training_jobs: dict[str, Record] = field(default_factory=dict)
    transform_jobs: dict[str, Record] = field(default_factory=dict)
    tuning_jobs: dict[str, Record] = field(default_factory=dict)
    groups: dict[str, Record] = field(default_factory=dict)
    packages: dict[str, Record] = field(default_factory=dict)
    models: dict[str, Record] = field(default_factory=dict)
    endpoint_configs: dict[str, Record] = field(default_factory=dict)
    endpoints: dict[str, Record] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    model_cards: dict[str, list[Record]] = field(default_factory=dict)
    lineage: dict[str, Record] = field(default_factory=dict)
    associations: dict[tuple[str, str], Record] = field(default_factory=dict)

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a resource here."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{kind}/{name}"

    def tag(self, arn: str, tags: list[dict[str, str]] | None) -> None:
        """Add tags to a resource."""
        self.tags.setdefault(arn, {}).update({tag["Key"]: tag["Value"] for tag in tags or []})


def find(table: dict[str, Record], name: str, what: str) -> Record:
    """The record called `name` (or whose ARN ends in it). Raises ServiceError, although `rules` have looked it up before."""
    found = table.get(name) or table.get(name.rsplit("/", 1)[-1])
    if found is None:
        raise ServiceError(f'Could not find {what} "{name}".')
    return found


def subnets(record: Record) -> tuple[str, ...]:
    """Where the container of a job or model runs; nothing when that is outside of any network of the account's."""
    return tuple(vpc_config(record).get("Subnets", ()))


def vpc_config(record: Record) -> Record:
    """The VpcConfig of a job or model; empty without one."""
    return record.get("NetworkConfig", record).get("VpcConfig", {})


def add(table: dict[str, Record], name: str, record: Record, what: str) -> None:
    """Add a record whose name is free. Raises ServiceError."""
    if name in table:
        raise ServiceError(f'Cannot create already existing {what} "{name}".')
    table[name] = record
