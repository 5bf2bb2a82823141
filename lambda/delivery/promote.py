"""Give a model the version that is live in the environment before it, instead of training one (`promote: model`)."""

from typing import Any

from belongings import reason_of
from environment import Environment
from outcome import Job
from promotion import Promoted, Refused, Target, promote
from versions import deployed, endpoint_of, label, newest, served


class NothingYet(Exception):
    """The environment before has not made a version yet."""


def bring(job: Job, environment: Environment, model: dict[str, Any]) -> Promoted:
    """Promote. Raises NothingYet, and Refused with the reason in words."""
    before = Environment(environment.settings, model["promoted_from"])
    wanted = deployed(environment, model)
    version = _live_version(before, model["model"])
    made_of = version.get("CustomerMetadataProperties", {}).get("code_digest")
    if made_of != wanted["code_digest"]:
        raise Refused(
            f"{before.name} serves {label(version)}, which is not of the code that this delivery brings; approve there "
            "what this delivery trained, and deliver again"
        )
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


def _live_version(environment: Environment, name: str) -> dict[str, Any]:
    """The approved version that the endpoint serves. Raises NothingYet and Refused."""
    model = next((one for one in environment.models() if one["model"] == name), None)
    if model is None:
        raise Refused(f"it is not deployed in {environment.name}, from where it is to be promoted")
    endpoint = endpoint_of(environment, model)
    arn = served(environment, endpoint) if endpoint else ""
    if not arn:
        if newest(environment, model, "Approved") is None:
            raise NothingYet
        raise Refused(f"{environment.name} serves no version of it, so there is none to be promoted")
    version = environment.client("sagemaker").describe_model_package(ModelPackageName=arn)
    if version["ModelApprovalStatus"] != "Approved":
        raise Refused(f"{environment.name} serves {label(version)}, which is {version['ModelApprovalStatus']} there")
    return version
