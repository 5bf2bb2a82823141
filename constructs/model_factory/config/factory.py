"""`factory.yaml`: what a platform team says once about its environments, delivery and alerts."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from ..core.names import DELIVERY, EnvironmentNames
from .delivery import Delivery, check_stages
from .fields import AccountId, Region, Section, ShortName

SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")]
SecurityGroupId = Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")]


class ExistingNetwork(Section):
    """A network that is there already; it needs ways to the services that docs/reference/network.md lists."""

    vpc: Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$")]
    # As many as SageMaker takes.
    subnets: list[SubnetId] = Field(default_factory=list[str], max_length=16)
    security_groups: list[SecurityGroupId] = Field(default_factory=list[str], max_length=5)

    @model_validator(mode="after")
    def _nothing_is_looked_up(self) -> Self:
        absent = [f"`{key}`" for key in ("subnets", "security_groups") if not getattr(self, key)]
        if absent:
            raise ValueError(
                f"vpc alone is not enough: give {' and '.join(absent)} as well, because synthesis looks nothing up "
                "in an account"
            )
        return self


def _kind_of_network(value: Any) -> str:
    # In brackets, so that config/loading.py can tell these tags from the keys of a file.
    return "(existing)" if isinstance(value, Mapping | ExistingNetwork) else "(word)"


Network = Annotated[
    Annotated[Literal["none", "isolated"], Tag("(word)")] | Annotated[ExistingNetwork, Tag("(existing)")],
    Discriminator(_kind_of_network),
]


class Environment(Section):
    """One environment: an account, a region and its policies."""

    name: ShortName
    account: AccountId
    region: Region
    approval: Literal["automatic", "manual"] = Field(
        "manual", description="Who approves a version that passed its gate."
    )
    removal: Literal["retain", "destroy"] = Field(default="retain", description="What `cdk destroy` does with data.")
    network: Network = Field(
        default="none",
        description="Where jobs, endpoints and functions run: `isolated` makes a network without a way to the internet; "
        "vpc, subnets and security_groups name one that is there already.",
    )
    records_lock: Literal["governance", "compliance"] = Field(
        default="governance",
        description="Who may shorten the year for which retained records are kept: with `compliance` nobody, not even "
        "the account's root; with `governance` those with s3:BypassGovernanceRetention.",
    )
    permissions_boundary: str | None = Field(default=None, description="Name of an IAM policy that bounds every role.")


class Alerts(Section):
    """Who is told."""

    emails: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]] = Field(default_factory=list)


class FactoryConfig(Section):
    """One factory: environments in the order of promotion."""

    name: ShortName
    environments: list[Environment] = Field(min_length=1)
    delivery: Delivery | None = None
    alerts: Alerts = Alerts()

    @model_validator(mode="after")
    def _environments_differ(self) -> Self:
        names = [environment.name for environment in self.environments]
        if DELIVERY in names:
            raise ValueError(
                f"environments: {DELIVERY!r} is the tooling account's own name; call the environment otherwise"
            )
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"environment {name!r} is defined {names.count(name)} times; every name must be different"
                )
        return self

    @model_validator(mode="after")
    def _stages_follow_the_environments(self) -> Self:
        if self.delivery:
            check_stages(self.delivery, [environment.name for environment in self.environments])
        return self

    @property
    def delivered(self) -> list[Environment]:
        """The environments that the delivery pipeline deploys, in order; none without `delivery`."""
        if self.delivery is None:
            return []
        stages = self.delivery.stages or [environment.name for environment in self.environments]
        return [self.environment(name) for name in stages]

    def environment(self, name: str) -> Environment:
        """The environment called `name`. Raises KeyError with the names there are."""
        for environment in self.environments:
            if environment.name == name:
                return environment
        raise KeyError(
            f"no environment {name!r} in factory.yaml; there are {', '.join(e.name for e in self.environments)}"
        )

    def promoted_from(self, environment: Environment, promote: Literal["code", "model"]) -> Environment | None:
        """Where the versions of a model come from that `environment` does not train itself; None where it trains.

        With `promote: model` that is the environment before it; among those that are delivered, for one that is.
        """
        line = self.delivered if environment in self.delivered else self.environments
        index = line.index(environment)
        return line[index - 1] if promote == "model" and index else None

    def delivery_names(self, delivery: Delivery) -> EnvironmentNames:
        """Names of what delivers: in the tooling account, as if that were an environment called `delivery`."""
        return EnvironmentNames(self.name, DELIVERY, delivery.account, delivery.region)

    def names(self, environment: Environment) -> EnvironmentNames:
        """Names in `environment`."""
        return EnvironmentNames(self.name, environment.name, environment.account, environment.region)
