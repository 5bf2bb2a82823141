"""Pull requests are tested and synthesized, and nothing is deployed."""

from typing import Any, cast

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ..config.delivery import Delivery
from ..core.nag import DEPENDS_TWICE, NO_SOURCE_OF_ITS_OWN, ONE_ROLE, in_both_packs, suppress
from ..core.names import EnvironmentNames
from .build import build_environment, install_commands, python_build_spec, test_and_synth
from .source import SOURCE


class PullRequestPipeline(Construct):
    """The pipeline `<factory>-pull-requests`: source and test, for every pull request to the delivered branch."""

    def __init__(
        self, scope: Construct, construct_id: str, *, delivery: Delivery, names: EnvironmentNames, artifacts: s3.IBucket
    ) -> None:
        super().__init__(scope, construct_id)
        owner, _, name = delivery.repository.rpartition("/")
        sources = codepipeline.Artifact("Source")
        source = actions.CodeStarConnectionsSourceAction(
            action_name=SOURCE,
            connection_arn=delivery.source,
            owner=owner,
            repo=name,
            branch=delivery.branch,
            output=sources,
            code_build_clone_output=True,
            trigger_on_push=False,
        )
        project = codebuild.PipelineProject(
            self,
            "Test",
            environment=build_environment(delivery),
            build_spec=codebuild.BuildSpec.from_object(_build_spec(delivery)),
            cache=codebuild.Cache.bucket(artifacts, prefix="build-cache"),
            encryption_key=artifacts.encryption_key,
        )
        test = actions.CodeBuildAction(action_name="Test", project=cast(Any, project), input=sources)
        pipeline = codepipeline.Pipeline(
            self,
            "Pipeline",
            pipeline_name=names.pull_request_pipeline,
            pipeline_type=codepipeline.PipelineType.V2,
            execution_mode=codepipeline.ExecutionMode.QUEUED,
            artifact_bucket=artifacts,
            stages=[
                codepipeline.StageProps(stage_name="Source", actions=[cast(Any, source)]),
                codepipeline.StageProps(stage_name="Test", actions=[cast(Any, test)]),
            ],
        )
        cast(codepipeline.CfnPipeline, pipeline.node.default_child).add_property_override(
            "Triggers", _triggers(delivery)
        )
        for node in self.node.find_all():
            if isinstance(node, iam.CfnPolicy):
                written = "CDK writes it: the build's own logs, reports and artifacts."
                suppress(node, {"AwsSolutions-IAM5": written, **in_both_packs("IAMNoInlinePolicy", ONE_ROLE)})
            elif isinstance(node, codebuild.CfnProject):
                suppress(node, {"PCI.DSS.321-CodeBuildProjectSourceRepoUrl": NO_SOURCE_OF_ITS_OWN})
            elif isinstance(node, codepipeline.CfnPipeline):
                suppress(node, {"W3005": DEPENDS_TWICE})


def _triggers(delivery: Delivery) -> list[dict[str, Any]]:
    request = {"Branches": {"Includes": [delivery.branch]}, "Events": ["OPEN", "UPDATED"]}
    return [
        {
            "ProviderType": "CodeStarSourceConnection",
            "GitConfiguration": {"SourceActionName": SOURCE, "PullRequest": [request]},
        }
    ]


def _build_spec(delivery: Delivery) -> dict[str, Any]:
    spec = python_build_spec()
    spec["phases"]["install"]["commands"] = install_commands(delivery)
    spec["phases"]["build"] = {"commands": test_and_synth(delivery)}
    return spec
