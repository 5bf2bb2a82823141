"""The recorder: the function that writes the audit records of an environment, behind its queue."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ..core.bootstrapping import decrypt_assets
from ..core.factory_function import FactoryFunction, consume_statements
from ..core.names import METRIC_NAMESPACE, EnvironmentNames
from ..core.network import VpcConfig
from ..core.permissions import allow, send_alerts, use_key
from ..core.queue_target import queue_rule
from ..core.trigger_queue import TriggerQueue

PURPOSE = "recorder"
FOLDERS = ("chain", "index", "events", "evidence")
"""Folders of a model in the records bucket that the function writes to."""
EVALUATION = "evaluation/evaluation.json"
"""What the gate decided, below the folder of an execution."""
_REPORTS = "*/scoring/*/report.json"
_TIMEOUT = Duration.minutes(15)
"""The longest that Lambda allows: the function reads artifacts of a version, to compare them with their SHA-256."""


class Recorder(Construct):
    """The function `<prefix>-recorder` behind the queue `<prefix>-recorder.fifo`.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment.
        source: Folder with the function's code.
        key: Key of the environment.
        signing_key: Key that signs the evidence of versions.
        statements: `recorder_statements`, which the endpoints of an isolated VPC allow as well.
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
        signing_key: kms.IKey,
        statements: list[iam.PolicyStatement],
        vpc: VpcConfig | None,
        alarm_topic: sns.ITopic,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
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
            environment={
                "RECORDS_BUCKET": names.bucket("records"),
                "ARTIFACTS_BUCKET": names.bucket("artifacts"),
                "SIGNING_KEY": signing_key.key_arn,
            },
            alarm_topic=alarm_topic,
        )
        self._names, self._undelivered = names, undelivered
        self._add_rules()
        function.consume(self.queue, dead_letters=queue.dead_letters, grant=False)

    def _add_rules(self) -> None:
        """Rules for all models of the environment. The order of records does not matter, so each rule has one message group."""
        names, sagemaker = self._names, ["aws.sagemaker"]
        self._rule(
            "Executions",
            "Sends ended trainings and scoring runs to the recorder",
            {
                "source": sagemaker,
                "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
                "detail": {
                    "pipelineArn": [{"wildcard": each} for each in _pipelines(names)],
                    "currentPipelineExecutionStatus": ["Succeeded", "Failed", "Stopped"],
                },
            },
        )
        self._rule(
            "Versions",
            "Sends new and changed versions to the recorder",
            {
                "source": sagemaker,
                "detail-type": ["SageMaker Model Package State Change"],
                "detail": {"ModelPackageGroupName": [{"prefix": f"{names.prefix}-"}]},
            },
        )
        metrics = {"metricStat": {"metric": {"namespace": [METRIC_NAMESPACE, "AWS/SageMaker"]}}}
        self._rule(
            "Alarms",
            "Sends alarms of models to the recorder when they begin and end",
            {
                "source": ["aws.cloudwatch"],
                "detail-type": ["CloudWatch Alarm State Change"],
                "detail": {
                    "alarmName": [{"prefix": f"{names.prefix}-"}],
                    "configuration": {"metrics": metrics},
                    # Not the changes between OK and INSUFFICIENT_DATA, of which an endpoint without traffic has many.
                    "$or": [{"state": {"value": ["ALARM"]}}, {"previousState": {"value": ["ALARM"]}}],
                },
            },
        )
        self._rule(
            "Settings",
            "Sends changed settings of models to the recorder",
            {
                "source": ["aws.ssm"],
                "detail-type": ["Parameter Store Change"],
                "detail": {
                    "name": [{"prefix": names.models_parameter_prefix}],
                    "operation": ["Create", "Update", "Delete"],
                },
            },
        )

    def _rule(self, what: str, description: str, pattern: Mapping[str, Any]) -> None:
        queue_rule(
            self,
            what,
            name=f"{self._names.prefix}-record-{what.lower()}",
            description=description,
            pattern=pattern,
            target_id="Recorder",
            queue=self.queue,
            undelivered=self._undelivered,
        )


def recorder_statements(
    names: EnvironmentNames, key_arn: str, signing_key_arn: str, code_bucket_arn: str
) -> list[iam.PolicyStatement]:
    """Role of lambda/recorder: the one role that writes to the records bucket.

    Args:
        names: Names of the environment.
        key_arn: Key of the environment.
        signing_key_arn: Key that signs the evidence of versions.
        code_bucket_arn: Bucket with the zips of the jobs' code, which `cdk bootstrap` created.
    """
    records = names.bucket_arn("records")
    return [
        *consume_statements(names, PURPOSE),
        use_key(key_arn),
        allow(["s3:ListBucket"], [records], StringLike={"s3:prefix": [f"*/{folder}/*" for folder in FOLDERS]}),
        allow(["s3:GetObject"], [f"{records}/*/chain/*", f"{records}/*/events/*"]),
        *_event_sources(names),
        allow(["s3:PutObject"], [f"{records}/*/{folder}/*" for folder in FOLDERS]),
        allow(["s3:PutObject"], [f"{records}/_lineage/*"]),
        allow(["kms:Sign", "kms:GetPublicKey"], [signing_key_arn]),
        *_evidence_sources(names, code_bucket_arn),
        send_alerts(names),
    ]


def _pipelines(names: EnvironmentNames) -> list[str]:
    """ARN patterns of the pipelines whose executions are recorded."""
    return [names.arn("sagemaker", f"pipeline/{names.prefix}-*-{part}") for part in ("train", "score")]


def _event_sources(names: EnvironmentNames) -> list[iam.PolicyStatement]:
    """Read what events of AWS are about: executions, versions and settings."""
    artifacts = names.bucket_arn("artifacts")
    return [
        allow(["s3:ListBucket"], [artifacts], StringLike={"s3:prefix": [f"*/executions/*/{EVALUATION}", _REPORTS]}),
        allow(
            [
                "sagemaker:DescribePipelineExecution",
                "sagemaker:ListPipelineExecutionSteps",
                "sagemaker:ListPipelineParametersForExecution",
            ],
            [f"{each}/execution/*" for each in _pipelines(names)],
        ),
        allow(["sagemaker:DescribeModelPackage"], [names.arn("sagemaker", f"model-package/{names.prefix}-*")]),
        allow(["ssm:GetParameterHistory"], [names.arn("ssm", f"parameter{names.models_parameter_prefix}*")]),
    ]


def _evidence_sources(names: EnvironmentNames, code_bucket_arn: str) -> list[iam.PolicyStatement]:
    """Read what a version was made of."""
    artifacts = names.bucket_arn("artifacts")
    return [
        allow(["s3:ListBucketVersions"], [artifacts], StringLike={"s3:prefix": ["*/executions/*", _REPORTS]}),
        allow(
            ["s3:GetObject", "s3:GetObjectVersion"],
            [f"{artifacts}/*/executions/*", f"{artifacts}/{_REPORTS}", f"{code_bucket_arn}/*.zip"],
        ),
        # A zip that is gone is 404 only for those who may list the bucket; to others it is a permission that is missing.
        allow(["s3:ListBucket"], [code_bucket_arn]),
        decrypt_assets(names, code_bucket_arn),
        allow(
            ["sagemaker:DescribePipelineDefinitionForExecution"],
            [names.arn("sagemaker", f"pipeline/{names.prefix}-*/execution/*")],
        ),
    ]


def recorder_role_arn(names: EnvironmentNames) -> str:
    """ARN of the function's role, for the policy of the key that signs evidence."""
    return names.iam_arn(f"role/{names.role(PURPOSE)}")


def send_records(names: EnvironmentNames) -> iam.PolicyStatement:
    """Send records to the recorder of the environment."""
    return allow(["sqs:SendMessage"], [names.arn("sqs", names.queue(PURPOSE))])
