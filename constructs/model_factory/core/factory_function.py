"""A function of the factory: its own few files, Powertools from AWS's public layer, a role for exactly its work."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from aws_cdk import Duration, RemovalPolicy, Stage
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from .function_code import FunctionCodeError, stage_function_code
from .nag import DEPENDS_TWICE, in_both_packs, suppress
from .names import METRIC_NAMESPACE, EnvironmentNames
from .network import VpcConfig, function_interfaces
from .permissions import allow, allow_without_resource, service_role

# AWS publishes the layer's ARN of every region under this public parameter; CloudFormation reads it at deployment.
_POWERTOOLS = "/aws/service/powertools/python/arm64/python3.14/latest"
_CONCURRENCY = "FIFO message groups bound it to one run per model; a reservation would take from the account's few."
_DEAD_LETTERS = "Messages come from a queue with dead letters, or from CloudFormation, which waits for an answer."
_ACCEPTED = {
    "NIST.800.53.R5-LambdaConcurrency": _CONCURRENCY,
    "CKV_AWS_115": _CONCURRENCY,
    "NIST.800.53.R5-LambdaDLQ": _DEAD_LETTERS,
    "CKV_AWS_116": _DEAD_LETTERS,
    "W3005": DEPENDS_TWICE,
    "CKV_AWS_173": "The variables hold names and no secrets. Lambda encrypts them with its own key; with the environment's "
    "key the function would need one more permission to read what the template says anyway.",
}
_OUTSIDE = "It calls AWS's APIs only and reaches nothing inside a network; `network: isolated` puts it into one."
_ACCEPTED_OUTSIDE = {**in_both_packs("LambdaInsideVPC", _OUTSIDE), "CKV_AWS_117": _OUTSIDE}


class FactoryFunction(Construct):
    """The function `<factory>-<env>-<purpose>`, entered at `handler.handler`.

    `source`: folder of the function. A package `shared` beside it is copied into its code (function_code.py).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames,
        purpose: str,
        source: Path,
        key: kms.IKey,
        timeout: Duration,
        statements: Sequence[iam.PolicyStatement],
        vpc: VpcConfig | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        name = names.function(purpose)
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{name}",
            encryption_key=key,
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.role = service_role(
            self,
            "Role",
            names=names,
            name=names.role(purpose),
            service="lambda",
            description=f"What the function {name} may do",
            statements=[*statements, *_observability(names, name), *function_interfaces(names, vpc)],
            open_resources="X-Ray and metrics have no resources; the rest is bounded by the factory's names.",
        )
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="handler.handler",
            code=lambda_.Code.from_asset(str(self._stage(source))),
            role=self.role.without_policy_updates(),
            layers=[self._powertools()],
            memory_size=512,
            timeout=timeout,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log_group,
            environment={
                "FACTORY_ENVIRONMENT": names.environment,
                "MODELS_PARAMETER_PREFIX": names.models_parameter_prefix,
                "POWERTOOLS_SERVICE_NAME": purpose,
                "POWERTOOLS_METRICS_NAMESPACE": METRIC_NAMESPACE,
                "POWERTOOLS_LOG_LEVEL": "INFO",
                **(environment or {}),
            },
        )
        suppress(self.function, _ACCEPTED if vpc else _ACCEPTED | _ACCEPTED_OUTSIDE)
        if vpc:
            resource = cast(lambda_.CfnFunction, self.function.node.default_child)
            resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
                subnet_ids=list(vpc.subnets), security_group_ids=list(vpc.security_groups)
            )
        self._alarm(names, purpose)

    def consume(self, queue: sqs.Queue) -> None:
        """Run for the queue's messages, ten at a time; messages that fail come back alone. The role must allow it."""
        lambda_.CfnEventSourceMapping(
            self,
            "Messages",
            function_name=self.function.function_arn,
            event_source_arn=queue.queue_arn,
            batch_size=10,
            function_response_types=["ReportBatchItemFailures"],
        )

    def _stage(self, source: Path) -> Path:
        """The function's folder together with `shared`, below the app's output directory: one for all its stages."""
        app = cast(Stage, self.node.root)
        try:
            return stage_function_code(source, Path(app.outdir) / "functions")
        except FunctionCodeError as error:
            raise FunctionCodeError(f"{self.node.path}: source: {error}") from None

    def _powertools(self) -> lambda_.ILayerVersion:
        arn = ssm.StringParameter.value_for_string_parameter(self, _POWERTOOLS)
        return lambda_.LayerVersion.from_layer_version_arn(self, "Powertools", arn)

    def _alarm(self, names: EnvironmentNames, purpose: str) -> None:
        cloudwatch.CfnAlarm(
            self,
            "Errors",
            alarm_name=f"{names.prefix}-{purpose}-errors",
            alarm_description=f"The function {names.function(purpose)} raises: see its log group.",
            namespace="AWS/Lambda",
            metric_name="Errors",
            dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="FunctionName", value=names.function(purpose))],
            statistic="Sum",
            period=300,
            evaluation_periods=1,
            threshold=0,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[names.arn("sns", names.alerts_topic)],
        )


def consume_statement(names: EnvironmentNames, purpose: str) -> iam.PolicyStatement:
    """What Lambda needs in a function's role to read the queue for `purpose`."""
    return allow(
        ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
        [names.arn("sqs", names.queue(purpose))],
    )


def _observability(names: EnvironmentNames, function_name: str) -> list[iam.PolicyStatement]:
    streams = names.arn("logs", f"log-group:/aws/lambda/{function_name}:*")
    return [
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], [streams]),
        allow_without_resource(["xray:PutTraceSegments", "xray:PutTelemetryRecords"]),
    ]
