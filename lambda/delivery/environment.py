"""An environment, reached under its own delivery role; and the delivery pipeline."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import ClientError
from botocore.session import get_session  # pyright: ignore[reportUnknownVariableType]
from promotion import split

RETRIES = Config(retries={"mode": "standard", "max_attempts": 5})


@dataclass(frozen=True)
class Settings:
    """What the stack tells the function. `environments` are in the order of promotion."""

    pipeline: str
    reports_bucket: str
    parallel: int
    timeout_seconds: int
    environments: dict[str, dict[str, str]]

    @classmethod
    def from_environment(cls) -> "Settings":
        """From the function's environment variables. Raises KeyError."""
        return cls(
            pipeline=os.environ["PIPELINE"],
            reports_bucket=os.environ["REPORTS"],
            parallel=int(os.environ["PARALLEL"]),
            timeout_seconds=int(os.environ["TIMEOUT_SECONDS"]),
            environments=json.loads(os.environ["ENVIRONMENTS"]),
        )


def client(service: str, **credentials: str) -> Any:
    """A client that acts as this function, or with the given credentials."""
    return boto3.client(service, config=RETRIES, **credentials)  # pyright: ignore


@cache
def pipeline() -> Any:
    """CodePipeline, where this function runs."""
    return client("codepipeline")


class Environment:
    """One environment; `models()` are those that are deployed in it."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.settings, self.name = settings, name
        self.place = settings.environments[name]

    @property
    def previous(self) -> "Environment | None":
        """The environment before it in the order of promotion."""
        names = list(self.settings.environments)
        index = names.index(self.name)
        return Environment(self.settings, names[index - 1]) if index else None

    def client(self, service: str) -> Any:
        """A client that acts as the environment's delivery role."""
        return _client(service, self.place["role"], self.place["region"])

    @cached_property
    def exists(self) -> bool:
        """Whether its delivery role can be taken on: before its first deployment there is none."""
        try:
            self.client("sts").get_caller_identity()
        except ClientError as error:
            if error.operation_name == "AssumeRole":
                return False
            raise
        return True

    def models(self) -> Iterator[dict[str, Any]]:
        """The settings of every model, by name (docs/reference/contracts.md)."""
        path = f"/{self.place['factory']}/{self.name}/models"
        pages = self.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=path)
        found = [json.loads(parameter["Value"]) for page in pages for parameter in page["Parameters"]]
        yield from sorted(found, key=lambda model: model["model"])

    def send(self, purpose: str, model: str, message: dict[str, str]) -> None:
        """Put a message for a model on the retrain or the deploy queue."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=f"{self.place['prefix']}-{purpose}.fifo")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"model": model, **message}), MessageGroupId=model)

    def record(self, model: dict[str, Any], name: str, content: dict[str, Any]) -> None:
        """Write `<records>/<model>/<name>` for the auditor."""
        bucket, key = split(model["records_uri"])
        body = json.dumps(content, indent=2, default=str).encode()
        self.client("s3").put_object(
            Bucket=bucket, Key=f"{key}{name}", Body=body, ContentType="application/json", ChecksumAlgorithm="SHA256"
        )


@cache
def _client(service: str, role_arn: str, region: str) -> Any:
    return _session(role_arn, region).client(service, config=RETRIES)  # pyright: ignore


@cache
def _session(role_arn: str, region: str) -> boto3.Session:
    """A session of the role, kept as long as the function is warm; its credentials renew themselves."""

    def fetch() -> dict[str, str]:
        found = client("sts").assume_role(RoleArn=role_arn, RoleSessionName="delivery")["Credentials"]
        return {
            "access_key": found["AccessKeyId"],
            "secret_key": found["SecretAccessKey"],
            "token": found["SessionToken"],
            "expiry_time": found["Expiration"].isoformat(),
        }

    core: Any = get_session()  # pyright: ignore[reportUnknownVariableType]
    core._credentials = DeferredRefreshableCredentials(refresh_using=fetch, method="sts-assume-role")
    return boto3.Session(botocore_session=core, region_name=region)
