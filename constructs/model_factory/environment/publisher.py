"""The publisher: the function that publishes records to other tools, behind its queue, and the rules that feed it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ..core.factory_function import FactoryFunction, consume_statements
from ..core.names import OPENLINEAGE, EnvironmentNames
from ..core.network import VpcConfig
from ..core.permissions import allow, allow_without_resource, encrypt_volumes, send_alerts, use_key
from ..core.queue_target import queue_rule
from ..core.trigger_queue import TriggerQueue

PURPOSE = "publisher"
_READ = ("prepare/report/manifest.json", "prepare/baseline/statistics.json")
"""Files below the folder of an execution that events are made from."""
_TIMEOUT = Duration.minutes(5)
_RECORDS = "*/chain/*.json"


@dataclass(frozen=True)
class LineageReceiver:
    """An HTTP endpoint that takes OpenLineage events.

    Args:
        url: Its URL. Default: none, events are written to the artifacts bucket alone.
        api_key_parameter: Name of the SecureString parameter with its API key. Default: none.
        repository: URL of the repository that commits are of. Default: none.
    """

    url: str | None = None
    api_key_parameter: str | None = None
    repository: str | None = None


class Publisher(Construct):
    """The function `<prefix>-publisher` behind the queue `<prefix>-publisher.fifo`.

    S3 sends an event for each new record to EventBridge, which delivers it to the queue. A rule has one message group for all its
    messages; the function sends each on to the same queue in its model's group: one invocation at a time changes a model's
    card and lineage entities, and no model waits for another one.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment.
        source: Folder with the function's code.
        key: Key of the environment.
        receiver: HTTP endpoint for OpenLineage events.
        statements: `publisher_statements`, which the endpoints of an isolated VPC allow as well.
        vpc: Subnets and security groups. Default: None, outside of a VPC.
        alarm_topic: Topic of the alarms on errors and on waiting messages.
        undelivered: Dead-letter queue of the rules, imported by name.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames,
        source: Path,
        key: kms.IKey,
        receiver: LineageReceiver,
        statements: list[iam.PolicyStatement],
        vpc: VpcConfig | None,
        alarm_topic: sns.ITopic,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._names, self._undelivered = names, undelivered
        queue = TriggerQueue(
            self,
            "Queue",
            names=names,
            purpose=PURPOSE,
            key=key,
            function_timeout=_TIMEOUT,
            alarm_topic=alarm_topic,
            function_alerts=True,
        )
        self.queue = queue.queue
        """The queue."""
        variables = {
            "RECORDS_BUCKET": names.bucket("records"),
            "ARTIFACTS_BUCKET": names.bucket("artifacts"),
            "DATA_BUCKET": names.bucket("data"),
            "MODEL_CARD_KEY": key.key_arn,
            "OPENLINEAGE_URL": receiver.url,
            "OPENLINEAGE_KEY_PARAMETER": receiver.api_key_parameter,
            "REPOSITORY_URL": receiver.repository,
        }
        function = FactoryFunction(
            self,
            "Function",
            names=names,
            purpose=PURPOSE,
            source=source,
            key=key,
            timeout=_TIMEOUT,
            statements=statements,
            vpc=vpc,
            environment={name: value for name, value in variables.items() if value},
            alarm_topic=alarm_topic,
        )
        self._rule(
            "Records",
            "Sends new records to the publisher",
            {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [names.bucket("records")]},
                    "object": {"key": [{"wildcard": _RECORDS}]},
                },
            },
        )
        pipelines = names.arn("sagemaker", f"pipeline/{names.prefix}-*")
        self._rule(
            "Executions",
            "Sends trainings that start, and monitors that start and end, to the publisher",
            {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
                "detail": {
                    "$or": [
                        {
                            "pipelineArn": [{"wildcard": f"{pipelines}-train"}],
                            "currentPipelineExecutionStatus": ["Executing"],
                        },
                        {
                            "pipelineArn": [{"wildcard": f"{pipelines}-monitor"}],
                            "currentPipelineExecutionStatus": ["Executing", "Succeeded", "Failed", "Stopped"],
                        },
                    ]
                },
            },
        )
        function.consume(self.queue, dead_letters=queue.dead_letters, grant=False)

    def _rule(self, what: str, description: str, pattern: Mapping[str, Any]) -> None:
        queue_rule(
            self,
            what,
            name=f"{self._names.prefix}-publish-{what.lower()}",
            description=description,
            pattern=pattern,
            target_id="Publisher",
            queue=self.queue,
            undelivered=self._undelivered,
        )


def publisher_statements(names: EnvironmentNames, key_arn: str, receiver: LineageReceiver) -> list[iam.PolicyStatement]:
    """Role of lambda/publisher.

    Args:
        names: Names of the environment.
        key_arn: Key of the environment.
        receiver: HTTP endpoint for OpenLineage events.
    """
    records, artifacts = names.bucket_arn("records"), names.bucket_arn("artifacts")
    parameter = receiver.api_key_parameter
    return [
        *consume_statements(names, PURPOSE),
        allow(["sqs:SendMessage"], [names.arn("sqs", names.queue(PURPOSE))]),
        use_key(key_arn),
        # SageMaker encrypts model cards with the caller's permissions.
        allow(["kms:DescribeKey"], [key_arn]),
        encrypt_volumes(key_arn),
        allow(["s3:ListBucket"], [records], StringLike={"s3:prefix": ["*/index/*", "*/evidence/*"]}),
        allow(["s3:GetObject"], [f"{records}/*/chain/*", f"{records}/*/evidence/*"]),
        allow(["s3:ListBucket"], [artifacts], StringLike={"s3:prefix": [f"*/executions/*/{path}" for path in _READ]}),
        allow(["s3:GetObject"], [f"{artifacts}/*/executions/*/{path}" for path in _READ]),
        allow(["s3:PutObject"], [f"{artifacts}/{OPENLINEAGE}*"]),
        allow(
            ["sagemaker:CreateModelCard", "sagemaker:DescribeModelCard", "sagemaker:UpdateModelCard"],
            [names.arn("sagemaker", f"model-card/{names.prefix}-*")],
        ),
        *_lineage_entities(names),
        *([allow(["s3:GetObject"], [f"{artifacts}/{OPENLINEAGE}*"])] if receiver.url else []),
        *([allow(["ssm:GetParameter"], [names.arn("ssm", f"parameter{parameter}")])] if parameter else []),
        send_alerts(names),
    ]


def _lineage_entities(names: EnvironmentNames) -> list[iam.PolicyStatement]:
    """Create, find and delete lineage entities. The ARN of an artifact has a hash of its source, and no name."""
    artifacts = names.arn("sagemaker", "artifact/*")
    actions, contexts = (names.arn("sagemaker", f"{kind}/{names.prefix}-*") for kind in ("action", "context"))
    # SageMaker names the context of an endpoint that it creates itself.
    every_context = names.arn("sagemaker", "context/*")
    return [
        allow(["sagemaker:CreateArtifact", "sagemaker:DeleteArtifact"], [artifacts]),
        allow(["sagemaker:CreateAction", "sagemaker:DeleteAction"], [actions]),
        allow(["sagemaker:CreateContext", "sagemaker:DeleteContext"], [contexts]),
        allow(["sagemaker:AddAssociation", "sagemaker:DeleteAssociation"], [artifacts, actions, every_context]),
        allow_without_resource(
            [f"sagemaker:List{kind}" for kind in ("Actions", "Artifacts", "Associations", "Contexts")]
        ),
    ]
