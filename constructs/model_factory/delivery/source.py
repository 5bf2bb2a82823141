"""Where pushes and pull requests come from."""

from typing import Any

from aws_cdk import aws_codecommit as codecommit
from aws_cdk import pipelines
from constructs import Construct

from ..config.delivery import CODECOMMIT, Delivery

SOURCE = "Source"


def source_of(scope: Construct, delivery: Delivery) -> pipelines.CodePipelineSource:
    """The repository with its history: the commit that last touched a model is part of its lineage."""
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
        # A trigger with paths starts it; the source's own detection would start it for every push.
        trigger_on_push=False,
    )


def push_triggers(delivery: Delivery) -> list[dict[str, Any]]:
    """Start on pushes to the branch, but not when only documentation changed."""
    push = {"Branches": {"Includes": [delivery.branch]}, "FilePaths": {"Excludes": delivery.excluded_paths}}
    return [
        {
            "ProviderType": "CodeStarSourceConnection",
            "GitConfiguration": {"SourceActionName": SOURCE, "Push": [push]},
        }
    ]
