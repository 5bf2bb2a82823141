"""An environment, accessed with its delivery role; and CodePipeline, accessed with the function's own role."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Literal

import boto3
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import ClientError
from botocore.session import get_session
from shared.clients import client, retries
from shared.records import RecorderQueue
from shared.triggers import send_trigger


@dataclass(frozen=True)
class EnvironmentConfig:
    """The account of an environment. `prefix`: of resource names; `role`: ARN of the delivery role."""

    prefix: str
    factory: str
    account: str
    region: str
    approval: Literal["automatic", "manual"]
    role: str


@dataclass(frozen=True)
class Settings:
    """The function's configuration from the stack. `environments` are in the order of promotion."""

    pipeline: str
    reports_bucket: str
    parallel: int
    timeout_seconds: int
    environments: dict[str, EnvironmentConfig]

    @classmethod
    def from_environment(cls) -> "Settings":
        """The settings in the environment variables. Raises KeyError and TypeError."""
        return cls(
            pipeline=os.environ["PIPELINE"],
            reports_bucket=os.environ["REPORTS"],
            parallel=int(os.environ["PARALLEL"]),
            timeout_seconds=int(os.environ["TIMEOUT_SECONDS"]),
            environments={
                name: EnvironmentConfig(**config) for name, config in json.loads(os.environ["ENVIRONMENTS"]).items()
            },
        )


def codepipeline() -> Any:
    """A client of CodePipeline in the function's own account."""
    return client("codepipeline")


class Environment:
    """One environment: its clients, models and queues."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.settings, self.name = settings, name
        self.config = settings.environments[name]

    @property
    def previous(self) -> "Environment | None":
        """The environment before this one in the order of promotion."""
        names = list(self.settings.environments)
        index = names.index(self.name)
        return Environment(self.settings, names[index - 1]) if index else None

    def client(self, service: str) -> Any:
        """A client under the environment's delivery role."""
        return _client(service, self.config.role, self.config.region)

    @cached_property
    def exists(self) -> bool:
        """Whether the delivery role can be assumed: before the environment's first deployment there is none."""
        try:
            self.client("sts").get_caller_identity()
        except ClientError as error:
            if error.operation_name == "AssumeRole":
                return False
            raise
        return True

    def bucket(self, purpose: str) -> str:
        """Name of the bucket for `purpose`, such as records."""
        return f"{self.config.prefix}-{purpose}-{self.config.account}-{self.config.region}"

    def stack(self, model: str) -> str:
        """Name of the stack of a model."""
        return f"{self.config.prefix}-{model}"

    def models(self) -> Iterator[dict[str, Any]]:
        """The settings of every deployed model, by name (docs/reference/contracts.md)."""
        path = f"/{self.config.factory}/{self.name}/models"
        pages = self.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=path)
        settings = [json.loads(parameter["Value"]) for page in pages for parameter in page["Parameters"]]
        yield from sorted(settings, key=lambda model: model["model"])

    @cached_property
    def recorder(self) -> RecorderQueue:
        """The queue of the environment's recorder."""
        return RecorderQueue.of(self, self.config.prefix)

    def request_training(self, model: str, reason: str) -> None:
        """Send the trigger `code` for a model to the environment's retrain queue."""
        send_trigger(self.client("sqs"), f"{self.config.prefix}-retrain.fifo", model, "code", reason)


@cache
def _client(service: str, role_arn: str, region: str) -> Any:
    return _session(role_arn, region).client(service, config=retries())


@cache
def _session(role_arn: str, region: str) -> boto3.Session:
    """A session of the role with refreshable credentials, kept for the life of the process."""

    def fetch() -> dict[str, str]:
        credentials = client("sts").assume_role(RoleArn=role_arn, RoleSessionName="delivery")["Credentials"]
        return {
            "access_key": credentials["AccessKeyId"],
            "secret_key": credentials["SecretAccessKey"],
            "token": credentials["SessionToken"],
            "expiry_time": credentials["Expiration"].isoformat(),
        }

    core: Any = get_session()
    # botocore has no public way.
    core._credentials = DeferredRefreshableCredentials(refresh_using=fetch, method="sts-assume-role")  # noqa: SLF001
    return boto3.Session(botocore_session=core, region_name=region)
