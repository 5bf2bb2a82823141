"""The pipeline that tests and synthesizes pull requests. It deploys nothing."""

from typing import Any, cast

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ..config.delivery import CODECOMMIT, Delivery
from ..core.nag import DEPENDS_TWICE, NO_SOURCE_OF_ITS_OWN, ONE_ROLE, in_both_packs, suppress
from ..core.names import EnvironmentNames
from .buckets import DeliveryBuckets
from .build import build_environment, install_commands, python_build_spec, test_and_synth
from .source import SOURCE, allow_use_of_connection, create_after_policies


class PullRequestPipeline(Construct):
    """A pipeline with a source and a test stage, for every pull request to the branch that is delivered.

    The tests run code that nobody has reviewed. So they share no bucket and no cache with deliveries, and their role may
    not use the connection, with which it could push to the repository: the source action copies the commit's files.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        delivery: Repository, branch and commands. The source has to be a connection: CodePipeline has no triggers for
            pull requests of CodeCommit.
        names: Names of the delivery account: the pipeline is `<factory>-pull-requests`. Default: CloudFormation generates
            the name.
        bucket: Bucket for artifacts and caches of the tests, which may write and delete in it: never the bucket of a
            `DeliveryPipeline`. Default: a bucket of its own.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        delivery: Delivery,
        names: EnvironmentNames | None = None,
        bucket: s3.IBucket | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        if delivery.source == CODECOMMIT:
            raise ValueError(
                f"{self.node.path}: delivery.source is {delivery.source!r}, which has no triggers for pull requests; give the "
                "ARN of a connection"
            )
        bucket = bucket or DeliveryBuckets(self, "Buckets").tests
        owner, _, name = delivery.repository.rpartition("/")
        sources = codepipeline.Artifact("Source")
        source = actions.CodeStarConnectionsSourceAction(
            action_name=SOURCE,
            connection_arn=delivery.source,
            owner=owner,
            repo=name,
            branch=delivery.branch,
            output=sources,
            trigger_on_push=False,
        )
        project = codebuild.PipelineProject(
            self,
            "Test",
            environment=build_environment(delivery),
            build_spec=codebuild.BuildSpec.from_object(_build_spec(delivery)),
            cache=codebuild.Cache.bucket(bucket, prefix="build-cache"),
            encryption_key=bucket.encryption_key,
        )
        test = actions.CodeBuildAction(action_name="Test", project=cast(Any, project), input=sources)
        self.pipeline = codepipeline.Pipeline(
            self,
            "Pipeline",
            pipeline_name=names.pull_request_pipeline if names else None,
            pipeline_type=codepipeline.PipelineType.V2,
            execution_mode=codepipeline.ExecutionMode.QUEUED,
            artifact_bucket=bucket,
            stages=[
                codepipeline.StageProps(stage_name="Source", actions=[cast(Any, source)]),
                codepipeline.StageProps(stage_name="Test", actions=[cast(Any, test)]),
            ],
        )
        """The pipeline."""
        definition = cast(codepipeline.CfnPipeline, self.pipeline.node.default_child)
        definition.add_property_override("Triggers", _triggers(delivery))
        allow_use_of_connection(self, delivery)
        create_after_policies(definition, self)
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
