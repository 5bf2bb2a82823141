"""The repository that a command works on, and sessions in the accounts of its environments."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from model_factory.config import Environment, FactoryConfig, ModelConfig, load_factory, load_models
from model_factory.core.names import EnvironmentNames
from model_factory.functions.shared.clients import retries


class UsageError(Exception):
    """A mistake that the user can correct; the message says how. It is printed without a traceback."""

    exit_code = 1


@dataclass(frozen=True)
class Project:
    """A folder with factory.yaml and models/. `profile` overrides the AWS profile of every environment."""

    root: Path
    profile: str | None = None

    @cached_property
    def factory(self) -> FactoryConfig:
        """The parsed factory.yaml. Raises ConfigError."""
        return load_factory(self.root / "factory.yaml")

    @cached_property
    def models(self) -> dict[str, ModelConfig]:
        """Every model of the project, by name. Raises ConfigError."""
        return load_models(self.root / "models")

    @property
    def accounts(self) -> dict[str, tuple[str, str]]:
        """Account and region of each environment, by the name of its AWS profile, in the order of factory.yaml."""
        return {self.factory.names(each).prefix: (each.account, each.region) for each in self.factory.environments}

    def model(self, name: str) -> ModelConfig:
        """The model called `name`. Raises UsageError."""
        try:
            return self.models[name]
        except KeyError:
            known = ", ".join(self.models) or "none yet"
            raise UsageError(
                f"there is no model {name!r} in {self.root / 'models'}{_nearest(name, self.models)}; there are: {known}"
            ) from None

    @cached_property
    def _sessions(self) -> "dict[str, EnvironmentSession]":
        return {}

    def environment(self, name: str | None) -> "EnvironmentSession":
        """The environment called `name` (default: the last one, production); each has one session. Raises UsageError."""
        try:
            environment = self.factory.environment(name) if name else self.factory.environments[-1]
        except KeyError as error:
            near = _nearest(name or "", [each.name for each in self.factory.environments])
            raise UsageError(f"{error.args[0]}{near}") from None
        return self._sessions.setdefault(environment.name, EnvironmentSession(self, environment))


def _nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


@dataclass(frozen=True)
class EnvironmentSession:
    """An environment, with AWS clients of its account and region."""

    project: Project
    environment: Environment

    @property
    def names(self) -> EnvironmentNames:
        """Names of the environment's AWS resources."""
        return self.project.factory.names(self.environment)

    @cached_property
    def boto_session(self) -> boto3.Session:
        """A session of the environment's account and region.

        The profile is `--profile`, else `<factory>-<environment>` if ~/.aws/config has it, else the default one.
        Raises UsageError when the credentials are missing or belong to another account.
        """
        default_profile = self.names.prefix
        exists = default_profile in boto3.Session().available_profiles
        profile = self.project.profile or (default_profile if exists else None)
        where = f"environment {self.environment.name!r} (account {self.environment.account})"
        advice = f"give --profile, or define a profile {default_profile!r}"
        try:
            session = boto3.Session(profile_name=profile, region_name=self.environment.region)
            account = session.client("sts").get_caller_identity()["Account"]
        except EndpointConnectionError as error:
            raise UsageError(
                f"{error}. Is the embedded AWS running (model-factory local up)? Without it, unset AWS_ENDPOINT_URL"
            ) from error
        except (BotoCoreError, ClientError) as error:
            raise UsageError(f"cannot sign in to {where}: {error}; {advice}") from error
        if account != self.environment.account:
            raise UsageError(f"you are signed in to account {account}, not to {where}; {advice}")
        return session

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    def client(self, service: str) -> Any:
        """A boto3 client of the environment's account and region; each service has one."""
        if service not in self._clients:
            # More than boto3's default: an environment's models are read by several threads.
            self._clients[service] = self.boto_session.client(service, config=retries(max_attempts=8))
        return self._clients[service]

    @property
    def caller_arn(self) -> str:
        """ARN of the principal that calls AWS."""
        return self.client("sts").get_caller_identity()["Arn"]

    def not_deployed(self, resource: str) -> UsageError:
        """The error to raise when a resource of the environment does not exist; `resource`: kind and name."""
        return UsageError(
            f"environment {self.environment.name!r} has no {resource}; deploy it first: cdk deploy '{self.names.prefix}-*'"
        )
