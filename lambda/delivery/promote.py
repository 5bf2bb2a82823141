"""Promote a model's version from the previous environment instead of training one (`promote: model`)."""

from itertools import chain
from typing import Any

from delivery_versions import training_reason
from environment import Environment
from outcome import Job
from shared.endpoints import describe_endpoint
from shared.promotion import Promoted, PromotionError, Target, promote
from versions import deployed_code, list_versions, served_version, version_label


class NoApprovedVersionError(Exception):
    """The previous environment has no approved version yet."""


def promote_model(job: Job, environment: Environment, model: dict[str, Any]) -> Promoted:
    """Promote the version of the deployed code. Raises NoApprovedVersionError, and PromotionError with the reason."""
    source, code = Environment(environment.settings, model["promoted_from"]), deployed_code(environment, model)
    version = _source_version(source, model["model"], code["code_digest"])
    target = Target(
        environment=environment,
        model_package_group=model["model_package_group"],
        artifacts_uri=model["artifacts_uri"],
        recorder=environment.recorder,
        model=model["model"],
        approval_status="Approved" if environment.config.approval == "automatic" else "PendingManualApproval",
        image=code["image"],
    )
    by, reason = f"delivery {job.execution}", training_reason(job, environment)
    evidence = f"s3://{source.bucket('records')}/{model['model']}/evidence"
    return promote(version, source, source.name, target, by=by, reason=reason, evidence_uri=evidence)


def _source_version(environment: Environment, name: str, code_digest: str) -> dict[str, Any]:
    """The approved version of this code that the endpoint serves, else the newest approved version of this code.

    The endpoint serves another code when a later delivery has passed the environment meanwhile; then the newest one of this code
    was live during this delivery. Raises NoApprovedVersionError and PromotionError.
    """
    model = next((each for each in environment.models() if each["model"] == name), None)
    if model is None:
        raise PromotionError(f"it is not deployed in {environment.name}, from where it is to be promoted")
    if (served := _served_version(environment, model)) and _is_approved(served) and _has_code(served, code_digest):
        return served
    approved = (version for version in list_versions(environment, model) if _is_approved(version))
    newest = next(approved, None)
    if newest is None:
        raise NoApprovedVersionError
    for version in chain([newest], approved):
        if _has_code(version, code_digest):
            return version
    raise PromotionError(
        f"{environment.name} has no approved version of the code that this delivery brings, the newest is "
        f"{version_label(newest)}; approve there what this delivery trained, and deliver again"
    )


def _served_version(environment: Environment, model: dict[str, Any]) -> dict[str, Any] | None:
    sagemaker = environment.client("sagemaker")
    endpoint = describe_endpoint(sagemaker, model["endpoint"])
    arn = served_version(environment, endpoint) if endpoint else ""
    return sagemaker.describe_model_package(ModelPackageName=arn) if arn else None


def _is_approved(version: dict[str, Any]) -> bool:
    return version["ModelApprovalStatus"] == "Approved"


def _has_code(version: dict[str, Any], code_digest: str) -> bool:
    return version.get("CustomerMetadataProperties", {}).get("code_digest") == code_digest
