"""Source action and triggers of the pipelines."""

import json
import re
from typing import Any

from aws_cdk import Stack, pipelines
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from constructs import Construct

from ..config.delivery import CODECOMMIT, Delivery
from ..core.permissions import allow

SOURCE = "Source"
_CODECONNECTIONS = re.compile(r"arn:[a-z-]+:codeconnections:")
_OLD_PERMISSION = "codestar-connections:UseConnection"


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


def allow_use_of_connection(scope: Construct, delivery: Delivery) -> None:
    """Let the roles below `scope` that use the source's connection use it under its present service prefix as well.

    CDK writes `codestar-connections:UseConnection` only. For an ARN with the prefix `codeconnections` the permission has
    that prefix (Developer Tools console user guide, "Connections rename - Summary of changes").
    """
    if not _CODECONNECTIONS.match(delivery.source):
        return
    for node in scope.node.find_all():
        if isinstance(node, iam.Policy) and _OLD_PERMISSION in json.dumps(Stack.of(node).resolve(node.document)):
            node.add_statements(allow(["codeconnections:UseConnection"], [delivery.source]))


def create_after_policies(pipeline: codepipeline.CfnPipeline, scope: Construct) -> None:
    """Create a pipeline after the policies below `scope`: it starts as soon as it exists.

    CDK lets it wait for the roles of its actions, but not for their policies, so that the first execution could end with
    'The provided role does not have sufficient permissions'. The policies of rules that start the pipeline refer to it.
    """
    name = json.dumps(Stack.of(scope).get_logical_id(pipeline))
    for node in scope.node.find_all():
        if isinstance(node, iam.Policy) and name not in json.dumps(Stack.of(node).resolve(node.document)):
            pipeline.node.add_dependency(node)
