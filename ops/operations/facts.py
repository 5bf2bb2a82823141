"""What AWS says about the models of an environment: settings, alarms, endpoints, versions, trainings and records.

Read with two paginated calls for the environment, and at most seven calls for each model.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.chain import index_prefix, read_index_key, record_key
from model_factory.functions.shared.endpoints import BACKLOG_ALARM, describe_endpoint
from model_factory.functions.shared.errors import is_missing

from ..project import EnvironmentSession
from .executions import newest_executions
from .versions import live_package, version_in

PARALLEL = 8
"""Models that are read at a time. SageMaker throttles; the clients then wait and repeat the call."""
NEWEST_VERSIONS = 100
RECENT = timedelta(days=35)
"""Markers of records of deployments are named by time. Of a model that is deployed every night, the newest is among these."""
_DEPLOYMENT = "deployment"
SERVICES = ("sagemaker", "s3", "cloudwatch", "ssm")


@dataclass(frozen=True)
class ModelFacts:
    """One model in one environment, as AWS describes it.

    Args:
        environment: Name of the environment.
        model: Name of the model.
        prefix: `<factory>-<environment>-<model>`, the prefix of the names of its resources.
        in_repository: Whether the repository has the model.
        settings: Content of its settings parameter; None when the environment has no such model.
        alarms: Its alarms, as DescribeAlarms has them.
        endpoint: DescribeEndpoint; None without an endpoint.
        live: Described model package of the endpoint; None without one.
        versions: The newest versions, newest first, as ListModelPackages has them.
        executions: The newest executions of the training pipeline, newest first, as ListPipelineExecutions has them.
        deployment: Record of the last deployment that ended; None without one.
    """

    environment: str
    model: str
    prefix: str
    in_repository: bool = True
    settings: Mapping[str, Any] | None = None
    alarms: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    endpoint: dict[str, Any] | None = None
    live: dict[str, Any] | None = None
    versions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    executions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    deployment: dict[str, Any] | None = None

    @property
    def is_batch(self) -> bool:
        """Whether files are scored by the newest approved version, without an endpoint."""
        return (self.settings or {}).get("serving", {}).get("mode") == "batch"

    @property
    def is_scaling(self) -> bool:
        """Whether only the number of instances changes: the endpoint serves, or its requests wait in its queue."""
        endpoint = self.endpoint or {}
        variants: list[dict[str, Any]] = endpoint.get("ProductionVariants", [])
        counts = ((each.get("CurrentInstanceCount"), each.get("DesiredInstanceCount")) for each in variants)
        is_other = any(current != desired for current, desired in counts)
        return endpoint.get("EndpointStatus") == "Updating" and is_other and "PendingDeploymentSummary" not in endpoint


def read_environment(session: EnvironmentSession, only: Collection[str] = ()) -> list[ModelFacts]:
    """The models of the repository and those that are deployed, by name; `only`: these models. Raises ClientError."""
    for service in SERVICES:  # the threads below share the clients
        session.client(service)
    deployed, repository = read_settings(session), set(session.project.models)
    alarms = by_model(_alarms(session), {*deployed, *repository}, session.names.prefix)

    def read(model: str) -> ModelFacts:
        settings = deployed.get(model)
        more = _read_model(session, model, settings) if settings else {}
        return ModelFacts(
            environment=session.environment.name,
            model=model,
            prefix=session.names.model(model).prefix,
            in_repository=model in repository,
            settings=settings,
            alarms=alarms.get(model, []),
            **more,
        )

    names = sorted({*deployed, *repository} & set(only) if only else {*deployed, *repository})
    with ThreadPoolExecutor(PARALLEL) as threads:
        return list(threads.map(read, names))


def read_settings(session: EnvironmentSession) -> dict[str, dict[str, Any]]:
    """The settings of every model that is deployed in the environment, by name."""
    pages = session.client("ssm").get_paginator("get_parameters_by_path")
    path = session.names.models_parameter_prefix.rstrip("/")
    found = [each for page in pages.paginate(Path=path) for each in page["Parameters"]]
    return {each["Name"].rpartition("/")[2]: json.loads(each["Value"]) for each in found}


def by_model(alarms: Iterable[dict[str, Any]], models: Iterable[str], prefix: str) -> dict[str, list[dict[str, Any]]]:
    """Alarms `<prefix>-<model>-<purpose>` by model; of `churn` and `churn-eu`, the longest name that fits has the alarm."""
    longest_first: list[str] = sorted(models, key=len, reverse=True)
    found: dict[str, list[dict[str, Any]]] = {}
    for alarm in alarms:
        for model in longest_first:
            if alarm["AlarmName"].startswith(f"{prefix}-{model}-"):
                found.setdefault(model, []).append(alarm)
                break
    return found


def newest_deployment(s3: Any, bucket: str, model: str, now: datetime | None = None) -> dict[str, Any] | None:
    """The record of the model's last deployment, as the recorder wrote it; None before the first one has ended."""
    found = markers(s3, bucket, model, now) or _keys(s3, bucket, index_prefix(model, _DEPLOYMENT))
    return marked(s3, bucket, model, found[-1]) if found else None


def markers(s3: Any, bucket: str, model: str, now: datetime | None = None) -> list[str]:
    """Markers of the records of the model's deployments in the last 35 days, oldest first."""
    prefix = index_prefix(model, _DEPLOYMENT)
    since = (now or datetime.now(UTC)) - RECENT
    return _keys(s3, bucket, prefix, StartAfter=f"{prefix}{since:%Y%m%dT%H%M%SZ}")


def marked(s3: Any, bucket: str, model: str, marker: str) -> dict[str, Any]:
    """The record that a marker is of. `model-factory audit` verifies records; this only reads one."""
    key = record_key(model, read_index_key(marker)[2])
    return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def _read_model(session: EnvironmentSession, model: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    sagemaker, names = session.client("sagemaker"), session.names.model(model)
    endpoint = describe_endpoint(sagemaker, settings["endpoint"])
    versions = _versions(sagemaker, settings["model_package_group"])
    return {
        "endpoint": endpoint,
        "live": _scoring_package(sagemaker, versions)
        if settings.get("serving", {}).get("mode") == "batch"
        else _live_package(session, settings, endpoint)
        if endpoint
        else None,
        "versions": versions,
        "executions": newest_executions(sagemaker, names.training_pipeline),
        "deployment": newest_deployment(session.client("s3"), session.names.bucket("records"), model),
    }


def _live_package(
    session: EnvironmentSession, settings: Mapping[str, Any], endpoint: dict[str, Any]
) -> dict[str, Any] | None:
    """The model package of the endpoint; None when it was deleted, or the endpoint's model was not made from one."""
    sagemaker, number = session.client("sagemaker"), version_in(endpoint["EndpointConfigName"])
    try:
        if number is None:  # it was not lambda/deploy that made the configuration
            return live_package(sagemaker, endpoint)
        arn = session.names.arn("sagemaker", f"model-package/{settings['model_package_group']}/{number}")
        return sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if not is_missing(error):
            raise
        return None


def _scoring_package(sagemaker: Any, versions: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The model package that scores files, the newest approved one of summaries with the newest first; None without one."""
    arn = next((each["ModelPackageArn"] for each in versions if each["ModelApprovalStatus"] == "Approved"), None)
    return sagemaker.describe_model_package(ModelPackageName=arn) if arn else None


def _versions(sagemaker: Any, group: str) -> list[dict[str, Any]]:
    try:
        found = sagemaker.list_model_packages(
            ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", MaxResults=NEWEST_VERSIONS
        )["ModelPackageSummaryList"]
    except ClientError as error:
        if not is_missing(error):
            raise
        return []
    return sorted(found, key=lambda each: each["ModelPackageVersion"], reverse=True)


def _alarms(session: EnvironmentSession) -> list[dict[str, Any]]:
    pages = session.client("cloudwatch").get_paginator("describe_alarms")
    found = pages.paginate(AlarmNamePrefix=f"{session.names.prefix}-")
    alarms = (alarm for page in found for alarm in page["MetricAlarms"])
    # By this one an asynchronous endpoint gets its first instance: nobody has to do anything.
    return [alarm for alarm in alarms if not alarm["AlarmName"].endswith(BACKLOG_ALARM)]


def _keys(s3: Any, bucket: str, prefix: str, **options: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **options)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]
