"""Whether everything that AWS knows of a factory's models has its record, and whether all records are verified."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.errors import is_missing
from model_factory.ops.operations.executions import newest_executions
from model_factory.ops.operations.versions import version_in
from model_factory.ops.project import EnvironmentSession, Project, UsageError
from model_factory.ops.records.chain import Entry
from model_factory.ops.records.request import Request, make_report
from model_factory.ops.records.schema import time_of
from model_factory.ops.waiting import wait_for
from model_factory.own_pipeline.synthesis import has_own_pipeline

ENDED = ("Succeeded", "Failed", "Stopped")
DECIDED = ("approval", "rejection")
NOT_OF_OWN_PIPELINES = {"manifest", "report", "evaluation", "sbom"}
"""Evidence that jobs of Model Factory write, and jobs of an own pipeline do not."""


def assert_complete(project: Project) -> None:
    """Fail with the gaps. The last events of a session are on their way: what is missing after two minutes is missing."""
    try:
        wait_for("complete records", lambda: not gaps(project) or None, 120)
    except UsageError:
        found = gaps(project)
        assert not found, "not everything that happened in this session is recorded:\n" + "\n".join(found)


def gaps(project: Project) -> list[str]:
    """Sentences about versions, decisions, trainings and deployments without a record, and about records that are not intact.

    An environment without a records bucket was destroyed, and has none.
    """
    found: list[str] = []
    for environment in project.factory.environments:
        session = project.environment(environment.name)
        if _exists(session):
            found += [f"{environment.name}: {each}" for each in _gaps(session)]
    return found


def _exists(session: EnvironmentSession) -> bool:
    buckets = session.client("s3").list_buckets()["Buckets"]
    return session.names.bucket("records") in {each["Name"] for each in buckets}


def _gaps(session: EnvironmentSession) -> Iterator[str]:
    report = make_report(session, Request(), lambda *_: None)
    for finding in [*report.findings, *(each for chain in report.chains for each in chain.findings)]:
        yield f"{finding.key}: {finding.what}"
    chains = {each.model: each.entries for each in report.chains}
    for model in session.project.models:
        entries = chains.get(model, [])
        yield from version_gaps(session, model, entries)
        yield from _trainings(session, model, entries)
        yield from _deployment(session, model, entries)


def version_gaps(session: EnvironmentSession, model: str, entries: list[Entry]) -> Iterator[str]:
    """Versions without a registration, and decisions about one without a record."""
    sagemaker, group = session.client("sagemaker"), session.names.model(model).model_package_group
    for arn in _packages(sagemaker, group):
        package = sagemaker.describe_model_package(ModelPackageName=arn)
        if not package.get("CustomerMetadataProperties"):
            continue  # registered by a test, not by a pipeline or a promotion
        created: datetime = package["CreationTime"]
        own = [each for each in entries if each.record.get("version") == package["ModelPackageVersion"]]
        registered = [each for each in own if each.record["kind"] == "registration" and _same(each, created)]
        if not registered:
            yield f"{arn} has no record of its registration"
            continue
        expected = NOT_OF_OWN_PIPELINES if has_own_pipeline(session.project.root / "models" / model) else set[str]()
        if missing := set(registered[0].record["facts"].get("missing", ())) - expected:
            yield f"{arn}: its evidence lacks {', '.join(sorted(missing))}"
        status = package["ModelApprovalStatus"]
        if status != registered[0].record["facts"]["ModelApprovalStatus"]:
            decisions = sorted((e for e in own if e.record["kind"] in DECIDED), key=lambda e: e.record["time"])
            if not decisions or decisions[-1].record["facts"].get("decision") != status:
                yield f"{arn} is {status}, and no record says who decided it"


def _trainings(session: EnvironmentSession, model: str, entries: list[Entry]) -> Iterator[str]:
    recorded = {each.record.get("subject") for each in entries if each.record.get("kind") == "training"}
    pipeline = session.names.model(model).training_pipeline
    for execution in newest_executions(session.client("sagemaker"), pipeline):
        arn, status = execution["PipelineExecutionArn"], execution["PipelineExecutionStatus"]
        if status in ENDED and arn not in recorded:
            yield f"{arn} is {status}, and has no record"


def _deployment(session: EnvironmentSession, model: str, entries: list[Entry]) -> Iterator[str]:
    """An endpoint that serves a version whose deployment has no record."""
    sagemaker, endpoint = session.client("sagemaker"), session.names.model(model).endpoint
    try:
        described = sagemaker.describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        if not is_missing(error):
            raise
        return
    version = version_in(described["EndpointConfigName"])
    deployed = {each.record.get("version") for each in entries if each.record.get("kind") == "deployment"}
    if described["EndpointStatus"] == "InService" and version and version not in deployed:
        yield f"{endpoint} serves version {version}, and no deployment of it has a record"


def _packages(sagemaker: Any, group: str) -> list[str]:
    try:
        pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        return [each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]]
    except ClientError as error:
        if not is_missing(error):
            raise
        return []


def _same(entry: Entry, created: datetime) -> bool:
    time = time_of(entry.record)
    return time is not None and abs((time - created).total_seconds()) <= 1
