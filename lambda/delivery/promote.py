"""Give a model the version that the delivery made live in the environment before, instead of training one (`promote: model`)."""

from typing import Any

from belongings import reason_of
from environment import Environment
from outcome import Job
from promotion import Promoted, Refused, Target, promote
from versions import deployed, endpoint_of, label, served, versions


class NothingYet(Exception):
    """The environment before has no approved version yet."""


def bring(job: Job, environment: Environment, model: dict[str, Any]) -> Promoted:
    """Promote. Raises NothingYet, and Refused with the reason in words."""
    before, wanted = Environment(environment.settings, model["promoted_from"]), deployed(environment, model)
    version = _version_of(before, model["model"], wanted["code_digest"])
    target = Target(
        place=environment,
        model_package_group=model["model_package_group"],
        artifacts_uri=model["artifacts_uri"],
        records_uri=model["records_uri"],
        approval_status="Approved" if environment.place["approval"] == "automatic" else "PendingManualApproval",
        image=wanted["image"],
    )
    by, reason = f"delivery {job.execution}", reason_of(job, environment)
    return promote(version, before, before.name, target, by=by, reason=reason)


def _version_of(environment: Environment, name: str, code_digest: str) -> dict[str, Any]:
    """The approved version of this code that the endpoint serves. Raises NothingYet and Refused.

    A later delivery may have passed through meanwhile: then the newest approved version of this code, which the endpoint
    served when this delivery was there.
    """
    model = next((one for one in environment.models() if one["model"] == name), None)
    if model is None:
        raise Refused(f"it is not deployed in {environment.name}, from where it is to be promoted")
    endpoint = endpoint_of(environment, model)
    live = served(environment, endpoint) if endpoint else ""
    if live:
        version = environment.client("sagemaker").describe_model_package(ModelPackageName=live)
        if version["ModelApprovalStatus"] == "Approved" and _is_of(version, code_digest):
            return version
    newest = None
    for version in versions(environment, model):
        if version["ModelApprovalStatus"] == "Approved":
            if _is_of(version, code_digest):
                return version
            newest = newest or version
    if newest is None:
        raise NothingYet
    raise Refused(
        f"{environment.name} has no approved version of the code that this delivery brings, the newest is "
        f"{label(newest)}; approve there what this delivery trained, and deliver again"
    )


def _is_of(version: dict[str, Any], code_digest: str) -> bool:
    return version.get("CustomerMetadataProperties", {}).get("code_digest") == code_digest
