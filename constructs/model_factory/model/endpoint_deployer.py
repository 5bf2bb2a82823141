"""Deploys approved versions and deletes the endpoint with the stack.

The endpoint itself is created by lambda/deploy: there is none before the first version, and a deployment of a version
does not update the stack.
"""

from typing import Any, cast

from aws_cdk import CfnDeletionPolicy, CustomResource, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from ..core.bucket_statements import read_objects, write_objects
from ..core.image import framework_image_uris
from ..core.names import ASYNC, ASYNC_PARTS
from ..core.network import job_interfaces
from ..core.permissions import allow, pull_images, service_role, use_key, write_logs
from ..own_pipeline.steps import images
from .metrics import endpoint_metric
from .props import ModelProps
from .retrain_trigger import model_target
from .settings import challenger_alarms

ENDPOINT_STATUSES = ["IN_SERVICE", "FAILED", "OUT_OF_SERVICE", "UPDATE_ROLLBACK_FAILED", "DELETING", "DELETED"]
"""Statuses of an endpoint, as events spell them, that no change of SageMaker's follows."""


class EndpointDeployer(Construct):
    """The rule that sends events to the deploy queue, the role and log group of the endpoint, and its deletion.

    The events are those of approved and rejected versions, of the endpoint, and of the model's settings parameter.

    A function has to consume the deploy queue; the factory's is lambda/deploy, which reads ModelSettings.

    Attributes:
        role: Role of the endpoint's containers.
        log_group: Log group of the endpoint's containers.
        rule: The EventBridge rule, as a CloudFormation resource.
        cleanup: Custom resource that deletes the endpoint with the stack; None without `endpoint_cleanup`.
        endpoint_name: Name of the endpoint.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        props: The model. Needs `data_bucket`, `artifacts_bucket` and `deploy_queue`; uses `key`, `vpc`,
            `undelivered_queue`, `endpoint_cleanup` and `removal_policy`.

    Raises:
        ValueError: A bucket or the queue is missing.
        ImageError: The image is not in Amazon ECR.
    """

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps) -> None:
        super().__init__(scope, construct_id)
        props.require(self, "data_bucket", "artifacts_bucket", "deploy_queue")
        self._endpoint_arn = props.environment_names.arn("sagemaker", f"endpoint/{props.names.endpoint}")
        self.endpoint_name = props.names.endpoint
        self._is_async = props.config.serving.mode == "async"
        self.role = service_role(
            self,
            "Role",
            names=props.environment_names,
            name=props.role_name("endpoint"),
            service="sagemaker",
            description=f"Endpoint of {props.config.name}",
            statements=_endpoint_statements(props),
            open_resources="Objects below the prefixes of the model; SageMaker generates the names of artifacts.",
        )
        # The endpoint keeps the role that it was deployed with, until its next version has the new one.
        options = cast(iam.CfnRole, self.role.node.default_child).cfn_options
        options.update_replace_policy, options.deletion_policy = CfnDeletionPolicy.RETAIN, CfnDeletionPolicy.DELETE
        # SageMaker would create it with the first line, unencrypted and without expiration.
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=props.names.endpoint_log_group,
            encryption_key=props.key,
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.cleanup = self._cleanup(props)
        self.rule = events.CfnRule(
            self,
            "ApprovedRule",
            name=props.names.rule("approved"),
            description=f"Events of versions, endpoint and settings of {props.config.name}, for the deploy function",
            event_pattern=_event_pattern(props),
            targets=[model_target(props, "Deploy", props.deploy_queue)],
        )
        if self.cleanup:
            # Deleted before the endpoint, so that no version is deployed while the endpoint is being deleted.
            self.rule.node.add_dependency(self.cleanup)

    @property
    def endpoint_arn(self) -> str:
        """ARN of the endpoint."""
        return self._endpoint_arn

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow a principal to invoke the endpoint. Requests and answers of an asynchronous one are objects of the data bucket.

        Args:
            grantee: The principal, such as a role or a Lambda function.
        """
        actions = ["sagemaker:InvokeEndpointAsync" if self._is_async else "sagemaker:InvokeEndpoint"]
        return iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=[self.endpoint_arn])

    def metric(self, metric_name: str, **options: Any) -> cloudwatch.Metric:
        """A metric that SageMaker publishes for the endpoint.

        Args:
            metric_name: Such as Invocations.
            options: Properties of `cloudwatch.MetricOptions`, such as period. Default: Sum over 5 minutes.
        """
        return endpoint_metric(self.endpoint_name, metric_name, **options)

    def metric_invocations(self, **options: Any) -> cloudwatch.Metric:
        """Number of requests.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Sum over 5 minutes.
        """
        return self.metric("Invocations", **options)

    def metric_invocation_4xx_errors(self, **options: Any) -> cloudwatch.Metric:
        """Number of requests that were answered with a 4XX status.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Sum over 5 minutes.
        """
        return self.metric("Invocation4XXErrors", **options)

    def metric_invocation_5xx_errors(self, **options: Any) -> cloudwatch.Metric:
        """Number of requests that were answered with a 5XX status.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Sum over 5 minutes.
        """
        return self.metric("Invocation5XXErrors", **options)

    def metric_model_latency(self, **options: Any) -> cloudwatch.Metric:
        """Time that the model's container takes for a request, in microseconds.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: p99 over 5 minutes.
        """
        return self.metric("ModelLatency", **{"statistic": "p99", **options})

    def metric_overhead_latency(self, **options: Any) -> cloudwatch.Metric:
        """Time that SageMaker adds to a request, in microseconds.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: p99 over 5 minutes.
        """
        return self.metric("OverheadLatency", **{"statistic": "p99", **options})

    def _cleanup(self, props: ModelProps) -> CustomResource | None:
        if props.endpoint_cleanup is None:
            return None
        cleanup = CustomResource(
            self,
            "Cleanup",
            resource_type="Custom::EndpointCleanup",
            service_token=props.endpoint_cleanup.function_arn,
            properties={
                "EndpointName": props.names.endpoint,
                "ModelPackageGroupName": props.names.model_package_group,
                "DeleteVersions": str(props.removal_policy == RemovalPolicy.DESTROY).lower(),
            },
        )
        cleanup.node.add_dependency(cast(Construct, self.role))
        return cleanup


def _event_pattern(props: ModelProps) -> dict[str, Any]:
    """Approved and rejected versions, the end of every change of the endpoint, and new or changed settings.

    SageMaker does not say in an event whether a deployment was rolled back (the endpoint is IN_SERVICE again), so the deploy
    function compares. 'SageMaker Endpoint Deployment State Change' has the steps of a deployment and is not needed. With
    `serving.challenger` also what may end a trial.
    """
    trials = _trial_patterns(props)
    return {
        "source": ["aws.sagemaker", "aws.ssm", *(["aws.cloudwatch"] if challenger_alarms(props) else [])],
        "detail-type": [
            "SageMaker Model Package State Change",
            "SageMaker Endpoint State Change",
            "Parameter Store Change",
            *trials,
        ],
        "detail": {
            "$or": [
                {
                    "ModelPackageGroupName": [props.names.model_package_group],
                    "ModelApprovalStatus": ["Approved", "Rejected", "PendingManualApproval"],
                },
                {"EndpointName": [props.names.endpoint], "EndpointStatus": ENDPOINT_STATUSES},
                {"name": [props.names.settings_parameter], "operation": ["Create", "Update"]},
                *trials.values(),
            ]
        },
    }


def _trial_patterns(props: ModelProps) -> dict[str, dict[str, Any]]:
    """Ends of monitor runs, and alarms of a version that answers a share of the requests: patterns by detail-type."""
    patterns: dict[str, dict[str, Any]] = {}
    if props.config.serving.challenger:
        pipeline = props.environment_names.arn("sagemaker", f"pipeline/{props.names.monitor_pipeline}")
        patterns["SageMaker Model Building Pipeline Execution Status Change"] = {
            "pipelineArn": [pipeline],
            "currentPipelineExecutionStatus": ["Succeeded", "Failed", "Stopped"],
        }
    if alarms := challenger_alarms(props):
        patterns["CloudWatch Alarm State Change"] = {"alarmName": alarms, "state": {"value": ["ALARM"]}}
    return patterns


def _endpoint_statements(props: ModelProps) -> list[iam.PolicyStatement]:
    model, names = props.config.name, props.environment_names
    return [
        read_objects(props.bucket("artifacts").bucket_arn, f"{model}/executions/"),
        *_requests(props),
        *([use_key(props.key_arn)] if props.key_arn else []),
        *map(use_key, props.bucket_key_arns),
        *pull_images(names, _images(props)),
        write_logs(names, f"{props.names.endpoint_log_group}*", make=False),
        # SageMaker reads the rollback alarms of a deployment with the endpoint's role.
        allow(["cloudwatch:DescribeAlarms"], [names.arn("cloudwatch", f"alarm:{props.names.prefix}-*")]),
        *job_interfaces(names, props.vpc),
    ]


def _images(props: ModelProps) -> list[str]:
    """Images that a version in service may have.

    After a change of `training.framework` the version before serves until the next one is approved, and may be deployed again:
    SageMaker pulls its image for each new instance.
    """
    if props.own_pipeline:
        return images(props.own_pipeline.definition)
    return [props.image, *framework_image_uris(props.environment_names.region)]


def _requests(props: ModelProps) -> list[iam.PolicyStatement]:
    """Write captured requests; for an asynchronous endpoint instead read requests, write answers and failed requests.

    SageMaker does both with the endpoint's role. Nothing is captured of an asynchronous endpoint.
    """
    bucket, model = props.bucket("data").bucket_arn, props.config.name
    if props.config.serving.mode != "async":
        return [write_objects(bucket, f"{model}/captured/")]
    requests, *answers = (f"{model}/{ASYNC}/{part}/" for part in ASYNC_PARTS)
    return [read_objects(bucket, requests), *(write_objects(bucket, prefix) for prefix in answers)]
