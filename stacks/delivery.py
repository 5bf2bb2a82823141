"""Resources of the delivery account: the pipeline that deploys pushes, and the function for tasks between deployments."""

import json
from collections.abc import Sequence
from typing import cast

from aws_cdk import Duration, Environment, Stack, Stage
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from model_factory.assets import FUNCTIONS
from model_factory.config import Environment as EnvironmentConfig
from model_factory.config import FactoryConfig
from model_factory.config.delivery import CODECOMMIT, Delivery
from model_factory.core.alerts_topic import AlertsTopic
from model_factory.core.encryption_key import EncryptionKey
from model_factory.core.factory_function import FactoryFunction
from model_factory.core.nag import suppress
from model_factory.core.permissions import apply_permissions_boundary
from model_factory.core.trigger_queue import UndeliveredQueue
from model_factory.delivery.buckets import DeliveryBuckets
from model_factory.delivery.delivery_alerts import DeliveryAlerts
from model_factory.delivery.failed_builds import BuildLogs, FailedBuilds
from model_factory.delivery.permissions import delivery_statements
from model_factory.delivery.pipeline import DeliveryPipeline
from model_factory.delivery.pull_requests import PullRequestPipeline

_BUILD_LOGS = (
    "CodeBuild generates the ids of the pipeline's own builds, which are the names of their log streams; X-Ray does not "
    "support resources; other statements are limited to the factory's names."
)
# The longest timeout of Lambda: the function copies the files of promoted versions.
_COPY_TIMEOUT = Duration.minutes(15)


class DeliveryStack(Stack):
    """The stack `<factory>-delivery`, in the delivery account.

    Args:
        scope: The app.
        factory: The content of factory.yaml.
        delivery: Its section `delivery`.
        environments: Environments in the order of promotion, each with the stage of its stacks.
    """

    def __init__(
        self,
        scope: Construct,
        factory: FactoryConfig,
        delivery: Delivery,
        environments: Sequence[tuple[EnvironmentConfig, Stage]],
    ) -> None:
        names = factory.delivery_names(delivery)
        super().__init__(
            scope,
            names.delivery_pipeline,
            stack_name=names.delivery_pipeline,
            description=f"Model Factory {factory.name}: delivery pipeline",
            env=Environment(account=delivery.account, region=delivery.region),
        )
        apply_permissions_boundary(self, delivery.permissions_boundary)
        self._names = names
        self._key = EncryptionKey(self, "Encryption", names=names).key
        alarm_topic = self._notifications(factory.alerts.emails)
        buckets = DeliveryBuckets(self, "Buckets", names=names, key=self._key)
        function = self._function(factory, delivery, [environment for environment, _ in environments], alarm_topic)
        pipeline = DeliveryPipeline(
            self,
            "Delivery",
            delivery=delivery,
            names=names,
            artifacts=buckets.artifacts,
            function=function,
            environments=environments,
        )
        FailedBuilds(
            self,
            "FailedBuilds",
            pipeline=pipeline,
            function=function,
            rule_name=f"{names.prefix}-failed-build",
            dead_letter_queue=UndeliveredQueue.from_names(self, "UndeliveredBuilds", names, key=self._key),
        )
        self._build_logs.add(pipeline)
        suppress(self._role, {"AwsSolutions-IAM5": _BUILD_LOGS})
        if delivery.source != CODECOMMIT:
            PullRequestPipeline(self, "PullRequests", delivery=delivery, names=names, bucket=buckets.tests)

    def _notifications(self, emails: Sequence[str]) -> sns.ITopic:
        """The topic, its rules and the queue of undelivered events. Returns the topic of alarms."""
        names, key = self._names, self._key
        # The topic, the dead-letter queue of its rules and the alarm on that queue refer to each other: by name.
        topic = AlertsTopic.from_names(self, "AlarmTopic", names)
        undelivered = UndeliveredQueue.from_names(self, "UndeliveredQueue", names, key=key)
        UndeliveredQueue(self, "Undelivered", names=names, key=key, alarm_topic=topic)
        DeliveryAlerts(
            self, "Alerts", names=names, key=key, emails=emails, dead_letter_queue=undelivered, failed_builds=False
        )
        return topic

    def _function(
        self,
        factory: FactoryConfig,
        delivery: Delivery,
        environments: Sequence[EnvironmentConfig],
        alarm_topic: sns.ITopic,
    ) -> lambda_.IFunction:
        """The delivery function, which trains, releases and tests models between deployments."""
        names, key = self._names, self._key
        self._build_logs = BuildLogs()
        statements = delivery_statements(names, [factory.names(each) for each in environments], key.key_arn)
        tasks = FactoryFunction(
            self,
            "DeliveryTasks",
            names=names,
            purpose="tasks",
            source=FUNCTIONS / "delivery",
            key=key,
            timeout=_COPY_TIMEOUT,
            statements=[*statements, self._build_logs.statement],
            environment={
                "PIPELINE": names.delivery_pipeline,
                "REPORTS": names.bucket("records"),
                "PARALLEL": str(delivery.parallel),
                "TIMEOUT_SECONDS": str(int(delivery.training_timeout.total_seconds())),
                "ENVIRONMENTS": json.dumps({each.name: _facts(factory, each) for each in environments}),
            },
            alarm_topic=alarm_topic,
        )
        self._role = tasks.role
        suppressed = "The digits that look like a secret are the ids of the accounts that it delivers to."
        suppress(tasks.function, {"CKV_AWS_45": suppressed})
        return cast(lambda_.IFunction, tasks.function)


def _facts(factory: FactoryConfig, environment: EnvironmentConfig) -> dict[str, str]:
    """The function's settings for one environment (lambda/delivery/environment.py)."""
    names = factory.names(environment)
    return {
        "prefix": names.prefix,
        "factory": names.factory,
        "account": names.account,
        "region": names.region,
        "approval": environment.approval,
        "role": names.iam_arn(f"role/{names.delivery_role}"),
    }
