"""boto3 clients with the retry configuration of all functions."""

from functools import cache
from typing import Any, Protocol

import boto3
from botocore.config import Config


class ClientProvider(Protocol):
    """Provides boto3 clients of one account and region."""

    def client(self, service: str) -> Any:
        """A client of an AWS service, such as `s3`."""
        ...


def retries(max_attempts: int = 5) -> Config:
    """A client configuration with up to `max_attempts` retries of a failed call, in retry mode `standard`."""
    return Config(retries={"mode": "standard", "max_attempts": max_attempts})


@cache
def client(service: str, max_attempts: int = 5) -> Any:
    """A client of an AWS service under the function's own role, created once per process."""
    return boto3.client(service, config=retries(max_attempts))
