"""Deployments that a person asks for: redeploy, roll back, and what became of them.

lambda/deploy carries them out, with the guardrails and the record of every other deployment (docs/reference/contracts.md).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from model_factory.functions.shared.approvals import set_approval
from model_factory.functions.shared.endpoints import CHANGING, deployment_seconds, describe_endpoint
from model_factory.functions.shared.records import RecorderQueue

from ..project import EnvironmentSession, UsageError
from ..waiting import pause
from .facts import marked, markers
from .trigger import require_deployed, send_manual_trigger
from .versions import list_versions, version_in

BEGIN_SECONDS = 600
"""Longest wait for a deployment to begin: the queue's retries take some minutes."""
UNCHANGED_SECONDS = 30
"""Wait for a deployment of the version that is live already: it begins only if the settings have changed."""


@dataclass(frozen=True)
class Requested:
    """A deployment that was asked for.

    Args:
        model: Name of the model.
        endpoint: Name of its endpoint.
        version: The version to be deployed.
        live: The version that the endpoint served before; None without one.
        records: Markers of the records of deployments before.
        timeout_seconds: Longest time that SageMaker may take for it.
    """

    model: str
    endpoint: str
    version: int
    live: int | None
    records: frozenset[str]
    timeout_seconds: float


@dataclass(frozen=True)
class Ended:
    """What became of a deployment.

    `outcome`: `succeeded`, `rolled back`, `failed`, `on trial` against the live version, or `unchanged` when there was nothing to
    deploy. `record`: its id.
    """

    outcome: str
    version: int
    reason: str = ""
    live: int | None = None
    record: str | None = None


class NotEndedError(UsageError):
    """The deployment has not begun or not ended in time."""


def redeploy(session: EnvironmentSession, model: str, reason: str, *, without_trial: bool = False) -> Requested:
    """Ask for a deployment of the newest approved version, whatever became of the last one. Raises UsageError.

    `without_trial`: it becomes live without a trial against the live version (`serving.challenger`), or its trial ends.
    """
    requested = _request(session, model, None)
    version = requested.version if without_trial else None
    send_manual_trigger(session, "deploy", model, reason, version=version, by=session.caller_arn)
    return requested


def rollback(
    session: EnvironmentSession, model: str, to: int | None, reason: str, log: Callable[[str], None]
) -> Requested:
    """Reject the approved versions that are newer than `to`, then ask for its deployment. Raises UsageError.

    `to`: an approved version; default: the newest approved one before the live one. Each rejection has its record. The newest is
    rejected last, so that no version between is deployed. What failed half way is completed by calling this again.
    """
    approved = sorted(each["ModelPackageVersion"] for each in _approved(session, model))
    requested = _request(session, model, _rollback_target(session, model, to, approved))
    by, queue = session.caller_arn, RecorderQueue.of(session, session.names.prefix)
    group = session.names.model(model).model_package_group
    for number in (each for each in approved if each > requested.version):
        arn = session.names.arn("sagemaker", f"model-package/{group}/{number}")
        package = {"ModelPackageArn": arn, "ModelPackageVersion": number}
        because = f"rollback to v{requested.version}: {reason}"
        record = set_approval(session, queue, model, package, "Rejected", by=by, reason=because)
        log(f"rejected version {number}; record {record}")
    send_manual_trigger(session, "deploy", model, reason, version=requested.version, by=by)
    return requested


def follow(session: EnvironmentSession, requested: Requested, log: Callable[[str], None]) -> Ended:
    """Wait until SageMaker has ended the deployment and its record is written; `log` gets a line for each new status.

    Raises NotEndedError.
    """
    began, last, sagemaker = time.monotonic(), "", session.client("sagemaker")
    while True:
        if ended := _ended(session, requested):
            return ended
        endpoint = describe_endpoint(sagemaker, requested.endpoint)
        status = endpoint["EndpointStatus"] if endpoint else "none"
        if status != last:
            log(f"endpoint: {status}")
            last = status
        waited, changing = time.monotonic() - began, status in CHANGING
        live = version_in(endpoint["EndpointConfigName"]) if endpoint and status == "InService" else None
        if live == requested.version == requested.live and waited > UNCHANGED_SECONDS:
            return Ended("unchanged", requested.version, live=live)
        if waited > (requested.timeout_seconds if changing else BEGIN_SECONDS):
            raise NotEndedError(_not_ended(session, requested, status, waited, changing=changing))
        pause(began)


def _request(session: EnvironmentSession, model: str, version: int | None) -> Requested:
    settings = require_deployed(session, model)
    if version is None:
        approved = list_versions(session, model, ModelApprovalStatus="Approved")
        if not approved:
            raise UsageError(
                f"{model} has no approved version in {session.environment.name}; model-factory status {model} shows which wait"
            )
        version = approved[0]["ModelPackageVersion"]
    endpoint = describe_endpoint(session.client("sagemaker"), settings["endpoint"])
    serves = endpoint is not None and endpoint["EndpointStatus"] not in ("Creating", "Failed", "Deleting")
    return Requested(
        model=model,
        endpoint=settings["endpoint"],
        version=version or 0,
        live=version_in(endpoint["EndpointConfigName"]) if endpoint and serves else None,
        records=frozenset(markers(session.client("s3"), session.names.bucket("records"), model)),
        # Twice: a deployment in progress ends first.
        timeout_seconds=2 * deployment_seconds(settings["serving"]["canary"]["bake"]),
    )


def _rollback_target(session: EnvironmentSession, model: str, to: int | None, approved: list[int]) -> int:
    """The version to return to. Raises UsageError when it is not approved, or the newest approved one already."""
    where = f"{model} in {session.environment.name}"
    existing = ", ".join(f"v{number}" for number in approved[-5:][::-1]) or "none"
    if to is None:
        settings = require_deployed(session, model)
        endpoint = describe_endpoint(session.client("sagemaker"), settings["endpoint"])
        live = version_in(endpoint["EndpointConfigName"]) if endpoint else None
        before = [number for number in approved if number < (live or max(approved, default=0))]
        if not before:
            raise UsageError(
                f"there is no approved version of {where} before {f'v{live}' if live else 'the newest'} to return to; approved: "
                f"{existing}"
            )
        return before[-1]
    if to not in approved:
        raise UsageError(
            f"version {to} of {where} is not approved (approved: {existing}); approve it first: model-factory approve {model} "
            f'--env {session.environment.name} --version {to} --reason "…"'
        )
    if to == approved[-1]:
        raise UsageError(
            f"version {to} of {where} is the newest approved one; model-factory redeploy {model} --env "
            f"{session.environment.name} deploys it"
        )
    return to


def _approved(session: EnvironmentSession, model: str) -> Iterator[dict[str, Any]]:
    require_deployed(session, model)
    pages = session.client("sagemaker").get_paginator("list_model_packages")
    group = session.names.model(model).model_package_group
    for page in pages.paginate(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", PaginationConfig={"PageSize": 100}
    ):
        yield from page["ModelPackageSummaryList"]


def _ended(session: EnvironmentSession, requested: Requested) -> Ended | None:
    """What a new record says about the requested version; None without one."""
    s3, bucket = session.client("s3"), session.names.bucket("records")
    for marker in markers(s3, bucket, requested.model):
        if marker in requested.records:
            continue
        record = marked(s3, bucket, requested.model, marker)
        facts = record["facts"]
        on_trial = facts.get("challenger") == requested.version
        if on_trial and facts["outcome"] == "succeeded":
            return Ended("on trial", requested.version, live=record["version"], record=record["id"])
        if "outcome" in facts and (on_trial or record["version"] == requested.version):
            live = version_in(facts.get("previous") or "")
            reason = facts.get("reason") or "SageMaker gives no reason"
            return Ended(facts["outcome"], requested.version, reason, live, record["id"])
    return None


def _not_ended(session: EnvironmentSession, requested: Requested, status: str, waited: float, *, changing: bool) -> str:
    since = f"{datetime.now(UTC):%H:%M} UTC, after {waited:.0f} s"
    what = "has not ended" if changing else "has not begun"
    queue = session.names.dead_letter_queue("deploy")
    hint = "" if changing else f"; an alert or the queue {queue} has the reason"
    return f"the deployment of version {requested.version} {what} at {since}: the endpoint is {status}{hint}"
