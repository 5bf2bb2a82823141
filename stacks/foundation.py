"""Shared resources of an environment: key, buckets, queues, VPC, functions, notifications."""

from collections.abc import Mapping, Sequence
from typing import cast

from aws_cdk import Duration, Environment, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from model_factory.assets import FUNCTIONS
from model_factory.config import Environment as EnvironmentConfig
from model_factory.config import FactoryConfig
from model_factory.core.alert_notifier import AlertNotifier
from model_factory.core.bootstrapping import assets_bucket_arn, qualifier_of
from model_factory.core.encryption_key import EncryptionKey
from model_factory.core.factory_function import FactoryFunction
from model_factory.core.network import VpcConfig
from model_factory.core.permissions import apply_permissions_boundary
from model_factory.core.retention import whole_days
from model_factory.core.trigger_queue import TriggerQueue, UndeliveredQueue
from model_factory.delivery.role import DeliveryRole
from model_factory.environment.data_lake import DataLake, RecordWriters
from model_factory.environment.environment_alerts import EnvironmentAlerts
from model_factory.environment.function_permissions import shared_statements
from model_factory.environment.isolated_network import IsolatedNetwork
from model_factory.environment.publisher import LineageReceiver, Publisher, publisher_statements
from model_factory.environment.rebuild import Rebuild
from model_factory.environment.record_signer import RecordSigner, signer_role_arn
from model_factory.environment.recorder import Recorder, recorder_role_arn, recorder_statements
from model_factory.environment.resources import EnvironmentResources
from model_factory.environment.scheduler_role import SchedulerRole
from model_factory.environment.signing_key import SigningKey

from .channels import add_channels

_MINUTE, _DEPLOY_TIMEOUT, _CLEANUP_TIMEOUT = (Duration.minutes(minutes) for minutes in (1, 2, 14))
_BURST = Duration.minutes(5)  # SQS keeps one of equal messages within this time: one run scores what lands in it


class FoundationStack(Stack):
    """The stack `<factory>-<env>-foundation`: the resources that all models of an environment share.

    Args:
        scope: The app, or the stage of an environment that is delivered.
        factory: The content of factory.yaml.
        environment: One of its environments.
        promotes: Whether versions of a model are promoted from environment to environment. Default: False.
        models: Names of the models, whose captured requests and reports expire. Default: none.
        images: Images that the models' jobs have in place of the default one. Default: none.
        spot: Whether a model trains on spot capacity. Default: False.
        peers: Whether a model trains on several instances. Default: False.
        queued: Age at which requests of asynchronous endpoints and their answers expire, by model. Default: none.
    """

    resources: EnvironmentResources
    """The shared resources, for stacks of models in the same app."""

    def __init__(
        self,
        scope: Construct,
        factory: FactoryConfig,
        environment: EnvironmentConfig,
        *,
        promotes: bool = False,
        models: Sequence[str] = (),
        images: Sequence[str] = (),
        spot: bool = False,
        peers: bool = False,
        queued: Mapping[str, Duration] | None = None,
    ) -> None:
        names = self._names = factory.names(environment)
        super().__init__(
            scope,
            names.foundation_stack,
            stack_name=names.foundation_stack,
            description=f"Model Factory {factory.name}: shared resources of {environment.name}",
            env=Environment(account=environment.account, region=environment.region),
        )
        apply_permissions_boundary(self, environment.permissions_boundary)
        self._trainings = {"checkpoints": spot, "peers": peers}
        self._removal = RemovalPolicy.RETAIN if environment.removal == "retain" else RemovalPolicy.DESTROY
        self.key = EncryptionKey(self, "Encryption", names=names, removal=self._removal, rules_to_topics=False).key
        # Another key than that of the heads: the function that writes records cannot sign their heads.
        self._evidence_key = SigningKey(
            self,
            "EvidenceSigning",
            alias=names.evidence_signing_alias,
            description=f"Signs the evidence of versions of {names.prefix}",
            signer=recorder_role_arn(names),
            removal=self._removal,
        ).key
        # The topic, the dead-letter queue of its rules and the alarm on that queue refer to each other: by name.
        self._by_name = EnvironmentResources.from_names(self, names, key=self.key)
        statements = self._function_statements(factory)
        self.vpc = self._vpc(environment, [each for some in statements.values() for each in some])
        self._add_shared(factory, environment)
        self._lake.expire(
            models,
            captured=whole_days(environment.captured_retention),
            reports=whole_days(environment.report_retention),
            rows=whole_days(environment.training_rows_retention),
            queued=queued,
        )
        self._add_functions(factory, statements)
        Rebuild(self, "Rebuild", names=names, key_arn=self.key.key_arn, vpc=self.vpc, images=images)
        self._add_delivery_role(factory, environment, promotes=promotes, queues=bool(queued))

    def _function_statements(self, factory: FactoryConfig) -> dict[str, list[iam.PolicyStatement]]:
        """Permissions of the functions. The endpoints of an isolated VPC allow the same calls."""
        names, key_arn, code = self._names, self.key.key_arn, assets_bucket_arn(self._names, qualifier_of(self))
        return shared_statements(names, key_arn) | {
            "recorder": recorder_statements(names, key_arn, self._evidence_key.key_arn, code),
            "publisher": publisher_statements(names, key_arn, LineageReceiver(**factory.openlineage.model_dump())),
        }

    def _vpc(self, environment: EnvironmentConfig, statements: Sequence[iam.PolicyStatement]) -> VpcConfig | None:
        """The VPC of jobs, endpoints and functions. None: they are outside of a VPC."""
        network = environment.network
        if network == "isolated":
            return self._isolated(environment, statements).vpc
        if environment.keep_isolated_network:
            self._keep_exports(self._isolated(environment, statements).vpc)
        if network == "none":
            return None
        # The VPC can belong to another account that shares its subnets; ids are unique in all accounts.
        return VpcConfig(tuple(network.subnets), tuple(network.security_groups), account="*")

    def _isolated(self, environment: EnvironmentConfig, statements: Sequence[iam.PolicyStatement]) -> IsolatedNetwork:
        return IsolatedNetwork(
            self,
            "Network",
            names=self._names,
            key=self.key,
            statements=statements,
            availability_zones=environment.availability_zones,
            **self._trainings,
        )

    def _keep_exports(self, vpc: VpcConfig) -> None:
        """The exports that the models' deployed stacks still import: CloudFormation refuses to delete them before."""
        for value in (*vpc.subnets, *vpc.security_groups):
            self.export_value(value)

    def _add_shared(self, factory: FactoryConfig, environment: EnvironmentConfig) -> None:
        """Buckets, notifications, the queue of undelivered events and the role of schedules."""
        names, key, by_name = self._names, self.key, self._by_name
        self._lake = DataLake(
            self,
            "DataLake",
            names=names,
            key=key,
            removal=self._removal,
            lock=environment.records_lock,
            retention=whole_days(environment.records_retention),
            record_writers=RecordWriters(recorder=recorder_role_arn(names), signer=signer_role_arn(names)),
            alarm_topic=by_name.alarm_topic,
        )
        notifier = AlertNotifier(
            self,
            "AlertNotifier",
            names=names,
            source=FUNCTIONS / "alerts",
            key=key,
            topic=by_name.alarm_topic,
            undelivered=by_name.undelivered_queue,
            window=Duration.seconds(factory.alerts.window.total_seconds()),
        )
        self._alerts = EnvironmentAlerts(
            self,
            "Alerts",
            names=names,
            key=key,
            emails=factory.alerts.emails,
            dead_letter_queue=by_name.undelivered_queue,
            notifier=notifier,
        )
        add_channels(self, factory, names, by_name.undelivered_queue)
        self._undelivered = UndeliveredQueue(self, "Undelivered", names=names, key=key, alarm_topic=by_name.alarm_topic)
        self._scheduler = SchedulerRole(self, "Scheduler", names=names, key=key)
        RecordSigner(
            self,
            "RecordSigner",
            names=names,
            source=FUNCTIONS / "record_signer",
            key=key,
            scheduler_role=cast(iam.IRole, self._scheduler.role),
            undelivered=by_name.undelivered_queue,
            anchor=factory.anchor_names,
            removal=self._removal,
            alarm_topic=by_name.alarm_topic,
        )

    def _add_functions(self, factory: FactoryConfig, statements: Mapping[str, Sequence[iam.PolicyStatement]]) -> None:
        """The functions, five of them behind a queue."""
        self._recorder = Recorder(
            self,
            "Recorder",
            names=self._names,
            source=FUNCTIONS / "recorder",
            key=self.key,
            signing_key=self._evidence_key,
            statements=list(statements["recorder"]),
            vpc=self.vpc,
            alarm_topic=self._by_name.alarm_topic,
            undelivered=self._by_name.undelivered_queue,
        )
        Publisher(
            self,
            "Publisher",
            names=self._names,
            source=FUNCTIONS / "publisher",
            key=self.key,
            receiver=LineageReceiver(**factory.openlineage.model_dump()),
            statements=list(statements["publisher"]),
            vpc=self.vpc,
            alarm_topic=self._by_name.alarm_topic,
            undelivered=self._by_name.undelivered_queue,
        )
        cleanup = self._function("EndpointCleanup", "endpoint-cleanup", _CLEANUP_TIMEOUT, statements)
        monitor = self._function("Monitor", "monitor", _MINUTE, statements)
        self.resources = EnvironmentResources(
            data_bucket=self._lake.data,
            artifacts_bucket=self._lake.artifacts,
            records_bucket=self._lake.records,
            key=self.key,
            alarm_topic=cast(sns.ITopic, self._alerts.topic),
            retrain_queue=self._behind_queue("Retrain", _MINUTE, statements),
            deploy_queue=self._behind_queue("Deploy", _DEPLOY_TIMEOUT, statements),
            score_queue=self._behind_queue("Score", _MINUTE, statements, delay=_BURST),
            undelivered_queue=self._undelivered.queue,
            scheduler_role=cast(iam.IRole, self._scheduler.role),
            endpoint_cleanup=cast(lambda_.IFunction, cleanup.function),
            monitor=cast(lambda_.IFunction, monitor.function),
            vpc=self.vpc,
        )

    def _behind_queue(
        self,
        name: str,
        timeout: Duration,
        statements: Mapping[str, Sequence[iam.PolicyStatement]],
        delay: Duration | None = None,
    ) -> sqs.IQueue:
        """The queue of a function, and the function."""
        behind = TriggerQueue(
            self,
            f"{name}Queue",
            names=self._names,
            purpose=name.lower(),
            key=self.key,
            function_timeout=timeout,
            alarm_topic=self._by_name.alarm_topic,
            function_alerts=True,
            delay=delay,
        )
        function = self._function(name, name.lower(), timeout, statements)
        function.consume(behind.queue, dead_letters=behind.dead_letters, grant=False)
        return behind.queue

    def _function(
        self,
        construct_id: str,
        purpose: str,
        timeout: Duration,
        statements: Mapping[str, Sequence[iam.PolicyStatement]],
    ) -> FactoryFunction:
        return FactoryFunction(
            self,
            construct_id,
            names=self._names,
            purpose=purpose,
            source=FUNCTIONS / purpose.replace("-", "_"),
            key=self.key,
            timeout=timeout,
            statements=statements[purpose],
            vpc=self.vpc,
            environment={"RECORDER_QUEUE_URL": self._recorder.queue.queue_url},
            alarm_topic=self._by_name.alarm_topic,
        )

    def _add_delivery_role(
        self, factory: FactoryConfig, environment: EnvironmentConfig, *, promotes: bool, queues: bool
    ) -> None:
        """The role of the delivery function, in environments that are delivered."""
        if factory.delivery and environment in factory.delivered:
            DeliveryRole(
                self,
                "Delivery",
                names=self._names,
                tooling=factory.delivery_names(factory.delivery),
                key=self.key,
                gives=promotes and environment != factory.delivered[-1],
                receives=promotes and environment != factory.delivered[0],
                queues=queues,
            )
