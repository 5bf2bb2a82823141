"""What an environment has once: key, buckets, queues, network, the shared functions, alerts."""

from collections.abc import Sequence

from aws_cdk import Duration, Environment, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from model_factory.assets import FUNCTIONS
from model_factory.config import Environment as EnvironmentConfig
from model_factory.config import FactoryConfig
from model_factory.core.factory_function import FactoryFunction
from model_factory.core.names import EnvironmentNames
from model_factory.core.network import VpcConfig
from model_factory.core.permissions import apply_permissions_boundary
from model_factory.core.trigger_queue import TriggerQueue, UndeliveredQueue
from model_factory.delivery.role import DeliveryRole
from model_factory.environment.alerts import Alerts
from model_factory.environment.data_lake import DataLake
from model_factory.environment.encryption_key import EncryptionKey
from model_factory.environment.function_permissions import cleanup_statements, deploy_statements, retrain_statements
from model_factory.environment.isolated_network import IsolatedNetwork
from model_factory.environment.scheduler_role import SchedulerRole

_RETRAIN_TIMEOUT = Duration.seconds(60)
_DEPLOY_TIMEOUT = Duration.minutes(2)
_CLEANUP_TIMEOUT = Duration.minutes(14)


class FoundationStack(Stack):
    """The stack `<factory>-<env>-foundation`. `promotes`: some model's versions are promoted from environment to
    environment.
    """

    def __init__(
        self,
        scope: Construct,
        factory: FactoryConfig,
        environment: EnvironmentConfig,
        *,
        promotes: bool,
    ) -> None:
        names = factory.names(environment)
        super().__init__(
            scope,
            names.foundation_stack,
            stack_name=names.foundation_stack,
            description=f"Model Factory {factory.name}: what {environment.name} has once",
            env=Environment(account=environment.account, region=environment.region),
        )
        apply_permissions_boundary(self, environment.permissions_boundary)
        removal = RemovalPolicy.RETAIN if environment.removal == "retain" else RemovalPolicy.DESTROY
        self.key = EncryptionKey(self, "Encryption", names=names, removal=removal).key
        DataLake(self, "DataLake", names=names, key=self.key, removal=removal, lock=environment.records_lock)
        Alerts(self, "Alerts", names=names, key=self.key, emails=factory.alerts.emails)
        UndeliveredQueue(self, "Undelivered", names=names, key=self.key)
        SchedulerRole(self, "Scheduler", names=names, key_arn=self.key.key_arn)

        work = {
            "retrain": retrain_statements(names, self.key.key_arn),
            "deploy": deploy_statements(names, self.key.key_arn),
            "endpoint-cleanup": cleanup_statements(names),
        }
        self.vpc = self._placement(environment, names, [each for some in work.values() for each in some])

        retrains = TriggerQueue(
            self, "RetrainQueue", names=names, purpose="retrain", key=self.key, function_timeout=_RETRAIN_TIMEOUT
        )
        FactoryFunction(
            self,
            "Retrain",
            names=names,
            purpose="retrain",
            source=FUNCTIONS / "retrain",
            key=self.key,
            timeout=_RETRAIN_TIMEOUT,
            statements=work["retrain"],
            vpc=self.vpc,
        ).consume(retrains.queue)

        deploys = TriggerQueue(
            self, "DeployQueue", names=names, purpose="deploy", key=self.key, function_timeout=_DEPLOY_TIMEOUT
        )
        FactoryFunction(
            self,
            "Deploy",
            names=names,
            purpose="deploy",
            source=FUNCTIONS / "deploy",
            key=self.key,
            timeout=_DEPLOY_TIMEOUT,
            statements=work["deploy"],
            vpc=self.vpc,
        ).consume(deploys.queue)

        FactoryFunction(
            self,
            "EndpointCleanup",
            names=names,
            purpose="endpoint-cleanup",
            source=FUNCTIONS / "endpoint_cleanup",
            key=self.key,
            timeout=_CLEANUP_TIMEOUT,
            statements=work["endpoint-cleanup"],
            vpc=self.vpc,
        )
        if factory.delivery and environment in factory.delivered:
            tooling = factory.delivery_names(factory.delivery)
            DeliveryRole(
                self,
                "Delivery",
                names=names,
                tooling=tooling,
                key=self.key,
                gives=promotes and environment != factory.delivered[-1],
                receives=promotes and environment != factory.delivered[0],
            )

    def _placement(
        self, environment: EnvironmentConfig, names: EnvironmentNames, statements: Sequence[iam.PolicyStatement]
    ) -> VpcConfig | None:
        """Where everything of the environment runs; None: outside of any network."""
        match environment.network:
            case "none":
                return None
            case "isolated":
                return IsolatedNetwork(self, "Network", names=names, key=self.key, statements=statements).vpc
            case network:
                # A network is often another account's that shares its subnets; their ids are unique all the same.
                return VpcConfig(tuple(network.subnets), tuple(network.security_groups), account="*")
