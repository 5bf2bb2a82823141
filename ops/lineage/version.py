"""A version and what it was made from: artifact, approval, promotion, training, data; across accounts where it was promoted."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.approvals import status_set_by
from model_factory.functions.shared.errors import is_missing

from ..operations.versions import gate_metric
from ..project import EnvironmentSession, Project
from ..records.schema import time_of
from . import objects
from .links import Link, known
from .recorded import Recorded, by, registration_link
from .training import execution, kept_jobs


def version(session: EnvironmentSession, model: str, number: int) -> Link:
    """Lineage of a version in one environment. The calls are as many whatever versions there are besides. Raises ClientError."""
    group = session.names.model(model).model_package_group
    return package(session, model, session.names.arn("sagemaker", f"model-package/{group}/{number}"))


def package(session: EnvironmentSession, model: str, arn: str) -> Link:
    """Lineage of the version with this ARN in the environment of `session`."""
    number = arn.rpartition("/")[2]
    link = Link("version", f"{model} v{number} in {session.environment.name}", arn)
    described, recorded = _described(session, arn), Recorded.of(session, model, int(number))
    if described is None:
        link.problem = "the registry has no such version any more"
        if not recorded.package:
            return link
    # What the registry has is compared with the record below; what it no longer has is taken from there.
    found: Mapping[str, Any] = described or recorded.package
    metadata: dict[str, str] = found.get("CustomerMetadataProperties") or {}
    registered = _registered(found, recorded)
    link.facts = known(
        registered=registered,
        metric=gate_metric(metadata),
        trigger=metadata.get("trigger"),
        why=found.get("ModelPackageDescription"),
        seed=metadata.get("seed"),
    )
    container = (found.get("InferenceSpecification") or {}).get("Containers", [{}])[0]
    s3 = session.client("s3")
    link.below = [
        objects.artifact(s3, container.get("ModelDataUrl", ""), metadata.get("artifact_digest")),
        Link("image", container.get("Image", "none"), "", known(digest=container.get("ImageDigest"))),
        _approval(found, recorded),
        registration_link(recorded, described),
    ]
    if origin := metadata.get("origin"):
        source = _origin(session.project, model, origin)
        link.below.append(source)
        if source.problem:  # what the promotion brought with it
            link.below += [*kept_jobs(recorded), objects.data(s3, metadata, recorded)]
        return link
    link.below.append(execution(recorded, metadata.get("pipeline_execution", ""), registered, metadata))
    link.below.append(objects.data(s3, metadata, recorded))
    return link


def _described(session: EnvironmentSession, arn: str) -> dict[str, Any] | None:
    try:
        return session.client("sagemaker").describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if not is_missing(error):
            raise
        return None


def _registered(found: Mapping[str, Any], recorded: Recorded) -> datetime:
    """When the version was registered; of a version that the registry no longer has, by its record."""
    created: Any = found.get("CreationTime")
    if isinstance(created, datetime):
        return created
    return (time_of(recorded.registration.record) if recorded.registration else None) or datetime.now(UTC)


def _approval(found: Mapping[str, Any], recorded: Recorded) -> Link:
    status, decision = found["ModelApprovalStatus"], recorded.decision
    link = Link("approval", status)
    link.facts = known(
        by=status_set_by(dict(found)),
        reason=found.get("ApprovalDescription"),
    )
    if decision is None:
        return link
    facts: dict[str, Any] = decision.record.get("facts") or {}
    link.id = f"s3://{recorded.session.names.bucket('records')}/{decision.key}"
    link.facts |= known(
        recorded=facts.get("decision"),
        recorded_by=by(decision),
        time=decision.record.get("time"),
        why=facts.get("reason"),
    )
    link.problem = decision.problem or ""
    return link


def _origin(project: Project, model: str, arn: str) -> Link:
    """The version that this one was promoted from, in the account of its environment."""
    for environment in project.factory.environments:
        names = project.factory.names(environment)
        group = names.model(model).model_package_group
        if arn.startswith(names.arn("sagemaker", f"model-package/{group}/")):
            return package(project.environment(environment.name), model, arn)
    link = Link("version", arn.rpartition("model-package/")[2], arn)
    link.problem = "the version was promoted from an environment that factory.yaml does not have"
    return link
