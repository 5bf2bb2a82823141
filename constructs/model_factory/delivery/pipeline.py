"""The pipeline that deploys every push to the environments, built with CDK Pipelines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from aws_cdk import Stack, Stage, pipelines
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ..config import Environment
from ..config.delivery import CODECOMMIT, Delivery
from ..core.bootstrapping import qualifier_of
from ..core.nag import DEPENDS_TWICE, NO_SOURCE_OF_ITS_OWN, ONE_ROLE, in_both_packs, suppress
from ..core.names import EnvironmentNames
from ..core.permissions import allow
from .buckets import DeliveryBuckets, keep_as_artifacts
from .build import (
    build_environment,
    cli_build_spec,
    copy_cli_lock,
    install_commands,
    python_build_spec,
    test_and_synth,
)
from .source import allow_use_of_connection, create_after_policies, push_triggers, source_of
from .steps import FunctionStep

_BUILD_ROLE = (
    "CDK Pipelines writes the statement: the CDK's bootstrap roles, by their tag, and the build's logs and artifacts."
)

_KEYS_ELSEWHERE = (
    "CDK knows the key of a bucket in another region by its alias only, which policies cannot name; the key's own "
    "policy names who may use it."
)


class DeliveryPipeline(Construct):
    """A pipeline with source, build, self-update and assets, then for each environment: deploy, retrain, release, smoke test.

    The report and the approval for an environment with `approval: manual` are a stage before that of the environment: a
    rejected approval has changed nothing, and a deployment that is rolled back needs no second approval.

    Args:
        scope: Parent construct, in the stack that the pipeline updates itself.
        construct_id: Id of this construct in `scope`.
        delivery: Repository, branch, commands and size of builds.
        environments: Environments in the order of promotion, each with the stage of its stacks.
        names: Names of the delivery account: the pipeline is `<factory>-delivery`. Default: CloudFormation generates the
            name.
        artifacts: Bucket for artifacts and caches of builds. Default: a bucket of its own.
        function: The delivery function, which trains, releases and tests models between deployments. Default: None, the
            pipeline deploys stacks only and approvals have no report.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        delivery: Delivery,
        environments: Sequence[tuple[Environment, Stage]],
        names: EnvironmentNames | None = None,
        artifacts: s3.IBucket | None = None,
        function: lambda_.IFunction | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._function = function
        artifacts = artifacts or DeliveryBuckets(self, "Buckets").artifacts
        self.pipeline = codepipeline.Pipeline(
            self,
            "Base",
            pipeline_name=names.delivery_pipeline if names else None,
            pipeline_type=codepipeline.PipelineType.V2,
            execution_mode=codepipeline.ExecutionMode.SUPERSEDED,
            artifact_bucket=artifacts,
            # For the buckets that CDK adds in other regions: other accounts can read them only with a key.
            cross_account_keys=True,
            enable_key_rotation=True,
            restart_execution_on_update=True,
        )
        """The CodePipeline pipeline."""
        base = self.pipeline
        self._synth = _synth(self, delivery, artifacts)
        self._pipeline = pipelines.CodePipeline(
            self,
            "Pipeline",
            code_pipeline=base,
            synth=self._synth,
            publish_assets_in_parallel=False,
            code_build_defaults=pipelines.CodeBuildOptions(build_environment=build_environment(delivery)),
        )
        stages = [self._add(environment, stage) for environment, stage in environments]
        self._pipeline.build_pipeline()
        copy_cli_lock(Path(cast(Stage, self.node.root).outdir))
        self._use_locked_cli(Stack.of(self).node.path, stages)
        definition = cast(codepipeline.CfnPipeline, base.node.default_child)
        if delivery.source != CODECOMMIT:
            definition.add_property_override("Triggers", push_triggers(delivery))
        self._allow_publishing([environment for environment, _ in environments])
        _roll_back_on_failure(definition, base, stages)
        elsewhere = base.cross_region_support
        for support in elsewhere.values():
            keep_as_artifacts(cast(s3.Bucket, support.replication_bucket))
        if elsewhere:
            suppress(base.role.node.find_child("DefaultPolicy"), {"CKV_AWS_111": _KEYS_ELSEWHERE})
        allow_use_of_connection(self, delivery)
        create_after_policies(definition, self)
        _suppress_cdk_pipelines(self)

    @property
    def build_projects(self) -> list[codebuild.CfnProject]:
        """The projects of the pipeline's builds: of the source, of its own update and of assets."""
        nodes = self.node.find_all()
        return [node for node in nodes if isinstance(node, codebuild.CfnProject)]

    def _add(self, environment: Environment, stage: Stage) -> str:
        """Add the stages of an environment; returns the name of the one that deploys it."""
        name = environment.name
        tasks = ["retrain", "smoke"]
        if environment.approval == "manual":
            self._pipeline.add_wave(f"before-{name}", pre=pipelines.Step.sequence(self._approval(name)))
            tasks.insert(1, "release")
        steps = [FunctionStep(task, name, function=self._function) for task in tasks] if self._function else []
        self._pipeline.add_stage(stage, post=pipelines.Step.sequence(cast(list[pipelines.Step], steps)))
        return name

    def _approval(self, environment: str) -> list[pipelines.Step]:
        """The approval for an environment, after the report that the approver reads."""
        construct_id = f"Approve-{environment}"
        if self._function is None:
            return [pipelines.ManualApprovalStep(construct_id)]
        report = FunctionStep(
            "report", environment, function=self._function, assembly=cast(Any, self._synth.primary_output)
        )
        approval = pipelines.ManualApprovalStep(
            construct_id, comment=f"#{{{report.namespace}.summary}}", review_url=f"#{{{report.namespace}.url}}"
        )
        return [cast(pipelines.Step, report), approval]

    def _use_locked_cli(self, stack_name: str, stages: Sequence[str]) -> None:
        """Replace the buildspecs of CDK Pipelines, which install the newest CLI from npm, by those with the locked CLI."""
        deploy = cli_build_spec(f"cdk --app . deploy {stack_name} --require-approval never")
        stacks = " ".join(f"'{stage}/*'" for stage in stages)
        publish = cli_build_spec(f"cdk --app . publish-assets {stacks} --unstable publish-assets")
        for node in self._pipeline.node.find_all():
            if isinstance(node, codebuild.CfnProject):
                if "/Assets/" in node.node.path:
                    node.add_property_override("Source.BuildSpec", publish.to_build_spec())
                elif "/UpdatePipeline/" in node.node.path:
                    node.add_property_override("Source.BuildSpec", deploy.to_build_spec())

    def _allow_publishing(self, environments: Sequence[Environment]) -> None:
        """Let the CLI assume CDK's deploy roles: it looks the bootstrap stack up before it publishes assets."""
        qualifier = qualifier_of(self)
        partition = Stack.of(self).partition
        roles = [
            f"arn:{partition}:iam::{one.account}:role/cdk-{qualifier}-deploy-role-{one.account}-{one.region}"
            for one in environments
        ]
        for node in self._pipeline.node.find_all():
            if isinstance(node, iam.Role) and node.node.path.endswith("/Assets/FileRole"):
                node.add_to_policy(allow(["sts:AssumeRole"], roles))


def _synth(scope: Construct, delivery: Delivery, artifacts: s3.IBucket) -> pipelines.CodeBuildStep:
    return pipelines.CodeBuildStep(
        "Build",
        input=cast(Any, source_of(scope, delivery)),
        install_commands=install_commands(delivery),
        commands=test_and_synth(delivery),
        primary_output_directory="cdk.out",
        partial_build_spec=codebuild.BuildSpec.from_object(python_build_spec()),
        cache=codebuild.Cache.bucket(artifacts, prefix="build-cache"),
        build_environment=build_environment(delivery),
    )


def _roll_back_on_failure(
    definition: codepipeline.CfnPipeline, pipeline: codepipeline.Pipeline, stages: Sequence[str]
) -> None:
    """Roll a failed stage back to its last successful execution."""
    for index, stage in enumerate(pipeline.stages):
        if stage.stage_name in stages:
            definition.add_property_override(f"Stages.{index}.OnFailure", {"Result": "ROLLBACK"})


def _suppress_cdk_pipelines(scope: Construct) -> None:
    for node in scope.node.find_all():
        if isinstance(node, iam.CfnPolicy):
            suppress(node, {"AwsSolutions-IAM5": _BUILD_ROLE, **in_both_packs("IAMNoInlinePolicy", ONE_ROLE)})
            if "/Assets/" in node.node.path:
                suppress(node, {"CKV_AWS_111": _BUILD_ROLE})
        elif isinstance(node, codebuild.CfnProject):
            suppress(node, {"PCI.DSS.321-CodeBuildProjectSourceRepoUrl": NO_SOURCE_OF_ITS_OWN})
        elif isinstance(node, codepipeline.CfnPipeline):
            suppress(
                node,
                {"W3005": DEPENDS_TWICE, "E3703": "CDK joins the ARNs of its actions' roles; the value is the same."},
            )
