"""CloudWatch metrics of a model: its own, those of its pipelines and those of its endpoint."""

from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch

from ..core.names import METRIC_NAMESPACE, VARIANT, ModelNames


def model_metric(names: ModelNames, metric_name: str, **options: Any) -> cloudwatch.Metric:
    """A metric that the jobs and functions of the factory publish for a model.

    Args:
        names: Names of the model.
        metric_name: Such as DriftedFeatures or RetrainStarted.
        options: Properties of `cloudwatch.MetricOptions`, such as period. Default: statistic Maximum.
    """
    dimensions = {"Environment": names.environment.environment, "Model": names.model}
    return _metric(METRIC_NAMESPACE, metric_name, dimensions, "Maximum", options)


def pipeline_metric(pipeline_name: str, metric_name: str, **options: Any) -> cloudwatch.Metric:
    """A metric that SageMaker publishes for a pipeline.

    Args:
        pipeline_name: Name of the pipeline.
        metric_name: Such as ExecutionFailed.
        options: Properties of `cloudwatch.MetricOptions`, such as period. Default: statistic Sum.
    """
    # The namespace is spelled as SageMaker spells it.
    namespace = "AWS/Sagemaker/ModelBuildingPipeline"
    return _metric(namespace, metric_name, {"PipelineName": pipeline_name}, "Sum", options)


def endpoint_metric(
    endpoint_name: str, metric_name: str, *, variant: str = VARIANT, **options: Any
) -> cloudwatch.Metric:
    """A metric that SageMaker publishes for the variant of an endpoint.

    Args:
        endpoint_name: Name of the endpoint.
        metric_name: Such as Invocations or ModelLatency.
        variant: Name of the variant. Default: that of the live version.
        options: Properties of `cloudwatch.MetricOptions`, such as period. Default: statistic Sum.
    """
    dimensions = {"EndpointName": endpoint_name, "VariantName": variant}
    return _metric("AWS/SageMaker", metric_name, dimensions, "Sum", options)


def _metric(
    namespace: str, metric_name: str, dimensions: dict[str, str], statistic: str, options: dict[str, Any]
) -> cloudwatch.Metric:
    given: dict[str, Any] = {"dimensions_map": dimensions, "statistic": statistic} | options
    return cloudwatch.Metric(namespace=namespace, metric_name=metric_name, **given)
