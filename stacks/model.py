"""The stack of one model in one environment."""

from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from aws_cdk import Annotations, Environment, RemovalPolicy, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from model_factory.config import Environment as EnvironmentConfig
from model_factory.config import FactoryConfig, ModelConfig
from model_factory.core.image import patch_warning
from model_factory.core.network import VpcConfig
from model_factory.core.permissions import apply_permissions_boundary
from model_factory.environment.resources import EnvironmentResources
from model_factory.model.alarms import ModelAlarms
from model_factory.model.dashboard import ModelDashboard
from model_factory.model.endpoint_deployer import EndpointDeployer
from model_factory.model.job_code import JobCode
from model_factory.model.model_registry import ModelRegistry
from model_factory.model.monitor_pipeline import MonitorPipeline
from model_factory.model.own_training_pipeline import OwnTrainingPipeline
from model_factory.model.props import ModelProps
from model_factory.model.retrain_trigger import RetrainTrigger
from model_factory.model.scoring_pipeline import ScoringPipeline
from model_factory.model.settings import ModelSettings
from model_factory.model.training_pipeline import TrainingPipeline
from model_factory.own_pipeline.synthesis import Synthesized

NOT_MONITORED = (
    "{model} has a pipeline of its own, which registers no baselines: drift and model quality are not monitored. "
    "Failed trainings, errors and latency of its endpoint raise alarms, and requests are captured"
)


class ModelStack(Stack):
    """The stack `<factory>-<env>-<model>`.

    A construct of one's own can use the attributes, in the loop `for stack in FactoryApp().model_stacks`.

    Attributes:
        model: The content of model.yaml.
        environment_config: The environment, as in factory.yaml. (`environment` is CDK's own property of a stack.)
        names: Names of the model's resources; `names.environment` has those of the environment.
        resources: Buckets, queues, key, topic and other resources of the environment.
        props: What all constructs of the stack were created with.
        registry: The model package group.
        training_pipeline: The training pipeline.
        monitor_pipeline: The monitor pipeline and its schedule; None for a model with a pipeline of its own.
        scoring_pipeline: The pipeline that scores files, and what starts it; None for a model with a pipeline of its own.
        retrain_trigger: The schedule and the alarm rule that start trainings.
        endpoint: Deployment of the endpoint.
        settings: The parameter that the functions of the environment read.
        alarms: The alarms, by purpose.
        dashboard: The dashboard.

    Args:
        scope: The app, or a stage of it.
        factory: The content of factory.yaml.
        environment: One of its environments.
        model: The content of model.yaml.
        code: The zip that the jobs run.
        key: The environment's key.
        vpc: Subnets and security groups of jobs and endpoint; None outside of a VPC.
        own_pipeline: The pipeline of a model with a pipeline.py. Default: None, the standard one.

    Raises:
        DefinitionError: SageMaker would reject the definition of a pipeline.
        ImageError: There is no image in the region, or the image is not in Amazon ECR.
    """

    def __init__(
        self,
        scope: Construct,
        factory: FactoryConfig,
        environment: EnvironmentConfig,
        model: ModelConfig,
        *,
        code: JobCode,
        key: kms.IKey,
        vpc: VpcConfig | None,
        own_pipeline: Synthesized | None = None,
    ) -> None:
        source = factory.promoted_from(environment, model.promote)
        self.model, self.environment_config = model, environment
        self.names = factory.names(environment).model(model.name)
        super().__init__(
            scope,
            self.names.stack,
            stack_name=self.names.stack,
            description=f"Model Factory {factory.name}: model {model.name} in {environment.name}",
            env=Environment(account=environment.account, region=environment.region),
        )
        apply_permissions_boundary(self, environment.permissions_boundary)
        Tags.of(self).add("model-factory:model", model.name)
        self.resources = EnvironmentResources.from_names(self, self.names.environment, key=key, vpc=vpc)
        self.props = props = ModelProps(
            config=model,
            names=self.names,
            image=model.training.image_in(environment.region),
            code=code,
            asset=assets.Asset(self, "Code", path=str(Path(code.path))),
            approval=environment.approval,
            removal_policy=RemovalPolicy.RETAIN if environment.removal == "retain" else RemovalPolicy.DESTROY,
            promoted_from=source.name if source else None,
            own_pipeline=own_pipeline,
            **self.resources.of_models,
        )
        if own_pipeline:
            Annotations.of(self).add_info_v2("model-factory:not-monitored", NOT_MONITORED.format(model=model.name))
        elif warning := patch_warning(props.image, datetime.now(UTC).date()):
            Annotations.of(self).add_warning_v2("model-factory:end-of-patch", warning)
        self.registry = ModelRegistry(self, "Registry", props)
        self.training_pipeline = (
            OwnTrainingPipeline(self, "Training", props, own_pipeline)
            if own_pipeline
            else TrainingPipeline(self, "Training", props)
        )
        self.training_pipeline.node.add_dependency(self.registry)
        self.monitor_pipeline = None if own_pipeline else MonitorPipeline(self, "Monitoring", props)
        self.scoring_pipeline = None if own_pipeline else ScoringPipeline(self, "Scoring", props)
        self.retrain_trigger = RetrainTrigger(self, "Retrain", props)
        self.endpoint = EndpointDeployer(self, "Endpoint", props)
        self.endpoint.node.add_dependency(self.registry)
        self.settings = ModelSettings(self, "Settings", props, endpoint_role=cast(iam.IRole, self.endpoint.role))
        if self.endpoint.cleanup:
            # Deleted before the endpoint: the deploy function then finds no model for messages still in its queue.
            self.settings.node.add_dependency(self.endpoint.cleanup)
        self.alarms = ModelAlarms(self, "Alarms", props, by_events=True)
        # Written after everything that a deployment by these settings needs; the rule sends its event to the deploy queue.
        self.settings.node.add_dependency(self.endpoint.rule, self.endpoint.log_group, self.alarms)
        self.dashboard = ModelDashboard(self, "Dashboard", props)
