"""Credentials and clients in any account: moto reads a request's account from its access key, which AssumeRole creates."""

import threading
from collections.abc import Sequence
from typing import Any

import boto3
import botocore.config

from . import direct
from .arn import parse_arn
from .authorization import networks
from .authorization.principals import SERVICE_SESSION
from .sessions import SERVER_AGENT

HOME_REGION = "us-east-1"
_QUICK = botocore.config.Config(
    # Without `user_agent` botocore joins thirty parts for each request.
    retries={"mode": "standard", "max_attempts": 2},
    read_timeout=900,
    user_agent=SERVER_AGENT,
)


class Accounts:
    """Credentials and clients for roles and accounts of one embedded AWS."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, str, tuple[str, ...]], Any] = {}
        # One session for all clients: each session loads the services' models again.
        self._session = boto3.Session("root", "root", region_name=HOME_REGION)
        direct.use_calls(self._session.events)
        self._sts = self._session.client("sts", endpoint_url=endpoint_url, config=_QUICK)

    def assume(self, role_arn: str, session_name: str, subnets: Sequence[str] = (), region: str = "") -> dict[str, str]:
        """Environment variables with the credentials of a role session; its calls come from `subnets` of `region`.

        Raises LookupError naming a subnet that does not exist.
        """
        with self._lock:
            answer = self._sts.assume_role(RoleArn=role_arn, RoleSessionName=session_name[:64], DurationSeconds=43200)
        credentials = answer["Credentials"]
        if subnets:
            networks.place(credentials["AccessKeyId"], parse_arn(role_arn).account, region, subnets)
        return {
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
        }

    def role_client(self, service: str, role_arn: str, region: str, subnets: Sequence[str] = ()) -> Any:
        """A boto3 client that acts as a role, from `subnets` if there are any."""
        return self._client(service, role_arn, region, tuple(subnets))

    def client(self, service: str, account: str, region: str) -> Any:
        """A boto3 client that acts as AWS's own services do inside an account."""
        return self._client(service, f"arn:aws:iam::{account}:role/aws-service", region)

    def _client(self, service: str, role_arn: str, region: str, subnets: tuple[str, ...] = ()) -> Any:
        key = (service, role_arn, region, subnets)
        if key not in self._clients:
            variables = self.assume(role_arn, SERVICE_SESSION, subnets, region)
            with self._lock:
                credentials: Any = {name.lower(): value for name, value in variables.items()}
                self._clients[key] = self._session.client(
                    service, region, endpoint_url=self._endpoint_url, config=_QUICK, **credentials
                )
        return self._clients[key]
