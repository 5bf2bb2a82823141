"""What one model has in one environment."""

from pathlib import Path

from aws_cdk import Environment, Stack, Tags
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from model_factory.config import Environment as EnvironmentConfig
from model_factory.config import FactoryConfig, ModelConfig
from model_factory.core.image import default_image_uri
from model_factory.core.network import VpcConfig
from model_factory.core.permissions import apply_permissions_boundary
from model_factory.model.alarms import ModelAlarms
from model_factory.model.dashboard import ModelDashboard
from model_factory.model.endpoint_deployer import EndpointDeployer
from model_factory.model.job_code import JobCode
from model_factory.model.model_registry import ModelRegistry
from model_factory.model.monitor_pipeline import MonitorPipeline
from model_factory.model.props import ModelProps
from model_factory.model.retrain_trigger import RetrainTrigger
from model_factory.model.settings import ModelSettings
from model_factory.model.training_pipeline import TrainingPipeline


class ModelStack(Stack):
    """The stack `<factory>-<env>-<model>`. `key` and `vpc` are the foundation's; the rest is found by name."""

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
    ) -> None:
        before = factory.promoted_from(environment, model.promote)
        names = factory.names(environment).model(model.name)
        super().__init__(
            scope,
            names.stack,
            stack_name=names.stack,
            description=f"Model Factory {factory.name}: model {model.name} in {environment.name}",
            env=Environment(account=environment.account, region=environment.region),
        )
        apply_permissions_boundary(self, environment.permissions_boundary)
        Tags.of(self).add("model-factory:model", model.name)
        zipped = assets.Asset(self, "Code", path=str(Path(code.path)))
        props = ModelProps(
            config=model,
            environment=environment,
            names=names,
            key_arn=key.key_arn,
            image=model.training.image or default_image_uri(environment.region),
            code=code,
            code_bucket=zipped.s3_bucket_name,
            code_key=zipped.s3_object_key,
            vpc=vpc,
            promoted_from=before.name if before else None,
        )
        registry = ModelRegistry(self, "Registry", props)
        training = TrainingPipeline(self, "Training", props)
        training.node.add_dependency(registry)
        MonitorPipeline(self, "Monitoring", props)
        RetrainTrigger(self, "Retrain", props)
        deployer = EndpointDeployer(self, "Endpoint", props)
        deployer.node.add_dependency(registry)
        settings = ModelSettings(self, "Settings", props, endpoint_role_arn=deployer.role.role_arn)
        # Deleted before the endpoint: a message that is still in the deploy queue then finds no model to deploy.
        settings.node.add_dependency(deployer.cleanup)
        ModelAlarms(self, "Alarms", props)
        ModelDashboard(self, "Dashboard", props)
