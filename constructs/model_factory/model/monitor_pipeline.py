"""The pipeline that monitors the deployed version, and the schedule that starts it."""

from datetime import timedelta
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from ..core.bucket_statements import list_objects, read_objects, write_objects
from ..core.permissions import allow, put_metrics
from ..core.schedules import interval
from ..definition import Parameter, PipelineDefinition, ProcessingStep
from .jobs import RETRY_JOB, execution_uri, job_environment, job_statements, pipeline_statements, processing_arguments
from .metrics import model_metric
from .model_registry import read_versions
from .pipeline import SageMakerPipeline
from .props import ModelProps
from .schedules import SCHEDULER_TIME, Target, invoke, model_schedule, start_pipeline

SCHEDULED_TIME = Parameter("ScheduledTime", "")


class MonitorPipeline(SageMakerPipeline):
    """The SageMaker pipeline `<prefix>-monitor`, its role, the role of its job, and its schedule.

    Attributes:
        pipeline: The CloudFormation resource.
        role: Role of the pipeline.
        job_role: Role of the job.
        schedule: The EventBridge schedule, as a CloudFormation resource.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        props: The model. Needs `data_bucket` and `artifacts_bucket`; uses `key`, `vpc`, `scheduler_role`,
            `undelivered_queue` and `monitor`.

    Raises:
        ValueError: A bucket is missing.
        DefinitionError: SageMaker would reject the definition.
        ImageError: The image is not in Amazon ECR.
    """

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps) -> None:
        super().__init__(scope, construct_id, pipeline_name=props.names.monitor_pipeline)
        props.require(self, "data_bucket", "artifacts_bucket")
        self._names = props.names
        self.job_role = self._job_role(
            props,
            "monitor",
            "monitor",
            _job_role_statements(props),
            open_resources="Objects below the prefixes of the model; a condition limits metrics to their namespace.",
        )
        self.role = self._pipeline_role(
            props,
            "monitor",
            "monitor",
            pipeline_statements(props, ["Processing"], self.job_role.role_arn),
            open_resources="SageMaker generates the names of a pipeline's jobs.",
        )
        definition = monitor_definition(props, self.job_role.role_arn)
        self.pipeline = self._create(definition.render(), self.role, f"Monitors the endpoint of {props.config.name}")
        self.schedule = self._schedule(props)

    def _schedule(self, props: ModelProps) -> scheduler.CfnSchedule:
        monitoring = props.config.monitoring
        schedule = model_schedule(
            self,
            props,
            "monitor",
            self._target(props),
            expression=monitoring.schedule,
            timezone=monitoring.timezone,
            description=f"Starts the monitor pipeline of {props.config.name}",
            # Models with the same schedule do not all start at the same minute.
            window={
                "mode": "FLEXIBLE",
                "maximumWindowInMinutes": _spread_minutes(interval(monitoring.schedule)),
            },
            retries={"maximumRetryAttempts": 3, "maximumEventAgeInSeconds": 900},
        )
        schedule.node.add_dependency(self.pipeline)
        return schedule

    def _target(self, props: ModelProps) -> Target:
        """The function, which starts the pipeline where there is something to monitor; without one the pipeline itself."""
        if props.monitor is None:
            request = {"PipelineParameters": [{"Name": SCHEDULED_TIME.name, "Value": SCHEDULER_TIME}]}
            return start_pipeline(self, props, request)
        check = {
            "model": props.config.name,
            "pipeline": self.pipeline_name,
            "endpoint": props.names.endpoint,
            "model_package_group": props.names.model_package_group,
            "time": SCHEDULER_TIME,
        }
        return invoke(props.monitor, check)

    def metric_drifted_features(self, **options: Any) -> cloudwatch.Metric:
        """Number of features and predictions that have drifted, once per check.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Maximum over 5 minutes.
        """
        return model_metric(self._names, "DriftedFeatures", **options)

    def metric_prediction_drift(self, **options: Any) -> cloudwatch.Metric:
        """Effect size of the drift of the predictions, once per check.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Maximum over 5 minutes.
        """
        return model_metric(self._names, "PredictionDrift", **options)

    def metric_data_violations(self, **options: Any) -> cloudwatch.Metric:
        """Number of violations of the schema, the volume and the age of requests, once per check.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Maximum over 5 minutes.
        """
        return model_metric(self._names, "DataViolations", **options)

    def metric_rows_observed(self, **options: Any) -> cloudwatch.Metric:
        """Number of captured rows that a check read.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Sum over 5 minutes.
        """
        return model_metric(self._names, "RowsObserved", **{"statistic": "Sum", **options})

    def metric_quality_shortfall(self, **options: Any) -> cloudwatch.Metric:
        """How far the quality by ground truth misses its limit, in units of the gate's metric; 0 when it meets it.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Maximum over 5 minutes.
        """
        return model_metric(self._names, "QualityShortfall", **options)


def monitor_definition(props: ModelProps, job_role_arn: str) -> PipelineDefinition:
    """Definition of the monitor pipeline: one step. Its job tracks its own watermark, so captured data is no input.

    Args:
        props: The model.
        job_role_arn: ARN of the role of its job.

    Raises:
        DefinitionError: SageMaker would reject the definition.
    """
    monitor = ProcessingStep(
        "Monitor",
        processing_arguments(
            props,
            "monitor",
            instance=props.config.monitoring.instance,
            role_arn=job_role_arn,
            environment=job_environment(props, SCHEDULED_TIME=SCHEDULED_TIME),
            inputs={},
            outputs={"report": execution_uri(props, "monitor")},
        ),
        display_name="Monitor",
        description="Drift, data quality and model quality of the endpoint",
        retry_policies=RETRY_JOB,
    )
    return PipelineDefinition([monitor], [SCHEDULED_TIME])


def _spread_minutes(between_checks: timedelta) -> int:
    """Minutes within which a check starts: a quarter of an hour, or of the time between two checks if that is less."""
    return max(1, min(15, int(between_checks / timedelta(minutes=4))))


def _job_role_statements(props: ModelProps) -> list[iam.PolicyStatement]:
    model, names, endpoint = props.config.name, props.environment_names, props.names.endpoint
    data, artifacts = props.bucket("data").bucket_arn, props.bucket("artifacts").bucket_arn
    return [
        *job_statements(props),
        list_objects(data, f"{model}/captured/"),
        read_objects(data, f"{model}/captured/"),
        list_objects(data, f"{model}/ground-truth/"),
        read_objects(data, f"{model}/ground-truth/"),
        list_objects(artifacts, f"{model}/"),
        read_objects(artifacts, f"{model}/"),
        write_objects(artifacts, f"{model}/monitor/"),
        read_versions(props),
        allow(["sagemaker:DescribeEndpoint"], [names.arn("sagemaker", f"endpoint/{endpoint}")]),
        allow(["sagemaker:DescribeEndpointConfig"], [names.arn("sagemaker", f"endpoint-config/{endpoint}-*")]),
        allow(["sagemaker:DescribeModel"], [names.arn("sagemaker", f"model/{endpoint}-*")]),
        put_metrics(),
    ]
