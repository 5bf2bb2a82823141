"""`factory.yaml`: what a platform team says once about its environments, delivery and alerts."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ..names import EnvironmentNames
from .fields import Section, ShortName

AccountId = Annotated[str, Field(pattern=r"^\d{12}$", description="AWS account id: twelve digits, in quotes.")]
Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]


class Environment(Section):
    """One environment: an account, a region and its policies."""

    name: ShortName
    account: AccountId
    region: Region
    approval: Literal["automatic", "manual"] = Field(
        "manual", description="Who approves a version that passed its gate."
    )
    removal: Literal["retain", "destroy"] = Field(default="retain", description="What `cdk destroy` does with data.")
    permissions_boundary: str | None = Field(default=None, description="Name of an IAM policy that bounds every role.")


class Alerts(Section):
    """Who is told."""

    emails: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]] = Field(default_factory=list)


class FactoryConfig(Section):
    """One factory: environments in the order of promotion."""

    name: ShortName
    environments: list[Environment] = Field(min_length=1)
    alerts: Alerts = Alerts()

    @model_validator(mode="after")
    def _environments_differ(self) -> Self:
        names = [environment.name for environment in self.environments]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"environment {name!r} is defined {names.count(name)} times; every name must be different"
                )
        return self

    def environment(self, name: str) -> Environment:
        """The environment called `name`. Raises KeyError with the names there are."""
        for environment in self.environments:
            if environment.name == name:
                return environment
        raise KeyError(
            f"no environment {name!r} in factory.yaml; there are {', '.join(e.name for e in self.environments)}"
        )

    def names(self, environment: Environment) -> EnvironmentNames:
        return EnvironmentNames(self.name, environment.name, environment.account, environment.region)
