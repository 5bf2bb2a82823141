"""Names of all resources of a factory: `<factory>-<environment>-<model>[-part]`.

Stacks name resources with these classes and the command line finds resources with them; no other code builds a name.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from .model_names import ModelNames
from .region_codes import region_code

if TYPE_CHECKING:
    from constructs import IConstruct

METRIC_NAMESPACE = "ModelFactory"
ALERT_SOURCE = "model-factory"
ALERT_DETAIL_TYPE = "Model Factory Alert"
"""Source and detail type of the events that lambda/shared/alerts.py puts on EventBridge's default bus."""
REBUILDS = "_rebuilds/"
"""Prefix of what reproductions write in the bucket for artifacts, where it expires: one lifecycle rule for all models."""
ALERT_WINDOWS = "_alerts/"
"""Prefix of the windows of alerts in the bucket for artifacts; no model has a name with an underscore."""
OPENLINEAGE = "_openlineage/"
"""Prefix of OpenLineage events there."""
NOTIFICATION_DETAIL_TYPE = "Model Factory Notification"
"""Detail type of the events that lambda/alerts puts there, one for each notification."""
VARIANT, CHALLENGER = "AllTraffic", "Challenger"
"""The production variants of an endpoint, whose names metrics and captured data carry: the live version's, and that of a version
on trial (`serving.challenger`) that answers a share of the requests."""
ASYNC, ASYNC_PARTS = "async", ("input", "output", "failure")
"""Folder of an asynchronous endpoint below `<model>/` in the bucket for data, and what is in it: requests that callers put there,
and what SageMaker writes, answers and failed requests."""
BACKLOG_ALARM = "-scale-from-zero"
"""What follows the name of an asynchronous endpoint in that of the alarm by which it gets its first instance."""
DELIVERY = "delivery"
"""Takes the place of the environment's name in names of the delivery account; no environment can have this name."""
ANCHOR = "anchor"
"""Takes the place of the environment's name in names of the anchor account; no environment can have this name."""
FOUNDATION = "foundation"
"""Takes the place of the model's name in the name of an environment's stack; no model can have this name."""
ROWS = "_rows/"
"""Prefix of rows that trainings were fitted on, `_rows/<model>/<execution>/`, in the bucket for artifacts, where they expire."""


class Arns:
    """ARNs in one account and region. Both may be CDK tokens."""

    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """ARN of a resource, such as `arn("sqs", queue_name)`.

        Args:
            service: Service as ARNs name it, such as `sqs`.
            resource: The part of the ARN that follows the account.
        """
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def iam_arn(self, resource: str) -> str:
        """ARN of an IAM resource, which has no region, such as `iam_arn("role/name")`."""
        return f"arn:{self.partition}:iam::{self.account}:{resource}"

    @property
    def partition(self) -> str:
        """The partition of the region: aws, aws-cn or aws-us-gov; a token when the region is one."""
        if is_token(self.region):
            from aws_cdk import Aws

            return Aws.PARTITION
        return next((f"aws-{part}" for part in ("cn", "us-gov") if self.region.startswith(f"{part}-")), "aws")

    @property
    def url_suffix(self) -> str:
        """The domain of the region's service endpoints, such as amazonaws.com; a token when the region is one."""
        if is_token(self.region):
            from aws_cdk import Aws

            return Aws.URL_SUFFIX
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"


@dataclass(frozen=True)
class StackLocation(Arns):
    """Account and region of a stack, for ARNs of resources that have no name of a factory."""

    account: str  # ty: ignore[incompatible-attribute-override]  # read-only
    region: str  # ty: ignore[incompatible-attribute-override]

    @classmethod
    def of(cls, scope: "IConstruct") -> Self:
        """Account and region of the stack that `scope` is in; in an environment-agnostic stack these are tokens."""
        # Imported here: the command line uses names without the CDK, which takes a second to import.
        from aws_cdk import Stack

        stack = Stack.of(scope)
        return cls(stack.account, stack.region)


@dataclass(frozen=True)
class EnvironmentNames(Arns):
    """Names of the resources that an environment has once.

    Args:
        factory: Name of the factory; every name starts with it.
        environment: Name of the environment, such as `prod`.
        account: Account id, or the CDK token for it. It makes bucket names unique in all of S3.
        region: Region, or the CDK token for it.
    """

    factory: str
    environment: str
    account: str  # ty: ignore[incompatible-attribute-override]  # read-only
    region: str  # ty: ignore[incompatible-attribute-override]

    @classmethod
    def of(cls, scope: "IConstruct", *, factory: str, environment: str) -> Self:
        """Names in the account and region of a construct's stack; in an environment-agnostic stack these are tokens.

        Args:
            scope: A construct of the stack, or the stack.
            factory: Name of the factory.
            environment: Name of the environment, such as `prod`.
        """
        location = StackLocation.of(scope)
        return cls(factory, environment, location.account, location.region)

    @property
    def prefix(self) -> str:
        return f"{self.factory}-{self.environment}"

    def bucket(self, purpose: str) -> str:
        """Bucket for `purpose`: data, artifacts, records or logs; in the anchor account heads or logs."""
        return f"{self.prefix}-{purpose}-{self.account}-{self.region}"

    def queue(self, purpose: str) -> str:
        """FIFO queue for `purpose`: retrain, deploy, score, recorder, publisher or alerts."""
        return f"{self.prefix}-{purpose}.fifo"

    def dead_letter_queue(self, purpose: str) -> str:
        """FIFO dead-letter queue for `purpose`: retrain, deploy, recorder, publisher or alerts."""
        return f"{self.prefix}-{purpose}-dead-letters.fifo"

    def function(self, purpose: str) -> str:
        """Function for `purpose`: retrain, deploy, recorder, publisher, alerts, monitor or endpoint-cleanup."""
        return f"{self.prefix}-{purpose}"

    @property
    def undelivered_queue(self) -> str:
        """Standard queue for events that EventBridge could not deliver: dead-letter queues of rules cannot be FIFO."""
        return f"{self.prefix}-undelivered"

    def role(self, purpose: str) -> str:
        """Role of the function for `purpose`, or for `purpose` scheduler or network-log. It ends with the region's code,
        because an account has its roles once for all regions."""
        return f"{self.prefix}-{purpose}-{region_code(self.region)}"

    @property
    def delivery_role(self) -> str:
        """Role that the delivery function assumes in this environment."""
        return self.role(DELIVERY)

    @property
    def delivery_pipeline(self) -> str:
        """The pipeline that deploys every push, and its stack."""
        return f"{self.factory}-{DELIVERY}"

    @property
    def pull_request_pipeline(self) -> str:
        """The pipeline that tests pull requests."""
        return f"{self.factory}-pull-requests"

    @property
    def models_parameter_prefix(self) -> str:
        """SSM path of the settings parameters of all models."""
        return f"/{self.factory}/{self.environment}/models/"

    @property
    def rebuild_parameter(self) -> str:
        """SSM parameter with what `model-factory reproduce` needs to know of the environment."""
        return f"/{self.factory}/{self.environment}/rebuild"

    def bucket_arn(self, purpose: str) -> str:
        """ARN of the bucket for `purpose`."""
        return f"arn:{self.partition}:s3:::{self.bucket(purpose)}"

    @property
    def alerts_topic(self) -> str:
        return f"{self.prefix}-alerts"

    @property
    def key_alias(self) -> str:
        return f"alias/{self.prefix}"

    @property
    def record_signing_alias(self) -> str:
        """Alias of the key that signs the heads of the chains of records."""
        return f"alias/{self.prefix}-records"

    @property
    def evidence_signing_alias(self) -> str:
        """Alias of the key that signs the evidence of versions."""
        return f"alias/{self.prefix}-evidence"

    @property
    def anchor_stack(self) -> str:
        """The stack of the bucket with copies of signed heads, of names of the anchor account."""
        return self.prefix

    @property
    def network_log_group(self) -> str:
        """Log group of the flow log of the isolated VPC."""
        return f"/aws/vpc/{self.prefix}"

    @property
    def foundation_stack(self) -> str:
        return f"{self.prefix}-{FOUNDATION}"

    @property
    def longest_model_prefix(self) -> int:
        """Most characters of `<factory>-<env>-<model>`.

        SageMaker's names have 63 and end with up to 15 more (`-v1234-<digest>`), IAM's have 64 and end with
        `-monitor-job-<region>`.
        """
        return min(63 - len("-v1234-12345678"), 64 - len(f"-monitor-job-{region_code(self.region)}"))

    def model(self, model: str) -> ModelNames:
        """Names of one model in this environment."""
        return ModelNames(environment=self, model=model)


def is_token(value: str) -> bool:
    """Whether CloudFormation fills the value in at deployment. (The CDK's own function would import the CDK.)"""
    return "${Token[" in value
