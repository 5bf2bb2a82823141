"""Every name in a factory, built in one place: `<factory>-<environment>-<model>[-part]`.

Stacks name resources with these, and operators find them with these; nothing else assembles a name.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from constructs import IConstruct

METRIC_NAMESPACE = "ModelFactory"
VARIANT = "AllTraffic"
"""The one production variant of every endpoint; metrics and captured data carry its name."""
DELIVERY = "delivery"
"""Stands in names of the tooling account where an environment's name stands elsewhere; no environment is called so."""


@dataclass(frozen=True)
class EnvironmentNames:
    """Names of the resources that an environment has once.

    Args:
        factory: Name of the factory; every name starts with it.
        environment: Name of the environment, such as `prod`.
        account: Account id, or the CDK token for it. It makes bucket names unique in all of S3.
        region: Region, or the CDK token for it.
    """

    factory: str
    environment: str
    account: str
    region: str

    @classmethod
    def of(cls, scope: "IConstruct", *, factory: str, environment: str) -> Self:
        """Names in the account and region of a construct's stack; in an environment-agnostic stack these are tokens.

        Args:
            scope: A construct of the stack, or the stack.
            factory: Name of the factory.
            environment: Name of the environment, such as `prod`.
        """
        # Imported here: the command line uses names without the CDK, which takes a second to import.
        from aws_cdk import Stack

        stack = Stack.of(scope)
        return cls(factory, environment, stack.account, stack.region)

    @property
    def prefix(self) -> str:
        return f"{self.factory}-{self.environment}"

    def bucket(self, purpose: str) -> str:
        """Bucket for `purpose`: data, artifacts, records or logs."""
        return f"{self.prefix}-{purpose}-{self.account}-{self.region}"

    def queue(self, purpose: str) -> str:
        """FIFO queue for `purpose`: retrain or deploy."""
        return f"{self.prefix}-{purpose}.fifo"

    def dead_letter_queue(self, purpose: str) -> str:
        return f"{self.prefix}-{purpose}-dead-letters.fifo"

    def function(self, purpose: str) -> str:
        return f"{self.prefix}-{purpose}"

    @property
    def undelivered_queue(self) -> str:
        """Standard queue for what EventBridge could not deliver: rules and schedules take no FIFO queue for that."""
        return f"{self.prefix}-undelivered"

    def role(self, purpose: str) -> str:
        return f"{self.prefix}-{purpose}"

    @property
    def delivery_role(self) -> str:
        """What the delivery pipeline's function takes on in this environment."""
        return f"{self.prefix}-{DELIVERY}"

    @property
    def delivery_pipeline(self) -> str:
        """The pipeline that delivers pushes, and the stack it is in; `pull_request_pipeline` tests pull requests."""
        return f"{self.factory}-{DELIVERY}"

    @property
    def pull_request_pipeline(self) -> str:
        return f"{self.factory}-pull-requests"

    @property
    def models_parameter_prefix(self) -> str:
        """Where the settings parameters of all models are."""
        return f"/{self.factory}/{self.environment}/models/"

    def arn(self, service: str, resource: str) -> str:
        """ARN of something in this account and region, such as `arn("sqs", queue_name)`."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def iam_arn(self, resource: str) -> str:
        """ARN of something of IAM, which has no region."""
        return f"arn:{self.partition}:iam::{self.account}:{resource}"

    def bucket_arn(self, purpose: str) -> str:
        return f"arn:{self.partition}:s3:::{self.bucket(purpose)}"

    @property
    def partition(self) -> str:
        """The partition of the region: aws, aws-cn or aws-us-gov; a token when the region is one."""
        if _is_token(self.region):
            from aws_cdk import Aws

            return Aws.PARTITION
        return next((f"aws-{part}" for part in ("cn", "us-gov") if self.region.startswith(f"{part}-")), "aws")

    @property
    def alerts_topic(self) -> str:
        return f"{self.prefix}-alerts"

    @property
    def key_alias(self) -> str:
        return f"alias/{self.prefix}"

    @property
    def network_log_group(self) -> str:
        """Log group of the connections in an isolated network."""
        return f"/aws/vpc/{self.prefix}"

    @property
    def foundation_stack(self) -> str:
        return f"{self.prefix}-foundation"

    def model(self, model: str) -> "ModelNames":
        return ModelNames(environment=self, model=model)


@dataclass(frozen=True)
class ModelNames:
    """Names of what one model has in one environment."""

    environment: EnvironmentNames
    model: str

    @property
    def prefix(self) -> str:
        return f"{self.environment.prefix}-{self.model}"

    @property
    def stack(self) -> str:
        return self.prefix

    @property
    def model_package_group(self) -> str:
        return self.prefix

    @property
    def endpoint(self) -> str:
        return self.prefix

    @property
    def endpoint_log_group(self) -> str:
        """Log group that SageMaker gives to the endpoint's containers."""
        return f"/aws/sagemaker/Endpoints/{self.endpoint}"

    @property
    def training_pipeline(self) -> str:
        return f"{self.prefix}-train"

    @property
    def monitor_pipeline(self) -> str:
        return f"{self.prefix}-monitor"

    @property
    def dashboard(self) -> str:
        return self.prefix

    def alarm(self, purpose: str) -> str:
        """Alarm for `purpose`, such as drift, data-violations, monitor-missed, training-failed or endpoint-errors."""
        return f"{self.prefix}-{purpose}"

    def schedule(self, purpose: str) -> str:
        """EventBridge schedule for `purpose`: retrain or monitor."""
        return f"{self.prefix}-{purpose}"

    def rule(self, purpose: str) -> str:
        """EventBridge rule for `purpose`: drift or approved."""
        return f"{self.prefix}-{purpose}"

    def role(self, purpose: str) -> str:
        """Role for `purpose`: train, train-job, monitor, monitor-job or endpoint."""
        return f"{self.prefix}-{purpose}"

    @property
    def settings_parameter(self) -> str:
        """SSM parameter with the JSON that the shared functions read (docs/reference/contracts.md)."""
        return f"{self.environment.models_parameter_prefix}{self.model}"


def _is_token(value: str) -> bool:
    """Whether CloudFormation fills the value in at deployment. (The CDK's own function would import the CDK.)"""
    return "${Token[" in value
