"""The CloudWatch dashboard of a model: alarms, drift, quality, data, trainings, requests and latency."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from ..core.names import METRIC_NAMESPACE, VARIANT
from .props import ModelProps


class ModelDashboard(Construct):
    """The CloudWatch dashboard `<factory>-<env>-<model>`.

    Attributes:
        dashboard: The CloudFormation resource.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        props: The model.
    """

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps) -> None:
        super().__init__(scope, construct_id)
        self.dashboard = cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=None if props.generated_role_names else props.names.dashboard,
            dashboard_body=Stack.of(self).to_json_string(_body(props)),
        )


def _body(props: ModelProps) -> dict[str, Any]:
    names, region = props.names, props.environment_names.region
    mode = props.config.serving.mode
    is_batch = mode == "batch"
    own = [METRIC_NAMESPACE, "Environment", props.environment_names.environment, "Model", props.config.name]
    endpoint = ["AWS/SageMaker", "EndpointName", names.endpoint, "VariantName", VARIANT]
    pipeline = ["AWS/Sagemaker/ModelBuildingPipeline", "PipelineName", names.training_pipeline]
    is_monitored = props.own_pipeline is None
    alarms = [
        *(["drift", "model-quality", "data-violations"] if is_monitored else []),
        "training-failed", "retrain-not-started",
        *(["scoring-failed"] if is_batch else ["endpoint-errors", "endpoint-latency"]),
        *(["requests-expired"] if mode == "async" else []),
    ]  # fmt: skip
    scoring = ["AWS/Sagemaker/ModelBuildingPipeline", "PipelineName", names.scoring_pipeline]
    metric = props.config.gate.metric if props.config.gate else ""
    graphs = [
        ("Drift", [_metric(own, "DriftedFeatures"), _metric(own, "PredictionDrift")], "Maximum"),
        (f"Quality by ground truth: {metric}", [_metric(own, "QualityLow"), _metric(own, metric), _metric(own, "QualityHigh")],
         "Maximum"),
        ("Labels", [_metric(own, "LabelledRecords"), _metric(own, "LabelCoverage")], "Maximum"),
        ("Data", [_metric(own, "RowsObserved"), _metric(own, "DataViolations")], "Sum"),
    ] if is_monitored else []  # fmt: skip
    graphs += [
        ("Training", [_metric(own, "RetrainStarted"), _metric(own, "RetrainSkipped"),
                      _metric(pipeline, "ExecutionSucceeded"), _metric(pipeline, "ExecutionFailed")], "Sum"),
    ]  # fmt: skip
    graphs += [
        ("Scoring", [_metric(own, "RowsScored"), _metric(scoring, "ExecutionSucceeded"),
                     _metric(scoring, "ExecutionFailed")], "Sum"),
    ] if is_monitored else []  # fmt: skip
    graphs += _queue_graphs(names.endpoint, endpoint) if mode == "async" else [] if is_batch else [
        ("Requests", [_metric(endpoint, "Invocations"), _metric(endpoint, "Invocation4XXErrors"),
                      _metric(endpoint, "Invocation5XXErrors")], "Sum"),
        ("Latency (microseconds)", [_metric(endpoint, "ModelLatency"), _metric(endpoint, "OverheadLatency")], "p99"),
    ]  # fmt: skip
    status = {
        "type": "alarm",
        "width": 24,
        "height": 3,
        "x": 0,
        "y": 0,
        "properties": {"title": "Alarms", "alarms": [_alarm_arn(props, purpose) for purpose in alarms]},
    }
    return {"widgets": [status, *(_graph(index, region, *graph) for index, graph in enumerate(graphs))]}


def _queue_graphs(name: str, variant: list[str]) -> list[tuple[str, list[list[str]], str]]:
    """Graphs of an asynchronous endpoint, which has no metrics Invocations and OverheadLatency."""
    queue = ["AWS/SageMaker", "EndpointName", name]
    errors = ("InvocationFailures", "Invocation4XXErrors", "Invocation5XXErrors", "ExpiredRequests")
    return [
        ("Requests", [_metric(variant, "InvocationsProcessed"), *(_metric(variant, each) for each in errors)], "Sum"),
        ("Queue", [_metric(queue, "ApproximateBacklogSize"), _metric(queue, "HasBacklogWithoutCapacity")], "Maximum"),
        ("Age of the oldest request (seconds)", [_metric(queue, "ApproximateAgeOfOldestRequest")], "Maximum"),
        ("Latency (microseconds)", [_metric(variant, "ModelLatency"), _metric(variant, "TimeInBacklog")], "p99"),
    ]


def _metric(source: list[str], name: str) -> list[str]:
    return [source[0], name, *source[1:]]


def _graph(index: int, region: str, title: str, metrics: list[list[str]], statistic: str) -> dict[str, Any]:
    return {
        "type": "metric",
        "width": 12,
        "height": 6,
        "x": 12 * (index % 2),
        "y": 3 + 6 * (index // 2),
        "properties": {"title": title, "region": region, "metrics": metrics, "stat": statistic, "period": 300},
    }


def _alarm_arn(props: ModelProps, purpose: str) -> str:
    return props.environment_names.arn("cloudwatch", f"alarm:{props.names.alarm(purpose)}")
