"""A model's settings, from its SSM parameter."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from typing import Any, Literal

import boto3
from botocore.config import Config
from pydantic import BaseModel

RETRIES = Config(retries={"mode": "standard", "max_attempts": 5})
_clients: dict[str, Any] = {}


class Scaling(BaseModel):
    """Instances of the endpoint."""

    minimum: int
    maximum: int
    invocations_per_instance: int


class Canary(BaseModel):
    """First share of the traffic, and how long it is watched, in seconds."""

    percent: int
    bake: float


class Serverless(BaseModel):
    """Size of a serverless endpoint."""

    memory_mb: int
    max_concurrency: int


class Serving(BaseModel):
    """How the model answers requests."""

    mode: Literal["realtime", "serverless"]
    instance: str
    scaling: Scaling
    canary: Canary
    serverless: Serverless
    role_arn: str
    kms_key_arn: str
    vpc_config: dict[str, list[str]] | None = None
    capture_uri: str
    capture_percent: int
    rollback_alarms: list[str]


class Settings(BaseModel):
    """What the settings parameter says that this function needs."""

    model: str
    model_package_group: str
    endpoint: str
    records_uri: str
    serving: Serving


class Parameters:
    """The settings parameters of one environment."""

    def __init__(self, environment: str, prefix: str) -> None:
        self._environment, self._prefix = environment, prefix

    def find(self, model: str) -> Settings:
        """The settings of a model. Raises LookupError when there is no such model here."""
        ssm = client("ssm")
        try:
            value = ssm.get_parameter(Name=f"{self._prefix}{model}")["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound:
            raise LookupError(f"there is no model {model!r} in {self._environment}") from None
        return Settings.model_validate_json(value)


def client(service: str) -> Any:
    """A boto3 client, made once."""
    if service not in _clients:
        _clients[service] = boto3.client(service, config=RETRIES)
    return _clients[service]
