"""A Lambda function with Powertools from AWS's public layer, a least-privilege role, a log group and an alarm."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from aws_cdk import Duration, RemovalPolicy, Stack, Stage
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from .count_alarm import count_alarm
from .encryption_key import key_or_own
from .function_code import FunctionCodeError, stage_function_code
from .nag import DEPENDS_TWICE, in_both_packs, suppress
from .names import METRIC_NAMESPACE, EnvironmentNames, StackLocation
from .network import VpcConfig, function_interfaces
from .permissions import allow, allow_without_resource, service_role
from .regions import check_layer
from .trigger_queue import MAX_RECEIVES

# AWS publishes the ARN of the layer in this public parameter of every region; CloudFormation reads it at deployment.
_POWERTOOLS = "/aws/service/powertools/python/arm64/python3.14/latest"
_CONCURRENT_MESSAGES = 10
_CONCURRENCY = (
    "FIFO message groups limit it to one invocation per model; reserved concurrency would reduce the account's quota for "
    "other functions."
)
_DEAD_LETTERS = (
    "The function is invoked by a queue with a dead-letter queue, by CloudFormation, which waits for a response, or by a "
    "schedule that comes again; an alarm notifies of its errors."
)
_ACCEPTED = {
    "NIST.800.53.R5-LambdaConcurrency": _CONCURRENCY,
    "CKV_AWS_115": _CONCURRENCY,
    "NIST.800.53.R5-LambdaDLQ": _DEAD_LETTERS,
    "CKV_AWS_116": _DEAD_LETTERS,
    "W3005": DEPENDS_TWICE,
    "CKV_AWS_173": "The variables are names, not secrets, and the template contains them. Lambda encrypts them with a key of "
    "AWS; the environment's key would need one more permission.",
}
_OUTSIDE = "The function calls AWS APIs only and no resource in a VPC. `network: isolated` runs it in a VPC."
_ACCEPTED_OUTSIDE = {**in_both_packs("LambdaInsideVPC", _OUTSIDE), "CKV_AWS_117": _OUTSIDE}


class FactoryFunction(Construct):
    """A Python function with Powertools, tracing, an encrypted log group, a role and an alarm on errors.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment: the function is `<prefix>-<purpose>`. Default: CloudFormation generates names.
        purpose: What the function does, such as `retrain`; part of the names, and the service name of Powertools.
            Default: `construct_id`.
        source: Folder with the function's code. Lambda invokes `handler` in its file handler.py. A package `shared` beside the
            folder is copied into the code (function_code.py).
        key: Key that encrypts the log group. Default: a key of its own.
        timeout: Longest time that an invocation may take. Default: one minute.
        statements: Permissions of the role, besides those for logs, traces and the VPC. Default: none.
        vpc: Subnets and security groups. Default: None, outside of a VPC.
        environment: Environment variables. Default: none besides those of Powertools and of the factory's names.
        layers: Lambda layers. Default: Powertools for AWS Lambda, from the ARN that AWS publishes in the region.
        alarm_topic: Topic that the alarm on errors publishes to. Default: the alarm has no action.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: Path,
        names: EnvironmentNames | None = None,
        purpose: str | None = None,
        key: kms.IKey | None = None,
        timeout: Duration | None = None,
        statements: Sequence[iam.PolicyStatement] = (),
        vpc: VpcConfig | None = None,
        environment: Mapping[str, str] | None = None,
        layers: Sequence[lambda_.ILayerVersion] | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        purpose = purpose or construct_id
        name = names.function(purpose) if names else None
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{name}" if name else None,
            encryption_key=key_or_own(self, key, names, logs=True),
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=RemovalPolicy.DESTROY,
        )
        # A factory's function is known by name, so that its role does not have to wait for the log group.
        streams = names.arn("logs", f"log-group:/aws/lambda/{name}:*") if names else log_group.log_group_arn
        self.role = service_role(
            self,
            "Role",
            names=names,
            name=names.role(purpose) if names else None,
            service="lambda",
            description=f"Permissions of the function {name or self.node.path}",
            statements=[
                *statements,
                allow(["logs:CreateLogStream", "logs:PutLogEvents"], [streams]),
                allow_without_resource(["xray:PutTraceSegments", "xray:PutTelemetryRecords"]),
                *function_interfaces(names or StackLocation.of(self), vpc),
            ],
            open_resources="X-Ray and metrics do not support resources; other statements are limited to the factory's names.",
        )
        """The function's role."""
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="handler.handler",
            code=lambda_.Code.from_asset(str(self._stage(source))),
            role=self.role.without_policy_updates(),
            layers=[self._powertools()] if layers is None else list(layers),
            memory_size=512,
            timeout=timeout or Duration.minutes(1),
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log_group,
            environment={**_variables(names, purpose), **(environment or {})},
        )
        """The Lambda function."""
        suppress(self.function, _ACCEPTED if vpc else _ACCEPTED | _ACCEPTED_OUTSIDE)
        if vpc:
            resource = cast(lambda_.CfnFunction, self.function.node.default_child)
            resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
                subnet_ids=list(vpc.subnets), security_group_ids=list(vpc.security_groups)
            )
        self.alarm = count_alarm(
            self,
            "Errors",
            names=names,
            purpose=f"{purpose}-errors",
            description=f"The function {name or self.node.path} raises exceptions: see its log group.",
            namespace="AWS/Lambda",
            metric="Errors",
            dimensions={"FunctionName": name or self.function.function_name},
            statistic="Sum",
            alarm_topic=alarm_topic,
        )
        """The alarm on errors."""

    @staticmethod
    def from_names(scope: Construct, construct_id: str, names: EnvironmentNames, purpose: str) -> lambda_.IFunction:
        """Import a function of a deployed environment.

        Args:
            scope: Parent construct.
            construct_id: Id of the imported function in `scope`.
            names: Names of the environment.
            purpose: `retrain`, `deploy`, `monitor` or `endpoint-cleanup`.
        """
        return lambda_.Function.from_function_attributes(
            scope,
            construct_id,
            function_arn=names.arn("lambda", f"function:{names.function(purpose)}"),
            same_environment=True,
        )

    def consume(self, queue: sqs.IQueue, *, dead_letters: sqs.IQueue | None = None, grant: bool = True) -> None:
        """Invoke the function for each message of the queue, in at most ten invocations at a time.

        The function reports a failed message in its response. It finds the queues in the environment variables QUEUE_URL and
        DEAD_LETTER_QUEUE_URL, and the number of attempts in MAX_RECEIVES.

        Args:
            queue: Queue whose visibility timeout is at least the function's timeout.
            dead_letters: Queue that the function moves messages to that it gives up. Default: none, SQS moves them.
            grant: Add the permissions to receive messages, and to send dead letters, to the role. Default: True.
        """
        if grant:
            queue.grant_consume_messages(cast(iam.IGrantable, self.role))
        if dead_letters:
            if grant:
                dead_letters.grant_send_messages(cast(iam.IGrantable, self.role))
            self.function.add_environment("QUEUE_URL", queue.queue_url)
            self.function.add_environment("DEAD_LETTER_QUEUE_URL", dead_letters.queue_url)
            self.function.add_environment("MAX_RECEIVES", str(MAX_RECEIVES))
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "Messages",
            function_name=self.function.function_arn,
            event_source_arn=queue.queue_arn,
            # Each message has the function's whole timeout. More invocations at once would only be throttled, which counts as
            # a receive: by the account's quota, or by the APIs that they all call.
            batch_size=1,
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(
                maximum_concurrency=_CONCURRENT_MESSAGES
            ),
            function_response_types=["ReportBatchItemFailures"],
        )
        if grant:
            # Lambda checks the permissions when the mapping is created.
            mapping.node.add_dependency(self.role)

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to invoke the function."""
        return self.function.grant_invoke(grantee)

    def metric_errors(self, **options: Any) -> cloudwatch.Metric:
        """Invocations that raised an exception. `options` are those of `cloudwatch.Metric`."""
        return self.function.metric_errors(**options)

    def metric_invocations(self, **options: Any) -> cloudwatch.Metric:
        """Invocations. `options` are those of `cloudwatch.Metric`."""
        return self.function.metric_invocations(**options)

    def metric_duration(self, **options: Any) -> cloudwatch.Metric:
        """Milliseconds that invocations take. `options` are those of `cloudwatch.Metric`."""
        return self.function.metric_duration(**options)

    def _stage(self, source: Path) -> Path:
        """The function's folder together with `shared`, below the app's output directory: one for all its stages."""
        app = cast(Stage, self.node.root)
        try:
            return stage_function_code(source, Path(app.outdir) / "functions")
        except FunctionCodeError as error:
            raise FunctionCodeError(f"{self.node.path}: source: {error}") from None

    def _powertools(self) -> lambda_.ILayerVersion:
        check_layer(Stack.of(self).region, self.node.path)
        arn = ssm.StringParameter.value_for_string_parameter(self, _POWERTOOLS)
        return lambda_.LayerVersion.from_layer_version_arn(self, "Powertools", arn)


def consume_statements(names: EnvironmentNames, purpose: str) -> list[iam.PolicyStatement]:
    """Statements for the queue for `purpose`: Lambda reads it as the function, which moves messages to its dead letters."""
    return [
        consume_statement(names, purpose, "sqs:ChangeMessageVisibility"),
        allow(["sqs:SendMessage"], [names.arn("sqs", names.dead_letter_queue(purpose))]),
    ]


def consume_statement(names: EnvironmentNames, purpose: str, *more: str) -> iam.PolicyStatement:
    """Statement that Lambda needs in a function's role to read the queue for `purpose`. `more`: actions of the function's own."""
    actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", *more]
    return allow(actions, [names.arn("sqs", names.queue(purpose))])


def _variables(names: EnvironmentNames | None, purpose: str) -> dict[str, str]:
    powertools = {
        "POWERTOOLS_SERVICE_NAME": purpose,
        "POWERTOOLS_METRICS_NAMESPACE": METRIC_NAMESPACE,
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }
    if names is None:
        return powertools
    return {
        "FACTORY_ENVIRONMENT": names.environment,
        "MODELS_PARAMETER_PREFIX": names.models_parameter_prefix,
        **powertools,
    }
