"""`factory.yaml`: the environments, the delivery pipeline and the notification recipients of a factory."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from ..core.names import ANCHOR, DELIVERY, EnvironmentNames
from .alerts import Alerts
from .delivery import Delivery, check_stages
from .fields import AccountId, Duration, PolicyName, Region, Section, SecurityGroupId, ShortName, SubnetId, VpcId
from .openlineage import OpenLineage

LONGEST_RETENTION = timedelta(days=36_500)
"""S3 user guide, 'Object Lock considerations': a default retention has 1 to 36,500 days."""
_RESERVED = {
    "aws": "Systems Manager reserves for its own parameters",
    "ssm": "Systems Manager reserves for its own parameters",
    "sthree": "S3 reserves for its own buckets",
    "amzn-s3-demo": "S3 reserves for examples in its documentation",
}
"""Beginnings of names that a service refuses, and why. The factory's name starts every name."""


class ExistingNetwork(Section):
    """An existing VPC. It must reach the services that docs/reference/network.md lists."""

    vpc: VpcId = Field(description="Id of the VPC.")
    # The maximum lengths are SageMaker's.
    subnets: list[SubnetId] = Field(
        default_factory=list[str],
        max_length=16,
        description="Ids of the subnets in which jobs, endpoints and functions run. Required.",
    )
    security_groups: list[SecurityGroupId] = Field(
        default_factory=list[str],
        max_length=5,
        description="Ids of the security groups of jobs, endpoints and functions. Required.",
    )

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
    """One environment: an account, a region and their policies."""

    name: ShortName = Field(description="Name of the environment, such as dev; part of every resource name.")
    account: AccountId
    region: Region
    approval: Literal["automatic", "manual"] = Field(
        "manual",
        description="Approval of a version that passed its gate: `automatic` registers it as Approved, `manual` as "
        "PendingManualApproval.",
    )
    removal: Literal["retain", "destroy"] = Field(
        default="retain",
        description="Removal policy of the key, the buckets and the model versions when their stack is deleted.",
    )
    network: Network = Field(
        default="none",
        description="VPC of jobs, endpoints and functions: `none`, `isolated` (a new VPC with VPC endpoints and without "
        "internet access), or the ids of an existing VPC.",
    )
    availability_zones: list[Annotated[str, Field(pattern=r"^[a-z]{2,}(-[a-z]+)+-\d[a-z]$")]] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="The two Availability Zones of `network: isolated`, such as eu-west-1a and eu-west-1c. A change replaces "
        "the subnets, which CloudFormation refuses while they are in use. Default: the first two of the region.",
    )
    keep_isolated_network: bool = Field(
        default=False,
        description="Keep the VPC of `network: isolated` for one deployment after `network` was changed, because the models' "
        "stacks still use it: then remove this key and deploy again.",
    )
    records_lock: Literal["governance", "compliance"] = Field(
        default="governance",
        description="Object Lock mode of the records bucket, which keeps records for `records_retention` when `removal` is "
        "`retain`: with `compliance` nobody can shorten the retention, with `governance` principals that have "
        "s3:BypassGovernanceRetention can.",
    )
    records_retention: Duration = Field(
        default="365d",
        validate_default=True,
        description="Time in which nobody deletes a record, in whole days up to 36500d, when `removal` is `retain`. A change "
        "is for records that are written afterwards.",
    )
    captured_retention: Duration | None = Field(
        default="365d",
        validate_default=True,
        description="Age at which captured requests are deleted, in whole days and longer than a model's "
        "`monitoring.quality.window`; null: never.",
    )
    report_retention: Duration | None = Field(
        default="365d",
        validate_default=True,
        description="Age at which reports of monitor jobs are deleted, in whole days; null: never.",
    )
    training_rows_retention: Duration | None = Field(
        default="30d",
        validate_default=True,
        description="Age at which the rows that a training was fitted on are deleted, in whole days and longer than a training "
        "takes; null: never. A training reads raw data, so nothing needs them afterwards.",
    )
    permissions_boundary: PolicyName | None = Field(
        default=None, description="Name of the IAM policy that is the permissions boundary of every role."
    )

    @field_validator("records_retention")
    @classmethod
    def _retention_is_one_of_object_lock(cls, value: timedelta) -> timedelta:
        if not timedelta(days=1) <= value <= LONGEST_RETENTION:
            raise ValueError(f"records are kept for 1d to {LONGEST_RETENTION.days}d, the limits of S3 Object Lock")
        return value

    @model_validator(mode="after")
    def _zones_are_of_the_isolated_network(self) -> Self:
        zones = self.availability_zones
        if self.network == "isolated" and self.keep_isolated_network:
            raise ValueError("keep_isolated_network is for the deployment after `network: isolated`; remove it")
        if zones is None:
            return self
        if self.network != "isolated" and not self.keep_isolated_network:
            raise ValueError("availability_zones are those of `network: isolated`; remove them")
        if wrong := [zone for zone in zones if zone[:-1] != self.region]:
            raise ValueError(f"availability_zones: {wrong[0]} is not in {self.region}")
        if zones[0] == zones[1]:
            raise ValueError(f"availability_zones has {zones[0]} twice; name two zones")
        return self


class Anchor(Section):
    """Another account, in which copies of the signed heads of records are kept with a COMPLIANCE lock."""

    account: AccountId
    region: Region
    retention: Duration = Field(
        default="3650d",
        validate_default=True,
        ge=timedelta(days=1),
        description="Time during which nobody, not even the root user, can delete a copy, in whole days.",
    )


class FactoryConfig(Section):
    """One factory: environments in the order of promotion."""

    name: ShortName = Field(description="Name of the factory; the first part of every resource name.")
    environments: list[Environment] = Field(min_length=1, description="Environments in the order of promotion.")
    delivery: Delivery | None = Field(
        default=None, description="Delivery pipeline. Default: none, the stacks are deployed with `cdk deploy`."
    )
    alerts: Alerts = Field(default=Alerts(), description="Notification recipients.")
    openlineage: OpenLineage = Field(
        default=OpenLineage(), description="HTTP endpoint that takes OpenLineage events, and how it is called."
    )
    anchor: Anchor | None = Field(
        default=None,
        description="Account in which copies of the signed heads of records are kept, out of reach of the environments' "
        "administrators. Default: none.",
    )

    @model_validator(mode="after")
    def _name_is_not_reserved(self) -> Self:
        for prefix, service in _RESERVED.items():
            if self.name.startswith(prefix):
                raise ValueError(f"name {self.name!r} starts with {prefix!r}, which {service}; choose another name")
        return self

    @model_validator(mode="after")
    def _environments_differ(self) -> Self:
        names = [environment.name for environment in self.environments]
        if DELIVERY in names:
            raise ValueError(
                f"environments: the name {DELIVERY!r} is reserved for the tooling account; choose another name"
            )
        if ANCHOR in names:
            raise ValueError(
                f"environments: the name {ANCHOR!r} is reserved for the anchor account; choose another name"
            )
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"environment {name!r} is defined {names.count(name)} times; every name must be different"
                )
        return self

    @model_validator(mode="after")
    def _anchor_is_another_account(self) -> Self:
        for environment in self.environments:
            if self.anchor and self.anchor.account == environment.account:
                raise ValueError(
                    f"anchor.account is the account of environment {environment.name!r}, whose administrators the anchor is "
                    "there to check; name another account"
                )
        return self

    @model_validator(mode="after")
    def _events_can_leave(self) -> Self:
        for environment in self.environments:
            if self.openlineage.url and environment.network == "isolated":
                raise ValueError(
                    f"openlineage.url: environment {environment.name!r} has `network: isolated`, a VPC without internet access, "
                    "so that nothing can be sent from it; remove the URL and read the events from the artifacts bucket, or "
                    "name a VPC of your own that reaches it"
                )
        if self.openlineage.api_key_parameter and not self.openlineage.url:
            raise ValueError(
                "openlineage.api_key_parameter is for the endpoint in openlineage.url; add it, or remove the key"
            )
        return self

    @model_validator(mode="after")
    def _bus_is_another_one(self) -> Self:
        for place in (*self.environments, *((self.delivery,) if self.delivery else ())):
            if (self.alerts.event_bus or "").endswith(f":events:{place.region}:{place.account}:event-bus/default"):
                raise ValueError(
                    f"alerts.event_bus is the default bus of account {place.account} in {place.region}, which has every "
                    "notification already; remove it, or name another bus"
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
        """The environment called `name`. Raises KeyError, whose message lists the names of all environments."""
        for environment in self.environments:
            if environment.name == name:
                return environment
        raise KeyError(
            f"no environment {name!r} in factory.yaml; there are {', '.join(e.name for e in self.environments)}"
        )

    def promoted_from(self, environment: Environment, promote: Literal["code", "model"]) -> Environment | None:
        """The environment whose versions of a model are registered in `environment`; None where the model is trained.

        With `promote: model` it is the environment before it: of the delivered environments for a delivered one,
        of all environments otherwise.
        """
        line = self.delivered if environment in self.delivered else self.environments
        index = line.index(environment)
        return line[index - 1] if promote == "model" and index else None

    def chat_topics(self, names: EnvironmentNames) -> list[str]:
        """Topics of the chat channels that the stack of an environment configures: those of its account, or none.

        The chat service accepts one configuration of a channel for each account. It belongs to the environment of the account
        that is deployed last.
        """
        places = [self.delivery_names(self.delivery)] if self.delivery else []
        places += [self.names(each) for each in self.environments]
        own = [each for each in places if each.account == names.account]
        return [each.arn("sns", each.alerts_topic) for each in own] if own[-1] == names else []

    @property
    def anchor_names(self) -> EnvironmentNames | None:
        """Names in the anchor account, which is treated as an environment called `anchor`; None without one."""
        return EnvironmentNames(self.name, ANCHOR, self.anchor.account, self.anchor.region) if self.anchor else None

    def delivery_names(self, delivery: Delivery) -> EnvironmentNames:
        """Names in the tooling account, which is treated as an environment called `delivery`."""
        return EnvironmentNames(self.name, DELIVERY, delivery.account, delivery.region)

    def names(self, environment: Environment) -> EnvironmentNames:
        """Names of the shared resources of an environment."""
        return EnvironmentNames(self.name, environment.name, environment.account, environment.region)
