"""The part of a model's settings parameter that the deploy function needs."""

from typing import Literal

from pydantic import BaseModel, Field


class Scaling(BaseModel):
    """Instance counts of the endpoint, and the invocations per minute that one instance is to serve."""

    minimum: int
    maximum: int
    invocations_per_instance: int


class Canary(BaseModel):
    """Capacity percentage of a canary deployment, and the baking period in seconds."""

    percent: int
    bake: float


class Serverless(BaseModel):
    """Size of a serverless endpoint."""

    memory_mb: int
    max_concurrency: int


class Async(BaseModel):
    """Instance counts of an asynchronous endpoint, requests in its queue per instance, and where its answers are written."""

    minimum: int
    maximum: int
    backlog_per_instance: int
    concurrency: int | None = None
    output_uri: str
    failure_uri: str


class Challenger(BaseModel):
    """Trial of a new version: kind, share of the requests in percent, longest time in seconds, and its end without labels."""

    mode: Literal["shadow", "split"]
    percent: int
    limit: float
    undecided: Literal["withdraw", "promote"]


class Serving(BaseModel):
    """Configuration of the endpoint."""

    mode: Literal["realtime", "serverless", "async", "batch"]
    instance: str
    scaling: Scaling
    canary: Canary
    serverless: Serverless
    async_: Async | None = Field(default=None, alias="async")
    role_arn: str
    kms_key_arn: str
    encrypt_volumes: bool = True
    vpc_config: dict[str, list[str]] | None = None
    capture_uri: str
    capture_percent: int
    rollback_alarms: list[str]
    invalid_values: Literal["answer", "refuse"] = "answer"
    challenger: Challenger | None = None
    challenger_alarms: list[str] = []


class Settings(BaseModel):
    """A model's names, and the configuration of its endpoint."""

    model: str
    model_package_group: str
    endpoint: str
    artifacts_uri: str = ""
    tags: list[dict[str, str]] = []
    serving: Serving
