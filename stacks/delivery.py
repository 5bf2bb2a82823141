"""What the tooling account has: the pipeline that delivers pushes, and the function that trains and tests between deployments."""

import json
from collections.abc import Sequence
from typing import Any, cast

from aws_cdk import Duration, Environment, RemovalPolicy, Stack, Stage
from constructs import Construct

from model_factory.assets import FUNCTIONS
from model_factory.config import Environment as EnvironmentConfig
from model_factory.config import FactoryConfig
from model_factory.config.delivery import CODECOMMIT, Delivery
from model_factory.core.factory_function import FactoryFunction
from model_factory.core.nag import suppress
from model_factory.core.trigger_queue import UndeliveredQueue
from model_factory.delivery.alerts import DeliveryAlerts
from model_factory.delivery.buckets import DeliveryBuckets
from model_factory.delivery.permissions import delivery_statements
from model_factory.delivery.pipeline import DeliveryPipeline
from model_factory.delivery.pull_requests import PullRequestPipeline
from model_factory.environment.encryption_key import EncryptionKey

# Lambda's most: what is promoted is copied by the function.
_COPY_TIMEOUT = Duration.minutes(15)


class DeliveryStack(Stack):
    """The stack `<factory>-delivery`. `environments` are the stages in the order of promotion."""

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
            description=f"Model Factory {factory.name}: git push delivers",
            env=Environment(account=delivery.account, region=delivery.region),
        )
        key = EncryptionKey(self, "Encryption", names=names, removal=RemovalPolicy.RETAIN).key
        UndeliveredQueue(self, "Undelivered", names=names, key=key)
        DeliveryAlerts(self, "Alerts", names=names, key=key, emails=factory.alerts.emails)
        buckets = DeliveryBuckets(self, "Buckets", names=names, key=key)
        approvals = {environment.name: environment.approval for environment, _ in environments}
        reached = {environment.name: factory.names(environment) for environment, _ in environments}
        tasks = FactoryFunction(
            self,
            "DeliveryTasks",
            names=names,
            purpose="tasks",
            source=FUNCTIONS / "delivery",
            key=key,
            timeout=_COPY_TIMEOUT,
            statements=delivery_statements(names, list(reached.values()), key.key_arn),
            environment={
                "PIPELINE": names.delivery_pipeline,
                "REPORTS": names.bucket("records"),
                "PARALLEL": str(delivery.parallel),
                "TIMEOUT_SECONDS": str(int(delivery.training_timeout.total_seconds())),
                "ENVIRONMENTS": json.dumps(
                    {
                        name: {
                            "prefix": to.prefix,
                            "factory": to.factory,
                            "account": to.account,
                            "region": to.region,
                            "approval": approvals[name],
                            "role": to.iam_arn(f"role/{to.delivery_role}"),
                        }
                        for name, to in reached.items()
                    }
                ),
            },
        )
        suppress(
            tasks.function, {"CKV_AWS_45": "The twelve digits that look like a secret are the accounts it delivers to."}
        )
        DeliveryPipeline(
            self,
            "Delivery",
            delivery=delivery,
            names=names,
            artifacts=cast(Any, buckets.artifacts),
            function=cast(Any, tasks.function),
            environments=environments,
        )
        if delivery.source != CODECOMMIT:
            PullRequestPipeline(
                self, "PullRequests", delivery=delivery, names=names, artifacts=cast(Any, buckets.artifacts)
            )
