"""The pipeline that brings a push through the environments, made with CDK Pipelines."""

from collections.abc import Sequence
from typing import Any, cast

from aws_cdk import DefaultStackSynthesizer, Stack, Stage, pipelines
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ..config import Environment
from ..config.delivery import CODECOMMIT, Delivery
from ..core.nag import DEPENDS_TWICE, NO_SOURCE_OF_ITS_OWN, ONE_ROLE, in_both_packs, suppress
from ..core.names import EnvironmentNames
from ..core.permissions import allow
from .buckets import keep_as_artifacts
from .build import (
    build_environment,
    cli_build_spec,
    install_commands,
    python_build_spec,
    test_and_synth,
)
from .source import push_triggers, source_of
from .steps import FunctionStep

_BUILD_ROLE = (
    "CDK Pipelines writes it: CDK's own bootstrap roles, told by their tag, and the build's own logs and artifacts."
)

_KEYS_ELSEWHERE = (
    "CDK knows the key of a bucket in another region by its alias only, which policies cannot name; the key's own "
    "policy names who may use it."
)


class DeliveryPipeline(Construct):
    """Source, build, self-update, assets, then for each environment: deploy, retrain, release, smoke test.

    In front of an environment with `approval: manual` stands a stage of its own with the report and the approval: what
    is refused there has touched nothing, and a rolled-back deployment does not ask again.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        delivery: Delivery,
        names: EnvironmentNames,
        artifacts: s3.IBucket,
        function: lambda_.IFunction,
        environments: Sequence[tuple[Environment, Stage]],
    ) -> None:
        super().__init__(scope, construct_id)
        self._function = function
        base = codepipeline.Pipeline(
            self,
            "Base",
            pipeline_name=names.delivery_pipeline,
            pipeline_type=codepipeline.PipelineType.V2,
            execution_mode=codepipeline.ExecutionMode.SUPERSEDED,
            artifact_bucket=artifacts,
            # Of the buckets that CDK adds in other regions: accounts of theirs can read only with a key.
            cross_account_keys=True,
            enable_key_rotation=True,
            restart_execution_on_update=True,
        )
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
        self._use_the_locked_cli(names.delivery_pipeline, stages)
        definition = cast(codepipeline.CfnPipeline, base.node.default_child)
        if delivery.source != CODECOMMIT:
            definition.add_property_override("Triggers", push_triggers(delivery))
        self._let_the_cli_publish([environment for environment, _ in environments])
        _roll_back_on_failure(definition, base, stages)
        elsewhere = base.cross_region_support
        for support in elsewhere.values():
            keep_as_artifacts(cast(s3.Bucket, support.replication_bucket))
        if elsewhere:
            suppress(base.role.node.find_child("DefaultPolicy"), {"CKV_AWS_111": _KEYS_ELSEWHERE})
        _accept_what_cdk_writes(self)

    def _add(self, environment: Environment, stage: Stage) -> str:
        """Add an environment; returns the name of its stage."""
        name = environment.name
        retrain, smoke = self._step("retrain", name), self._step("smoke", name)
        order: list[pipelines.Step] = [retrain, smoke]
        if environment.approval == "manual":
            report = FunctionStep(
                "report", name, function=self._function, assembly=cast(Any, self._synth.primary_output)
            )
            approval = pipelines.ManualApprovalStep(
                f"Approve-{name}",
                comment=f"#{{{report.namespace}.summary}}",
                review_url=f"#{{{report.namespace}.url}}",
            )
            self._pipeline.add_wave(f"before-{name}", pre=pipelines.Step.sequence([report, approval]))
            order.insert(1, self._step("release", name))
        self._pipeline.add_stage(stage, post=pipelines.Step.sequence(order))
        return name

    def _step(self, task: str, environment: str) -> pipelines.Step:
        return cast(pipelines.Step, FunctionStep(task, environment, function=self._function))

    def _use_the_locked_cli(self, stack_name: str, stages: Sequence[str]) -> None:
        """CDK Pipelines installs the newest CLI from npm in its own builds; here they use the lock's."""
        deploy = cli_build_spec(f"cdk --app . deploy {stack_name} --require-approval never")
        stacks = " ".join(f"'{stage}/*'" for stage in stages)
        publish = cli_build_spec(f"cdk --app . publish-assets {stacks} --unstable publish-assets")
        for node in self._pipeline.node.find_all():
            if isinstance(node, codebuild.CfnProject):
                if "/Assets/" in node.node.path:
                    node.add_property_override("Source.BuildSpec", publish.to_build_spec())
                elif "/UpdatePipeline/" in node.node.path:
                    node.add_property_override("Source.BuildSpec", deploy.to_build_spec())

    def _let_the_cli_publish(self, environments: Sequence[Environment]) -> None:
        """The CLI looks the bootstrap stack up under CDK's deploy role before it publishes under the one for files."""
        qualifier = DefaultStackSynthesizer.DEFAULT_QUALIFIER
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
    """A stage that fails goes back to what it last did successfully."""
    for index, stage in enumerate(pipeline.stages):
        if stage.stage_name in stages:
            definition.add_property_override(f"Stages.{index}.OnFailure", {"Result": "ROLLBACK"})


def _accept_what_cdk_writes(scope: Construct) -> None:
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
