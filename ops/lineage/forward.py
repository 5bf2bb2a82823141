"""From an object forward: the trainings that read it, the versions that they made, the endpoints that served or serve those, and
the runs that scored it.

SageMaker's own batch transform jobs of people are not among the factory's records.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.chain import (
    SCORED_BY,
    index_prefix,
    lineage_prefix,
    read_index_key,
    read_lineage_key,
)
from model_factory.functions.shared.errors import is_missing

from ..operations.facts import read_settings
from ..operations.versions import version_in
from ..project import EnvironmentSession, UsageError
from .links import Link, known

SERVING = ("InService", "Updating", "RollingBack", "SystemUpdating")
"""Statuses in which an endpoint answers."""


_VERSION_ID = re.compile(r"[A-Za-z0-9._-]{32,}|null")
"""S3's own ids have 32 characters; `null` is that of an object from before versioning."""


class NotDeployedError(UsageError):
    """An environment of factory.yaml has no records bucket."""


@dataclass(frozen=True)
class Reading:
    """A training that read a version of the object; `version` is the version of the model that it made, None without one.

    Of a run that scored the object, `version` is the one that did.
    """

    model: str
    object_version: str
    execution: str
    version: int | None

    @property
    def scored_by(self) -> str:
        """Id of the run that scored the object; empty for a training."""
        return self.execution.removeprefix(SCORED_BY) if self.execution.startswith(SCORED_BY) else ""


def split_reference(reference: str) -> tuple[str, str]:
    """URI and version id of `s3://bucket/key@version` or `s3://bucket/key?versionId=version`; no version id: all versions.

    A key may have an `@` itself: what follows the last one is a version id if it has the form of S3's ids. Raises UsageError.
    """
    uri, version = reference, ""
    for separator in ("?versionId=", "@"):
        before, found, after = reference.rpartition(separator)
        if found and _VERSION_ID.fullmatch(after):
            uri, version = before, after
            break
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key:
        raise UsageError(
            f"{reference!r} is no object; write s3://BUCKET/KEY, or s3://BUCKET/KEY@VERSION for one version"
        )
    return uri, version


def forward(sessions: Iterable[EnvironmentSession], uri: str, version_id: str = "") -> list[Link]:
    """What was made from an object, by environment: one link with the readings below, for each environment that has some.

    An environment that is not deployed has a link that says so. Raises NotDeployedError when none is. One list of the
    markers for each environment; for each model one of its versions, one of the markers of its deployments, and one
    description of its endpoint.
    """
    found: list[Link] = []
    missing: list[NotDeployedError] = []
    for session in (searched := list(sessions)):
        try:
            found_here = readings(session, uri, version_id)
        except NotDeployedError as error:
            missing.append(error)
            found.append(Link("environment", session.environment.name, facts={"state": "not deployed"}))
            continue
        if found_here:
            link = Link(
                "object",
                f"{uri} in {session.environment.name}",
                f"{uri}{f'?versionId={version_id}' * bool(version_id)}",
            )
            deployed = read_settings(session)
            for model in sorted({each.model for each in found_here}):
                own = [each for each in found_here if each.model == model]
                link.below += _model(session, model, own, deployed=model in deployed)
            found.append(link)
    if missing and len(missing) == len(searched):
        raise missing[0]
    return found


def to_train_again(links: Iterable[Link]) -> list[str]:
    """Versions that are live: their models have to be trained without the object if it must be forgotten."""
    return [each.name for link in links for each in link.walk() if each.kind == "version" and "served by" in each.facts]


def to_reject(links: Iterable[Link]) -> list[str]:
    """Other versions that a roll-back could deploy, because they are approved."""
    versions = [
        each for link in links for each in link.walk() if each.kind == "version" and "served by" not in each.facts
    ]
    return [each.name for each in versions if each.facts.get("status") == "Approved"]


def readings(session: EnvironmentSession, uri: str, version_id: str = "") -> list[Reading]:
    """The trainings of an environment that read an object, by its markers: one list. Raises NotDeployedError."""
    pages = session.client("s3").get_paginator("list_objects_v2")
    bucket = session.names.bucket("records")
    listed = pages.paginate(Bucket=bucket, Prefix=lineage_prefix(uri, version_id))
    try:
        keys = [entry["Key"] for page in listed for entry in page.get("Contents", [])]
    except session.client("s3").exceptions.NoSuchBucket:
        raise NotDeployedError(f"{session.environment.name} is not deployed: there is no bucket {bucket}") from None
    found: list[Reading] = []
    for key in keys:
        try:
            object_version, model, execution, version = read_lineage_key(key)
        except ValueError:
            continue  # the audit names it
        found.append(Reading(model, object_version, execution, version))
    return sorted(found, key=lambda each: (each.model, each.version or 0, each.execution))


def _model(session: EnvironmentSession, model: str, own: Sequence[Reading], *, deployed: bool) -> list[Link]:
    sagemaker, names = session.client("sagemaker"), session.names.model(model)
    registered = _registered(sagemaker, names.model_package_group)
    live, deployments = _live(sagemaker, names.endpoint), _deployments(session, model)
    links: list[Link] = []
    for each in own:
        facts = known(object_version=each.object_version, execution=each.scored_by or each.execution)
        if each.scored_by:
            where = f"s3://{session.names.bucket('data')}/{model}/predictions/"
            by = f" by v{each.version}" if each.version else ""
            links.append(Link("predictions", f"{model}: predictions{by} in {session.environment.name}", where, facts))
            continue
        if each.version is None:
            links.append(
                Link("training", f"{model}: no version", each.execution, facts | {"outcome": "failed or rejected"})
            )
            continue
        link = Link(
            "version", f"{model} v{each.version} in {session.environment.name}", registered.get(each.version, ("",))[0]
        )
        times = deployments.get(each.version, [])
        link.facts = facts | known(deployments=len(times) or None, last_deployment=max(times, default=None))
        if each.version in registered:
            link.facts |= known(
                status=registered[each.version][1], served_by=names.endpoint if each.version == live else None
            )
        else:
            link.problem = "the registry has no such version any more"
        links.append(link)
    if not deployed:
        links.append(Link("model", model, "", {"state": f"not deployed in {session.environment.name} any more"}))
    return links


def _deployments(session: EnvironmentSession, model: str) -> dict[int, list[datetime]]:
    """Times of the recorded deployments of each version, whatever their outcome, by the markers of their records."""
    pages = session.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=session.names.bucket("records"), Prefix=index_prefix(model, "deployment"))
    found: dict[int, list[datetime]] = {}
    for entry in (entry for page in listed for entry in page.get("Contents", [])):
        try:
            time, version, _ = read_index_key(entry["Key"])
        except ValueError:
            continue  # the audit names it
        found.setdefault(version, []).append(time)
    return found


def _registered(sagemaker: Any, group: str) -> dict[int, tuple[str, str]]:
    """ARN and approval status of every version of a group, by number."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, PaginationConfig={"PageSize": 100}
    )
    try:
        found = [each for page in pages for each in page["ModelPackageSummaryList"]]
    except ClientError as error:
        if not is_missing(error):
            raise
        return {}
    return {each["ModelPackageVersion"]: (each["ModelPackageArn"], each["ModelApprovalStatus"]) for each in found}


def _live(sagemaker: Any, endpoint: str) -> int | None:
    try:
        described = sagemaker.describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        if not is_missing(error):
            raise
        return None
    return version_in(described["EndpointConfigName"]) if described["EndpointStatus"] in SERVING else None
