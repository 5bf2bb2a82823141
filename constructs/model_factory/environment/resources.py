"""What the stack of a model uses of its environment: buckets, key, topic, queues, role, function and VPC, as CDK interfaces."""

from dataclasses import dataclass
from typing import Any, Self

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ..core.alerts_topic import AlertsTopic
from ..core.encryption_key import EncryptionKey
from ..core.factory_function import FactoryFunction
from ..core.names import EnvironmentNames
from ..core.network import VpcConfig
from ..core.trigger_queue import TriggerQueue, UndeliveredQueue
from .data_lake import DataLake
from .scheduler_role import SchedulerRole


@dataclass(frozen=True)
class EnvironmentResources:
    """Resources that all models of an environment share.

    `FoundationStack.resources` has those of a stack in the same app; `from_names` imports those of a deployed one.

    Args:
        data_bucket: Raw data, captured requests and ground truth, below `<model>/`.
        artifacts_bucket: Files that pipelines write: models, reports, statistics, below `<model>/`.
        records_bucket: JSON records of versions and deployments, below `<model>/`.
        key: Key that encrypts the buckets, the queues, the topic, volumes and logs.
        alarm_topic: Topic that alarms publish to.
        retrain_queue: FIFO queue of requests for a training. The message group is the model.
        deploy_queue: FIFO queue of requests for a deployment. The message group is the model.
        score_queue: FIFO queue of events that may start the scoring of a model's files. The message group is the model.
        undelivered_queue: Standard queue: dead letters of EventBridge rules and schedules.
        scheduler_role: Role that EventBridge Scheduler assumes.
        endpoint_cleanup: Function of the custom resource that deletes a model's endpoint.
        monitor: Function that starts a model's monitor pipeline where there is something to monitor.
        vpc: Subnets and security groups of jobs and endpoints. Default: None, outside of a VPC.
    """

    data_bucket: s3.IBucket
    artifacts_bucket: s3.IBucket
    records_bucket: s3.IBucket
    key: kms.IKey
    alarm_topic: sns.ITopic
    retrain_queue: sqs.IQueue
    deploy_queue: sqs.IQueue
    score_queue: sqs.IQueue
    undelivered_queue: sqs.IQueue
    scheduler_role: iam.IRole
    endpoint_cleanup: lambda_.IFunction
    monitor: lambda_.IFunction
    vpc: VpcConfig | None = None

    @property
    def of_models(self) -> dict[str, Any]:
        """Those that a model's constructs use, by the names that ModelProps has for them: all but the records bucket."""
        return {name: value for name, value in vars(self).items() if name != "records_bucket"}

    @classmethod
    def from_names(
        cls,
        scope: Construct,
        names: EnvironmentNames,
        *,
        key: kms.IKey | None = None,
        vpc: VpcConfig | None = None,
    ) -> Self:
        """Import the resources of a deployed environment. Adds nothing to the template and calls no AWS API.

        Args:
            scope: Construct that the imported resources are created in, once per scope.
            names: Names of the environment.
            key: The environment's key. Default: imported by its alias. IAM policies have to name a key by its id, so
                pass the key itself when roles are granted its use.
            vpc: Subnets and security groups of jobs and endpoints. Default: None, outside of a VPC.
        """
        imported = Construct(scope, "EnvironmentResources")
        lake = DataLake.from_names(imported, "DataLake", names, key=key)
        return cls(
            data_bucket=lake.data,
            artifacts_bucket=lake.artifacts,
            records_bucket=lake.records,
            key=key or EncryptionKey.from_names(imported, "Key", names),
            alarm_topic=AlertsTopic.from_names(imported, "AlarmTopic", names),
            retrain_queue=TriggerQueue.from_names(imported, "RetrainQueue", names, "retrain", key=key).queue,
            deploy_queue=TriggerQueue.from_names(imported, "DeployQueue", names, "deploy", key=key).queue,
            score_queue=TriggerQueue.from_names(imported, "ScoreQueue", names, "score", key=key).queue,
            undelivered_queue=UndeliveredQueue.from_names(imported, "UndeliveredQueue", names, key=key),
            scheduler_role=SchedulerRole.from_names(imported, "SchedulerRole", names),
            endpoint_cleanup=FactoryFunction.from_names(imported, "EndpointCleanup", names, "endpoint-cleanup"),
            monitor=FactoryFunction.from_names(imported, "Monitor", names, "monitor"),
            vpc=vpc,
        )
