"""`ModelProps`: the input of every construct of one model."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, cast

from aws_cdk import App, RemovalPolicy, Stack, Token
from aws_cdk import Names as CdkNames
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ..config import ModelConfig, hyperparameters, load_model
from ..core.image import image_uri as image_uri_of
from ..core.names import EnvironmentNames, ModelNames
from ..core.network import VpcConfig
from ..environment.resources import EnvironmentResources
from .job_code import JobCode, build_job_code

# SageMaker and IAM allow 63 characters; the longest suffix of a model's prefix (`-monitor-job`, `-v1234-…`) takes the rest.
_LONGEST_PREFIX = 48
_ENVIRONMENT = "main"


@dataclass(frozen=True)
class ModelProps:
    """One model in one environment: the input of every construct of this package.

    `from_folder` creates it from a model's folder. The buckets, queues and other resources are optional: a construct
    that needs one which is missing raises ValueError with the construct's path and the name of the property.

    Args:
        config: The content of model.yaml.
        names: Names of the model's resources.
        image: URI of the container image of jobs and endpoint, in Amazon ECR.
        code: The zip that the jobs run.
        asset: The same zip as a CDK asset.
        data_bucket: Raw data, captured requests and ground truth, below `<model>/`. Default: None.
        artifacts_bucket: Files that pipelines write, below `<model>/`. Default: None.
        key: Key that encrypts volumes, outputs and logs. Its policy must allow CloudWatch Logs for EndpointDeployer.
            Default: None, the services' own keys.
        alarm_topic: Topic that alarms publish to. Default: None, alarms have no action.
        retrain_queue: FIFO queue of requests for a training. Default: None.
        deploy_queue: FIFO queue of requests for a deployment. Default: None.
        score_queue: FIFO queue of events that may start the scoring of files. Default: None.
        undelivered_queue: Standard queue: dead letters of rules and schedules. Default: None, such events are lost.
        scheduler_role: Role that EventBridge Scheduler assumes. Default: None, each schedule gets a role of its own.
        endpoint_cleanup: Function of the custom resource that deletes the endpoint with its stack. Default: None, the
            endpoint remains when the stack is deleted.
        monitor: Function that starts the monitor pipeline where there is something to monitor. Default: None, the schedule
            starts the pipeline.
        vpc: Subnets and security groups of jobs and endpoint. Default: None, outside of a VPC.
        approval: Status of a version that passed its gate: `automatic` registers it as Approved, `manual` as
            PendingManualApproval. Default: manual.
        removal_policy: What happens to the model package group and its versions when the stack is deleted.
            Default: RETAIN.
        promoted_from: Name of the environment whose versions are registered here instead of trainings.
            Default: None, the model is trained here.
        generated_role_names: Whether CloudFormation names roles and the dashboard, whose names are unique in the whole
            account. Default: False, their names come from `names`.
    """

    config: ModelConfig
    names: ModelNames
    image: str
    code: JobCode
    asset: assets.Asset
    data_bucket: s3.IBucket | None = None
    artifacts_bucket: s3.IBucket | None = None
    key: kms.IKey | None = None
    alarm_topic: sns.ITopic | None = None
    retrain_queue: sqs.IQueue | None = None
    deploy_queue: sqs.IQueue | None = None
    score_queue: sqs.IQueue | None = None
    undelivered_queue: sqs.IQueue | None = None
    scheduler_role: iam.IRole | None = None
    endpoint_cleanup: lambda_.IFunction | None = None
    monitor: lambda_.IFunction | None = None
    vpc: VpcConfig | None = None
    approval: Literal["automatic", "manual"] = "manual"
    removal_policy: RemovalPolicy = RemovalPolicy.RETAIN
    promoted_from: str | None = None
    generated_role_names: bool = False

    @classmethod
    def from_folder(
        cls,
        scope: Construct,
        folder: Path | str,
        *,
        names: EnvironmentNames | None = None,
        image: str | None = None,
        resources: EnvironmentResources | None = None,
        data_bucket: s3.IBucket | None = None,
        artifacts_bucket: s3.IBucket | None = None,
        key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
        retrain_queue: sqs.IQueue | None = None,
        deploy_queue: sqs.IQueue | None = None,
        score_queue: sqs.IQueue | None = None,
        undelivered_queue: sqs.IQueue | None = None,
        scheduler_role: iam.IRole | None = None,
        endpoint_cleanup: lambda_.IFunction | None = None,
        monitor: lambda_.IFunction | None = None,
        vpc: VpcConfig | None = None,
        approval: Literal["automatic", "manual"] = "manual",
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
        promoted_from: str | None = None,
    ) -> Self:
        """Read a model's folder, build the zip of its jobs and add it to the stack as an asset.

        Args:
            scope: The stack, or a construct in it. A folder can be added to a scope once.
            folder: Folder with model.yaml and model.py; its name is the model's name.
            names: Names of the environment. Default: `<stack>-main`, so that resources of the model are called
                `<stack>-main-<model>…`; CloudFormation names roles and the dashboard.
            image: URI of the container image, in Amazon ECR. Default: `training.image` of model.yaml, or AWS's
                image of its framework in the stack's region. The registry of that image depends on the region, so an
                environment-agnostic stack must give an image.
            resources: Resources of the environment, for all of the following that are not given. Default: none.
            data_bucket: Raw data, captured requests and ground truth, below `<model>/`. Default: that of `resources`.
            artifacts_bucket: Files that pipelines write, below `<model>/`. Default: that of `resources`.
            key: Key that encrypts volumes, outputs and logs. Default: that of `resources`, or the services' own keys.
            alarm_topic: Topic that alarms publish to. Default: that of `resources`, or alarms have no action.
            retrain_queue: FIFO queue of requests for a training. Default: that of `resources`.
            deploy_queue: FIFO queue of requests for a deployment. Default: that of `resources`.
            score_queue: FIFO queue of events that may start the scoring of files. Default: that of `resources`.
            undelivered_queue: Standard queue: dead letters of rules and schedules. Default: that of `resources`.
            scheduler_role: Role that EventBridge Scheduler assumes. Default: that of `resources`, or a role for each
                schedule.
            endpoint_cleanup: Function of the custom resource that deletes the endpoint. Default: that of `resources`.
            monitor: Function that starts the monitor pipeline. Default: that of `resources`, or the schedule starts it.
            vpc: Subnets and security groups of jobs and endpoint. Default: that of `resources`, or outside of a VPC.
            approval: `automatic` registers a version as Approved, `manual` as PendingManualApproval. Default: manual.
            removal_policy: For the model package group and its versions. Default: RETAIN.
            promoted_from: Name of the environment whose versions are registered here. Default: None, the model is
                trained here.

        Raises:
            ConfigError: model.yaml has mistakes, or model.py is missing.
            ImageError: AWS has no such image in the region.
            ValueError: The region is a token and no image is given, or the scope has this model already.
        """
        folder = Path(folder)
        config = load_model(folder)
        if scope.node.try_find_child(f"{config.name}-code"):
            raise ValueError(
                f"{scope.node.path}: ModelProps.from_folder was called twice for model {config.name!r}; use its first result"
            )
        given: dict[str, Any] = {
            "data_bucket": data_bucket,
            "artifacts_bucket": artifacts_bucket,
            "key": key,
            "alarm_topic": alarm_topic,
            "retrain_queue": retrain_queue,
            "deploy_queue": deploy_queue,
            "score_queue": score_queue,
            "undelivered_queue": undelivered_queue,
            "scheduler_role": scheduler_role,
            "endpoint_cleanup": endpoint_cleanup,
            "monitor": monitor,
            "vpc": vpc,
        }
        defaults = resources.of_models if resources else {}
        target = Path(cast(App, scope.node.root).outdir) / "jobs" / f"{scope.node.addr}-{config.name}.zip"
        code = build_job_code(config, project=folder, target=target, image=image)
        return cls(
            config=config,
            names=(names or _default_names(scope, config.name)).model(config.name),
            image=image or _image(scope, config),
            code=code,
            asset=assets.Asset(scope, f"{config.name}-code", path=str(code.path)),
            approval=approval,
            removal_policy=removal_policy,
            promoted_from=promoted_from,
            generated_role_names=names is None,
            **(defaults | {name: value for name, value in given.items() if value is not None}),
        )

    def require(self, construct: Construct, *properties: str) -> None:
        """Check that resources which a construct needs are there.

        Args:
            construct: The construct that needs them.
            properties: Their names, such as `data_bucket`.

        Raises:
            ValueError: One is missing; the message has the construct's path and the missing properties.
        """
        missing = [name for name in properties if getattr(self, name) is None]
        if missing:
            raise ValueError(
                f"{construct.node.path}: {type(construct).__name__} needs {' and '.join(missing)}; pass "
                f"{', '.join(f'{name}=…' for name in missing)} to ModelProps.from_folder, or resources=… with the "
                "resources of an environment (EnvironmentResources.from_names imports those of a deployed one)"
            )

    @property
    def environment_names(self) -> EnvironmentNames:
        """Names of the environment's resources."""
        return self.names.environment

    def role_name(self, purpose: str) -> str | None:
        """Name of a role; None when CloudFormation generates it.

        Args:
            purpose: train, train-job, monitor, monitor-job, score, score-job or endpoint.
        """
        return None if self.generated_role_names else self.names.role(purpose)

    @property
    def code_bucket(self) -> str:
        """Name of the bucket with the jobs' zip."""
        return self.asset.s3_bucket_name

    @property
    def code_key(self) -> str:
        """Key of the jobs' zip in its bucket."""
        return self.asset.s3_object_key

    @property
    def code_uri(self) -> str:
        """S3 URI of the jobs' zip."""
        return f"s3://{self.code_bucket}/{self.code_key}"

    @property
    def key_arn(self) -> str | None:
        """ARN of the key; None without a key."""
        return self.key.key_arn if self.key else None

    @property
    def bucket_key_arns(self) -> list[str]:
        """ARNs of the keys that encrypt the data and artifacts buckets, other than `key`."""
        buckets = [bucket for bucket in (self.data_bucket, self.artifacts_bucket) if bucket]
        arns = [bucket.encryption_key.key_arn for bucket in buckets if bucket.encryption_key]
        return sorted({arn for arn in arns if arn != self.key_arn})

    def bucket(self, purpose: Literal["data", "artifacts", "records"]) -> s3.IBucket:
        """A bucket of the environment.

        Args:
            purpose: data, artifacts or records.

        Raises:
            ValueError: There is none.
        """
        found: s3.IBucket | None = getattr(self, f"{purpose}_bucket")
        if found is None:
            raise ValueError(
                f"model {self.config.name!r} has no {purpose}_bucket; pass {purpose}_bucket=… to ModelProps"
            )
        return found

    def uri(self, purpose: Literal["data", "artifacts", "records"], path: str = "") -> str:
        """S3 URI of the model's part of a bucket, such as `uri("artifacts", "monitor")`.

        Args:
            purpose: data, artifacts or records.
            path: Path below the model's prefix. Default: the prefix itself.
        """
        return f"s3://{self.bucket(purpose).bucket_name}/{self.config.name}" + (f"/{path}" if path else "")

    @property
    def hyperparameters(self) -> dict[str, str]:
        """Hyperparameters as SageMaker takes them: every value is a string, from which the job train gets value and type."""
        return {name: hyperparameters.text(value) for name, value in self.config.training.hyperparameters.items()}

    @property
    def hyperparameters_digest(self) -> str:
        """SHA-256 of the hyperparameters; it does not depend on their order."""
        canonical = json.dumps(self.config.training.hyperparameters, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def tags(self) -> list[dict[str, str]]:
        """Tags of what SageMaker creates at run time; the stack tags its own resources."""
        names = self.environment_names
        tags = {"factory": names.factory, "environment": names.environment, "model": self.config.name}
        return [{"Key": f"model-factory:{key}", "Value": value} for key, value in tags.items()]


def _default_names(scope: Construct, model: str) -> EnvironmentNames:
    """Names of an environment that is the stack alone."""
    length = _LONGEST_PREFIX - len(f"--{_ENVIRONMENT}{model}")
    name = CdkNames.unique_resource_name(Stack.of(scope), max_length=length).lower()
    return EnvironmentNames.of(scope, factory=name, environment=_ENVIRONMENT)


def _image(scope: Construct, config: ModelConfig) -> str:
    stack = Stack.of(scope)
    if not config.training.image and Token.is_unresolved(stack.region):
        raise ValueError(
            f"{scope.node.path}: the region of stack {stack.stack_name!r} is known only at deployment, and the registry "
            "of AWS's images depends on the region; pass image=… to ModelProps.from_folder, or "
            'env=Environment(region="…") to the stack'
        )
    return image_uri_of(config, stack.region)
