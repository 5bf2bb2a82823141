"""The models of the delivered commit, and the deployed models that are not in it.

A model that was deleted from the repository keeps its stack, its schedules and its settings until somebody deletes the
stack. The version of the pipeline that an execution runs deploys the stacks of its commit and no others, so it tells them apart.
"""

from functools import cache
from typing import Any

from environment import Environment, codepipeline
from outcome import Job
from shared.pipelines import RemovedEnvironment, deployed_stacks, removed_environments


def delivered_models(job: Job, environment: Environment) -> list[dict[str, Any]]:
    """Settings of the deployed models whose stacks this execution deploys, by name. Raises LookupError."""
    stacks = _stacks(job, environment)
    return [model for model in environment.models() if environment.stack(model["model"]) in stacks]


def leftover_models(job: Job, environment: Environment) -> list[str]:
    """Names of the models that are deployed in the environment and not in the delivered commit. Raises LookupError."""
    stacks = _stacks(job, environment)
    return [model["model"] for model in environment.models() if environment.stack(model["model"]) not in stacks]


def short_commit(job: Job, environment: Environment) -> str:
    """First twelve characters of the id of the delivered commit; `unknown commit` without a source revision."""
    revisions = _execution(environment.settings.pipeline, job.execution).get("artifactRevisions", [])
    return revisions[0]["revisionId"][:12] if revisions else "unknown commit"


def removed_by_commit(job: Job, environment: Environment) -> list[RemovedEnvironment]:
    """The environments that the version of the pipeline before this execution's deployed, and this one does not."""
    pipeline = environment.settings.pipeline
    version = _execution(pipeline, job.execution)["pipelineVersion"]
    if version == 1:
        return []
    before, now = (
        deployed_stacks(codepipeline().get_pipeline(name=pipeline, version=each)["pipeline"])
        for each in (version - 1, version)
    )
    return removed_environments(before, now, environment.config.factory)


def _stacks(job: Job, environment: Environment) -> frozenset[str]:
    """Names of the environment's stacks that the execution deploys. Raises LookupError when there are none."""
    prefix = environment.stack("")
    stacks = _deployed_stacks(environment.settings.pipeline, job.execution)
    found = frozenset(stack for stack in stacks if stack.startswith(prefix))
    if not found:
        raise LookupError(f"the pipeline {environment.settings.pipeline} deploys no stack {prefix}*")
    return found


@cache
def _deployed_stacks(pipeline: str, execution: str) -> frozenset[str]:
    """Stacks that the execution's version of the pipeline deploys. An execution ends when its pipeline is changed."""
    version = _execution(pipeline, execution)["pipelineVersion"]
    return frozenset(deployed_stacks(codepipeline().get_pipeline(name=pipeline, version=version)["pipeline"]))


def _execution(pipeline: str, execution: str) -> dict[str, Any]:
    response = codepipeline().get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution)
    return response["pipelineExecution"]
