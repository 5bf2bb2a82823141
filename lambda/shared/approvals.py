"""Approve or reject a version: the approval status in the model registry, and the audit record of who decided and why."""

from typing import Any, Literal

from .clients import ClientProvider
from .records import write_record

type Decision = Literal["Approved", "Rejected"]

_MAX_DESCRIPTION_LENGTH = 1024


def set_approval(
    environment: ClientProvider,
    records_uri: str,
    package: dict[str, Any],
    decision: Decision,
    *,
    by: str,
    reason: str,
    delivery: str | None = None,
) -> str:
    """Set the approval status of a described model package and write `approvals/<time>-v<version>.json`; the record's URI.

    `by` is an IAM ARN or name. `delivery`: id of the delivery pipeline's execution that applies the decision, if one does.
    """
    description = f"{by}: {reason} (delivery {delivery})" if delivery else f"{by}: {reason}"
    environment.client("sagemaker").update_model_package(
        ModelPackageArn=package["ModelPackageArn"],
        ModelApprovalStatus=decision,
        ApprovalDescription=description[:_MAX_DESCRIPTION_LENGTH],
    )
    facts = {"decision": decision, "by": by, "reason": reason}
    if delivery:
        facts["delivery"] = delivery
    return write_record(environment.client("s3"), records_uri, "approvals", package, facts)
