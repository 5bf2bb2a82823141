"""Models and environments that are deployed and no longer in the repository."""

from .alerts import Alert
from .pipelines import RemovedEnvironment, destroy_advice


def remove_command(model: str, environment: str) -> str:
    """The command that deletes the stack of a model which is no longer in the repository."""
    return f"model-factory remove-model {model} --env {environment}"


def leftover_alert(model: str, environment: str, commit: str) -> Alert:
    """The alert about a model that is deployed in an environment and not in the delivered commit."""
    return Alert(
        model=model,
        cause="model-not-in-commit",
        what=f"{model} is deployed in {environment}, but not in the delivered commit {commit}.",
        why=f"The commit has no folder models/{model}; a delivery deletes no stacks.",
        done="The delivery leaves the model alone: its endpoint, schedules and alarms stay.",
        command=remove_command(model, environment),
    )


def removed_environment_alert(removed: RemovedEnvironment) -> Alert:
    """The alert about an environment that the delivered commit no longer has."""
    return Alert(
        model="",
        cause=f"environment-not-in-commit-{removed.name}",
        what=f"The environment {removed.name} is no longer delivered to; its stacks stay: {', '.join(removed.stacks)}.",
        why="The commit's factory.yaml does not have it, or not among delivery.stages; a delivery deletes no stacks.",
        done="Its endpoints, schedules and alarms stay as they are.",
        command=destroy_advice(removed.name),
    )
