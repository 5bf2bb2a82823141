"""What the stack of a model uses of its environment: buckets, key, topic, queues, role, function and VPC, as CDK interfaces."""

from dataclasses import dataclass
from typing import Self, cast

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ..core.names import EnvironmentNames
from ..core.network import VpcConfig
from .scheduler_role import scheduler_role_arn


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
        undelivered_queue: Standard queue: dead letters of EventBridge rules and schedules.
        scheduler_role: Role that EventBridge Scheduler assumes.
        endpoint_cleanup: Function of the custom resource that deletes a model's endpoint.
        vpc: Subnets and security groups of jobs and endpoints. Default: None, outside of a VPC.
    """

    data_bucket: s3.IBucket
    artifacts_bucket: s3.IBucket
    records_bucket: s3.IBucket
    key: kms.IKey
    alarm_topic: sns.ITopic
    retrain_queue: sqs.IQueue
    deploy_queue: sqs.IQueue
    undelivered_queue: sqs.IQueue
    scheduler_role: iam.IRole
    endpoint_cleanup: lambda_.IFunction
    vpc: VpcConfig | None = None

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

        def bucket(purpose: str) -> s3.IBucket:
            return s3.Bucket.from_bucket_attributes(
                imported,
                f"{purpose.capitalize()}Bucket",
                bucket_name=names.bucket(purpose),
                bucket_arn=names.bucket_arn(purpose),
                encryption_key=key,
            )

        def queue(construct_id: str, name: str) -> sqs.IQueue:
            return sqs.Queue.from_queue_attributes(
                imported,
                construct_id,
                queue_arn=names.arn("sqs", name),
                fifo=name.endswith(".fifo"),
                key_arn=key.key_arn if key else None,
            )

        return cls(
            data_bucket=bucket("data"),
            artifacts_bucket=bucket("artifacts"),
            records_bucket=bucket("records"),
            key=key or cast(kms.IKey, kms.Alias.from_alias_name(imported, "Key", names.key_alias)),
            alarm_topic=sns.Topic.from_topic_arn(imported, "AlarmTopic", names.arn("sns", names.alerts_topic)),
            retrain_queue=queue("RetrainQueue", names.queue("retrain")),
            deploy_queue=queue("DeployQueue", names.queue("deploy")),
            undelivered_queue=queue("UndeliveredQueue", names.undelivered_queue),
            scheduler_role=iam.Role.from_role_arn(imported, "SchedulerRole", scheduler_role_arn(names), mutable=False),
            endpoint_cleanup=lambda_.Function.from_function_attributes(
                imported,
                "EndpointCleanup",
                function_arn=names.arn("lambda", f"function:{names.function('endpoint-cleanup')}"),
                same_environment=True,
            ),
            vpc=vpc,
        )
