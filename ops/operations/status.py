"""State of a model in one environment, read from SageMaker and CloudWatch."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from model_factory.core.names import ModelNames

from ..project import EnvironmentSession
from .executions import execution_trigger, newest_execution


@dataclass(frozen=True)
class ModelStatus:
    """One model in one environment. A value is None when AWS has no such resource yet.

    `training` is the status of the newest training, `trained` its start, `alarms` are those in ALARM, without their prefix,
    and `monitor-missed` where checks have not reported.
    """

    environment: str
    model: str
    endpoint: str | None
    version: int | None
    metric: str | None
    training: str | None
    training_reason: str | None
    trained: datetime | None
    trigger: str | None
    alarms: list[str]

    def to_json(self) -> dict[str, Any]:
        """Values that `json.dumps` accepts."""
        return asdict(self) | {"trained": self.trained.isoformat() if self.trained else None}


def model_status(session: EnvironmentSession, model: str) -> ModelStatus:
    """The state of `model` in one environment."""
    names, sagemaker = session.names.model(model), session.client("sagemaker")
    endpoint = _none_if_missing(lambda: sagemaker.describe_endpoint(EndpointName=names.endpoint))
    package = live_package(sagemaker, endpoint) if endpoint else None
    execution = _none_if_missing(lambda: newest_execution(sagemaker, names.training_pipeline))
    metadata = (package or {}).get("CustomerMetadataProperties", {})
    arn = execution["PipelineExecutionArn"] if execution else None
    return ModelStatus(
        environment=session.environment.name,
        model=model,
        endpoint=endpoint["EndpointStatus"] if endpoint else None,
        version=package.get("ModelPackageVersion") if package else None,
        metric=gate_metric(metadata),
        training=execution["PipelineExecutionStatus"] if execution else None,
        training_reason=_failure_reason(sagemaker, arn) if arn else None,
        trained=execution["StartTime"] if execution else None,
        trigger=execution_trigger(sagemaker, arn) if arn else None,
        alarms=_alarms(session.client("cloudwatch"), names, endpoint),
    )


def gate_metric(metadata: dict[str, str]) -> str | None:
    """Metric that the gate compared, from a model package's metadata: `auc 0.9056`. None when it has none."""
    return f"{metadata['metric']} {float(metadata['metric_value']):.4f}" if "metric_value" in metadata else None


def live_package(sagemaker: Any, endpoint: dict[str, Any]) -> dict[str, Any] | None:
    """Model package of the first variant of a described endpoint; None when its model was not created from one."""
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    container = model.get("PrimaryContainer") or next(iter(model.get("Containers", [])), {})
    package = container.get("ModelPackageName")
    return sagemaker.describe_model_package(ModelPackageName=package) if package else None


def _none_if_missing[T](call: Callable[[], T]) -> T | None:
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ValidationException", "ResourceNotFound"):
            return None
        raise


def _failure_reason(sagemaker: Any, execution_arn: str) -> str | None:
    return sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn).get("FailureReason")


def _alarms(cloudwatch: Any, names: ModelNames, endpoint: dict[str, Any] | None) -> list[str]:
    """Purposes (drift, data-violations …) of the model's alarms that call for somebody."""
    prefix = f"{names.prefix}-"
    found = cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    missed = names.alarm("monitor-missed")
    return [
        alarm["AlarmName"].removeprefix(prefix)
        for alarm in found
        if alarm["StateValue"] == "ALARM" or (alarm["AlarmName"] == missed and _without_checks(alarm, endpoint))
    ]


def _without_checks(alarm: dict[str, Any], endpoint: dict[str, Any] | None) -> bool:
    """Whether checks are missing: the alarm has no data although the endpoint is older than what it evaluates."""
    if endpoint is None or alarm["StateValue"] != "INSUFFICIENT_DATA":
        return False
    # CloudWatch evaluates a few periods more than EvaluationPeriods.
    evaluated = timedelta(seconds=alarm["Period"] * (alarm["EvaluationPeriods"] + 2))
    return endpoint["CreationTime"] < datetime.now(UTC) - evaluated
