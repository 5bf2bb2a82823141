"""What earlier deliveries deployed and the present commit does not have: models, and environments as a whole."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from model_factory.config import Environment
from model_factory.functions.shared.leftovers import remove_command
from model_factory.functions.shared.pipelines import RemovedEnvironment, destroy_advice

from ..project import EnvironmentSession, Project, UsageError
from .deliveries import Deliveries
from .removal import describe_stack


def left_behind(project: Project, pipeline: Deliveries) -> Iterator[str]:
    """One sentence each, with the command that deletes it.

    Stacks of removed environments are looked up where there are credentials: those of the profile `<factory>-<environment>`.
    """
    for environment, models in pipeline.leftovers().items():
        for model in models:
            yield f"{environment}/{model} is deployed, but was not in the newest commit: {remove_command(model, environment)}"
    for removed in pipeline.removed_environments(project.factory.name):
        stacks, known = _existing(project, removed)
        if stacks:
            state = "is" if known else "may still be"
            yield (
                f"{removed.name} {state} deployed in account {_account(project, removed)}, but is no longer delivered to "
                f"({', '.join(stacks)}): {destroy_advice(removed.name)}"
            )


def _existing(project: Project, removed: RemovedEnvironment) -> tuple[tuple[str, ...], bool]:
    """The stacks that exist, and True; all stacks, and False, where they cannot be looked up."""
    delivery = project.factory.delivery
    region = removed.place.region or (delivery.region if delivery else "")
    account = _account(project, removed)
    environment = Environment(name=removed.name, account=account, region=region, approval="manual")
    try:
        cloudformation = EnvironmentSession(project, environment).client("cloudformation")
        return tuple(stack for stack in removed.stacks if describe_stack(cloudformation, stack)), True
    except (UsageError, ClientError):
        return removed.stacks, False


def _account(project: Project, removed: RemovedEnvironment) -> str:
    """Actions in the pipeline's own account may name no role."""
    return removed.place.account or (project.factory.delivery.account if project.factory.delivery else "")
