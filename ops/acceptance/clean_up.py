"""Removes everything of the throw-away model but its stack: executions, versions, endpoint, data, artifacts."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from model_factory.functions.shared.endpoints import CHANGING, describe_endpoint, name_stem, scalable_target

from ..operations.reader import Reader
from ..project import EnvironmentSession, UsageError
from ..waiting import wait_for
from ..wording import counted

STOP_SECONDS = 15 * 60
CHANGE_SECONDS = 2 * 3600
RUNNING = ("Executing", "Stopping")
OBJECTS_PER_REQUEST = 1000
"""The limit of DeleteObjects."""


def clean_up(session: EnvironmentSession, model: str) -> str:
    """Remove what a run has made; safe to repeat. Returns what was removed and what remains.

    Executions end first, so that none registers a version later. Versions go before the endpoint, so that a late message
    finds none to deploy. Raises UsageError with everything that could not be removed.
    """
    removal = _Removal(session, model)
    removed: list[str] = []
    failures: list[str] = []
    for part in (removal.executions, removal.versions, removal.endpoint, removal.configurations, removal.objects):
        try:
            if what := part():
                removed.append(what)
        except (UsageError, ClientError, BotoCoreError) as error:
            failures.append(f"{part.__name__}: {error}")
    if failures:
        raise UsageError("; ".join(failures))
    records = f"s3://{session.names.bucket('records')}/{model}/"
    return f"removed {', '.join(removed) or 'nothing'}; kept: audit records in {records}, executions, logs, metrics"


class _Removal:
    def __init__(self, session: EnvironmentSession, model: str) -> None:
        self.session, self.model = session, model
        self.names = session.names.model(model)
        self.sagemaker = session.client("sagemaker")

    def executions(self) -> str:
        """Stop executions of both pipelines, and wait until they have ended."""
        reader = Reader(self.session, self.model)
        running = [arn for which in ("train", "monitor") for arn in self._running(reader.pipeline(which))]
        for arn in running:
            with suppress(ClientError):  # it has ended meanwhile
                self.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=uuid.uuid4().hex)
        for arn in running:
            wait_for(f"the end of {arn}", lambda arn=arn: None if self._runs(arn) else True, STOP_SECONDS)
        return _count(len(running), "execution")

    def versions(self) -> str:
        """Delete every version."""
        arns = list(
            _listed(
                self.sagemaker,
                "list_model_packages",
                "ModelPackageSummaryList",
                "ModelPackageArn",
                ModelPackageGroupName=self.names.model_package_group,
            )
        )
        for arn in arns:
            self.sagemaker.delete_model_package(ModelPackageName=arn)
        return _count(len(arns), "version")

    def endpoint(self) -> str:
        """Delete the scalable target and the endpoint; SageMaker refuses that while it changes the endpoint."""
        name = self.names.endpoint
        with suppress(ClientError):  # there is none
            self.session.client("application-autoscaling").deregister_scalable_target(**scalable_target(name))
        if describe_endpoint(self.sagemaker, name) is None:
            return ""

        def stable() -> bool | None:
            endpoint = describe_endpoint(self.sagemaker, name)
            return None if endpoint and endpoint["EndpointStatus"] in CHANGING else True

        wait_for(f"the end of the change of endpoint {name}", stable, CHANGE_SECONDS)
        if describe_endpoint(self.sagemaker, name):
            self.sagemaker.delete_endpoint(EndpointName=name)
        wait_for(
            f"the deletion of endpoint {name}",
            lambda: True if describe_endpoint(self.sagemaker, name) is None else None,
            STOP_SECONDS,
        )
        return f"endpoint {name}"

    def configurations(self) -> str:
        """Delete the endpoint's configurations and models, by the names that the deploy function gives them."""
        deleted = self._delete_named(
            "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", self.sagemaker.delete_endpoint_config
        )
        models = self._delete_named("list_models", "Models", "ModelName", self.sagemaker.delete_model)
        return ", ".join(filter(None, (_count(deleted, "endpoint configuration"), _count(models, "model"))))

    def objects(self) -> str:
        """Delete every version of every object below the model's prefix in the buckets of data and of artifacts."""
        s3, count = self.session.client("s3"), 0
        for purpose in ("data", "artifacts"):
            bucket = self.session.names.bucket(purpose)
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=f"{self.model}/"):
                entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                keys = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in entries]
                for start in range(0, len(keys), OBJECTS_PER_REQUEST):
                    batch = keys[start : start + OBJECTS_PER_REQUEST]
                    response = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
                    if errors := response.get("Errors"):
                        raise UsageError(f"s3://{bucket}/{errors[0]['Key']}: {errors[0]['Message']}")
                count += len(keys)
        return _count(count, "object")

    def _running(self, pipeline: str) -> list[str]:
        pages = self.sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=pipeline)
        summaries = [each for page in pages for each in page["PipelineExecutionSummaries"]]
        return [each["PipelineExecutionArn"] for each in summaries if each["PipelineExecutionStatus"] in RUNNING]

    def _runs(self, arn: str) -> bool:
        status = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        return status in RUNNING

    def _delete_named(self, operation: str, collection: str, key: str, delete: Callable[..., Any]) -> int:
        stem = f"{name_stem(self.names.endpoint)}-v"
        pattern = re.compile(rf"{re.escape(stem)}\d+(-[0-9a-f]{{8}})?")
        names = [
            n for n in _listed(self.sagemaker, operation, collection, key, NameContains=stem) if pattern.fullmatch(n)
        ]
        for name in names:
            delete(**{key: name})
        return len(names)


def _listed(client: Any, operation: str, collection: str, key: str, **request: str) -> Iterator[str]:
    for page in client.get_paginator(operation).paginate(**request):
        yield from [each[key] for each in page[collection]]


def _count(number: int, noun: str) -> str:
    """`2 versions`; empty for none."""
    return counted(number, noun) if number else ""
