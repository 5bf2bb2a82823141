"""The checkout a command works on: where factory.yaml and models/ are, and how to reach an environment's account."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from model_factory.config import Environment, FactoryConfig, ModelConfig, load_factory, load_models
from model_factory.core.names import EnvironmentNames


class UsageError(Exception):
    """Something the user can mend; the message says how. Shown without a traceback."""


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

    def model(self, name: str) -> ModelConfig:
        """The model called `name`. Raises UsageError."""
        try:
            return self.models[name]
        except KeyError:
            known = ", ".join(self.models) or "none yet"
            raise UsageError(f"there is no model {name!r} in {self.root / 'models'}; there are: {known}") from None

    def environment(self, name: str | None) -> "EnvironmentSession":
        """The environment called `name` (default: the last one, production). Raises UsageError."""
        try:
            found = self.factory.environment(name) if name else self.factory.environments[-1]
        except KeyError as error:
            raise UsageError(error.args[0]) from None
        return EnvironmentSession(self, found)


@dataclass(frozen=True)
class EnvironmentSession:
    """One environment together with the AWS session that reaches its account."""

    project: Project
    environment: Environment

    @property
    def names(self) -> EnvironmentNames:
        """The names of everything in this environment."""
        return self.project.factory.names(self.environment)

    @cached_property
    def boto_session(self) -> boto3.Session:
        """A session of the environment's account and region.

        The profile is `--profile`, else `<factory>-<environment>` where ~/.aws/config has it, else the default.
        Raises UsageError when the credentials are missing or belong to another account.
        """
        conventional = self.names.prefix
        profile = self.project.profile or (conventional if conventional in boto3.Session().available_profiles else None)
        where = f"environment {self.environment.name!r} (account {self.environment.account})"
        mend = f"give --profile, or define a profile {conventional!r}"
        try:
            session = boto3.Session(profile_name=profile, region_name=self.environment.region)
            account = session.client("sts").get_caller_identity()["Account"]
        except (BotoCoreError, ClientError) as error:
            raise UsageError(f"cannot sign in to {where}: {error}; {mend}") from error
        if account != self.environment.account:
            raise UsageError(f"you are signed in to account {account}, not to {where}; {mend}")
        return session

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    def client(self, service: str) -> Any:
        """A boto3 client of the environment's account and region, made once."""
        if service not in self._clients:
            self._clients[service] = self.boto_session.client(service)
        return self._clients[service]
