"""What is running where, read from AWS: the live version, its quality, the last training, the alarms."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from model_factory.core.names import ModelNames

from .project import EnvironmentSession
from .retrain import newest_execution


@dataclass(frozen=True)
class ModelStatus:
    """One model in one environment. None where AWS has nothing yet."""

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
        """Plain values for `--json`."""
        return asdict(self) | {"trained": self.trained.isoformat() if self.trained else None}


def model_status(session: EnvironmentSession, model: str) -> ModelStatus:
    """The state of `model` in one environment, from SageMaker and CloudWatch."""
    names, sagemaker = session.names.model(model), session.client("sagemaker")
    endpoint = _or_none(lambda: sagemaker.describe_endpoint(EndpointName=names.endpoint))
    package = live_package(sagemaker, endpoint) if endpoint else None
    execution = _or_none(lambda: newest_execution(sagemaker, names.training_pipeline))
    facts = (package or {}).get("CustomerMetadataProperties", {})
    arn = execution["PipelineExecutionArn"] if execution else None
    return ModelStatus(
        environment=session.environment.name,
        model=model,
        endpoint=endpoint["EndpointStatus"] if endpoint else None,
        version=package.get("ModelPackageVersion") if package else None,
        metric=f"{facts['metric']} {float(facts['metric_value']):.4f}" if "metric_value" in facts else None,
        training=execution["PipelineExecutionStatus"] if execution else None,
        training_reason=_failure(sagemaker, arn) if arn else None,
        trained=execution["StartTime"] if execution else None,
        trigger=_trigger(sagemaker, arn) if arn else None,
        alarms=_alarms(session.client("cloudwatch"), names),
    )


def live_package(sagemaker: Any, endpoint: dict[str, Any]) -> dict[str, Any] | None:
    """The model package behind the endpoint's first variant; None when the model was not made from one."""
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    container = model.get("PrimaryContainer") or next(iter(model.get("Containers", [])), {})
    package = container.get("ModelPackageName")
    return sagemaker.describe_model_package(ModelPackageName=package) if package else None


def _or_none[T](call: Callable[[], T]) -> T | None:
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ValidationException", "ResourceNotFound"):
            return None
        raise


def _failure(sagemaker: Any, execution_arn: str) -> str | None:
    return sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn).get("FailureReason")


def _trigger(sagemaker: Any, execution_arn: str) -> str | None:
    answer = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution_arn)
    return next((p["Value"] for p in answer["PipelineParameters"] if p["Name"] == "Trigger"), None)


def _alarms(cloudwatch: Any, names: ModelNames) -> list[str]:
    """The parts of the alarm names (drift, data-violations …) that are in ALARM."""
    start = f"{names.prefix}-"
    answer = cloudwatch.describe_alarms(AlarmNamePrefix=start, StateValue="ALARM")
    return [alarm["AlarmName"].removeprefix(start) for alarm in answer["MetricAlarms"]]
