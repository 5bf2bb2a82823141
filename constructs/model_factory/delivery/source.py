"""Source action and triggers of the pipelines."""

from typing import Any

from aws_cdk import aws_codecommit as codecommit
from aws_cdk import pipelines
from constructs import Construct

from ..config.delivery import CODECOMMIT, Delivery

SOURCE = "Source"


def source_of(scope: Construct, delivery: Delivery) -> pipelines.CodePipelineSource:
    """Source action that clones the repository with its history: the last commit of a model is part of its lineage."""
    if delivery.source == CODECOMMIT:
        repository = codecommit.Repository.from_repository_name(scope, "Repository", delivery.repository)
        return pipelines.CodePipelineSource.code_commit(
            repository, delivery.branch, action_name=SOURCE, code_build_clone_output=True
        )
    return pipelines.CodePipelineSource.connection(
        delivery.repository,
        delivery.branch,
        connection_arn=delivery.source,
        action_name=SOURCE,
        code_build_clone_output=True,
        # `push_triggers` starts the pipeline; the source's own detection would start it for every push.
        trigger_on_push=False,
    )


def push_triggers(delivery: Delivery) -> list[dict[str, Any]]:
    """Triggers for pushes to the branch, except those that change only `excluded_paths`."""
    push = {"Branches": {"Includes": [delivery.branch]}, "FilePaths": {"Excludes": delivery.excluded_paths}}
    return [
        {
            "ProviderType": "CodeStarSourceConnection",
            "GitConfiguration": {"SourceActionName": SOURCE, "Push": [push]},
        }
    ]
