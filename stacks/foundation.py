"""What an environment has once: key, buckets, queues, the shared functions, alerts."""

from pathlib import Path

from aws_cdk import Duration, Environment, RemovalPolicy, Stack
from constructs import Construct

from model_factory.alerts import Alerts
from model_factory.config import Environment as EnvironmentConfig
from model_factory.config import FactoryConfig
from model_factory.data_lake import DataLake
from model_factory.delivery_role import DeliveryRole
from model_factory.encryption_key import EncryptionKey
from model_factory.factory_function import FactoryFunction
from model_factory.function_permissions import cleanup_statements, deploy_statements, retrain_statements
from model_factory.permissions import bound_roles
from model_factory.scheduler_role import SchedulerRole
from model_factory.trigger_queue import TriggerQueue, UndeliveredQueue

_RETRAIN_TIMEOUT = Duration.seconds(60)
_DEPLOY_TIMEOUT = Duration.minutes(2)
_CLEANUP_TIMEOUT = Duration.minutes(14)


class FoundationStack(Stack):
    """The stack `<factory>-<env>-foundation`. `functions` is the folder with one folder per function."""

    def __init__(
        self, scope: Construct, factory: FactoryConfig, environment: EnvironmentConfig, *, functions: Path
    ) -> None:
        names = factory.names(environment)
        super().__init__(
            scope,
            names.foundation_stack,
            stack_name=names.foundation_stack,
            description=f"Model Factory {factory.name}: what {environment.name} has once",
            env=Environment(account=environment.account, region=environment.region),
        )
        bound_roles(self, environment.permissions_boundary)
        removal = RemovalPolicy.RETAIN if environment.removal == "retain" else RemovalPolicy.DESTROY
        self.key = EncryptionKey(self, "Encryption", names=names, removal=removal).key
        DataLake(self, "DataLake", names=names, key=self.key, removal=removal)
        Alerts(self, "Alerts", names=names, key=self.key, emails=factory.alerts.emails)
        UndeliveredQueue(self, "Undelivered", names=names, key=self.key)
        SchedulerRole(self, "Scheduler", names=names, key_arn=self.key.key_arn)

        retrains = TriggerQueue(
            self, "RetrainQueue", names=names, purpose="retrain", key=self.key, function_timeout=_RETRAIN_TIMEOUT
        )
        FactoryFunction(
            self,
            "Retrain",
            names=names,
            purpose="retrain",
            source=functions / "retrain",
            key=self.key,
            timeout=_RETRAIN_TIMEOUT,
            statements=retrain_statements(names, self.key.key_arn),
        ).consume(retrains.queue)

        deploys = TriggerQueue(
            self, "DeployQueue", names=names, purpose="deploy", key=self.key, function_timeout=_DEPLOY_TIMEOUT
        )
        FactoryFunction(
            self,
            "Deploy",
            names=names,
            purpose="deploy",
            source=functions / "deploy",
            key=self.key,
            timeout=_DEPLOY_TIMEOUT,
            statements=deploy_statements(names, self.key.key_arn),
        ).consume(deploys.queue)

        FactoryFunction(
            self,
            "EndpointCleanup",
            names=names,
            purpose="endpoint-cleanup",
            source=functions / "endpoint_cleanup",
            key=self.key,
            timeout=_CLEANUP_TIMEOUT,
            statements=cleanup_statements(names),
        )
        if factory.delivery and environment in factory.delivered:
            tooling = factory.delivery_names(factory.delivery)
            DeliveryRole(self, "Delivery", names=names, tooling=tooling, key=self.key)
