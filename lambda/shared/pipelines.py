"""The stacks that a version of the delivery pipeline deploys, and the environments that are no longer among them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FOUNDATION = "-foundation"


@dataclass(frozen=True)
class Place:
    """Account and region of a stack. The account is empty for stacks in the pipeline's own account."""

    account: str
    region: str


@dataclass(frozen=True)
class RemovedEnvironment:
    """An environment that an earlier version of the pipeline deployed, with the names of its stacks."""

    name: str
    place: Place
    stacks: tuple[str, ...]


def deployed_stacks(declaration: Mapping[str, Any]) -> dict[str, Place]:
    """The stacks that a pipeline deploys, by name; `declaration`: as GetPipeline returns it."""
    return {
        action["configuration"]["StackName"]: Place(_account(action.get("roleArn", "")), action.get("region", ""))
        for stage in declaration["stages"]
        for action in stage["actions"]
        if "StackName" in action.get("configuration", {})
    }


def removed_environments(
    earlier: Mapping[str, Place], now: Mapping[str, Place], factory: str
) -> list[RemovedEnvironment]:
    """The environments whose foundation stack is among `earlier` and not among `now`."""
    gone = [name for name in sorted(earlier) if name.endswith(FOUNDATION) and name not in now]
    return [
        RemovedEnvironment(
            name.removeprefix(f"{factory}-").removesuffix(FOUNDATION),
            earlier[name],
            tuple(each for each in sorted(earlier) if each.startswith(name.removesuffix("foundation"))),
        )
        for name in gone
    ]


def destroy_advice(environment: str) -> str:
    """How to delete the stacks of an environment that is no longer in factory.yaml."""
    return f"in a checkout of a commit that still has {environment} in factory.yaml: cdk destroy '{environment}/*'"


def _account(role_arn: str) -> str:
    return role_arn.split(":")[4] if role_arn else ""
