"""The smoke action: wait until every endpoint serves its newest approved version, and request a prediction of it.

A version that this delivery created and that fails the test is reverted.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import async_prediction
from commit import delivered_models
from delivery_versions import find_created_version, revert, revert_all
from environment import Environment
from outcome import Failed, InProgress, Job, Outcome, Succeeded
from prediction import PredictionError, predict
from shared.endpoints import CHANGING, deployment_seconds, describe_endpoint, is_updated, kind_of, variants
from versions import newest_version, served_version, version_label

IDLE_SECONDS = 3600
"""Longest wait for an endpoint that nobody changes: the deploy function did not deploy the version."""
ACTION_SECONDS = 23 * 3600
"""CodePipeline ends an action that invokes a function after 24 hours (its guide, "Quotas"); the failure is reported before."""


@dataclass(frozen=True)
class Result:
    """State of a model's test, with the model and version in `text`. `changing`: SageMaker is changing the endpoint."""

    state: Literal["passed", "pending", "failed"]
    text: str
    changing: bool = False


def smoke(job: Job, environment: Environment) -> Outcome:
    """One step: test every model that has an approved version. Failures are reported when no test is pending."""
    models = delivered_models(job, environment)
    results = [result for model in models for result in _test(job, environment, model)]
    pending = _texts(results, "pending")
    since, now = job.token["since"], int(time.time())
    changed = now if any(result.changing for result in results) else job.token.get("changed", since)
    if pending and now - since <= longest_wait(models) and now - changed <= IDLE_SECONDS:
        return InProgress("; ".join(pending), {"since": since, "changed": changed})
    failed = _texts(results, "failed") + [f"{text} for {now - since} s" for text in pending]
    if failed:
        models = "; ".join(f"model {text}" for text in failed)
        message = f"smoke test in {environment.name} failed: {models}"
        return Failed(message + revert_all(job, environment, message))
    return Succeeded("; ".join(_texts(results, "passed")) or "no models")


def longest_wait(models: Sequence[dict[str, Any]]) -> int:
    """Seconds in which every endpoint serves its version: a deployment that was running before, and that of the version."""
    bakes = [model["serving"]["canary"]["bake"] for model in models]
    return min(2 * deployment_seconds(max(bakes, default=0)), ACTION_SECONDS)


def _texts(results: Sequence[Result], state: str) -> list[str]:
    return [result.text for result in results if result.state == state]


def _test(job: Job, environment: Environment, model: dict[str, Any]) -> list[Result]:
    """Test the newest approved version. A version of this delivery that was reverted before is a failure, too."""
    name, version = model["model"], newest_version(environment, model, "Approved")
    reverted = _reverted(job, environment, model, version)
    if version is None:
        return [*reverted, Result("passed", f"{name}: no approved version yet")]
    return [*reverted, _test_version(job, environment, model, version)]


def _reverted(
    job: Job, environment: Environment, model: dict[str, Any], approved: dict[str, Any] | None
) -> list[Result]:
    """The failure of a version that an earlier step reverted, which did not wait for the endpoint."""
    version = find_created_version(job, environment, model, "Rejected")
    if version is None:
        return []
    now = f"it serves {version_label(approved)} again" if approved else "there is no version before it"
    reason = version.get("ApprovalDescription")
    return [Result("failed", f"{model['model']} {version_label(version)}: {reason}; {now}")]


def _test_version(job: Job, environment: Environment, model: dict[str, Any], version: dict[str, Any]) -> Result:
    subject = f"{model['model']} {version_label(version)}"
    if model.get("serving", {}).get("mode") == "batch":
        return Result("passed", f"{subject} scores the next files")
    endpoint = describe_endpoint(environment.client("sagemaker"), model["endpoint"])
    in_service = endpoint is not None and endpoint["EndpointStatus"] == "InService"
    if endpoint and in_service and model["serving"].get("challenger") and is_on_trial(endpoint):
        return Result("passed", f"{subject} is on trial against the live version, or waits for the end of a trial")
    served = served_version(environment, endpoint) if endpoint and in_service else None
    serves = served == version["ModelPackageArn"]
    state, reason = endpoint_state(endpoint, model["serving"]["mode"], serves_version=serves)
    if state == "pending":
        changing = endpoint is not None and endpoint["EndpointStatus"] in CHANGING
        return Result("pending", f"{subject}: {reason}", changing)
    if state == "passed" and "DriftCheckBaselines" not in version:
        return Result("passed", f"{subject} is in service; without a baseline there is no record to request a score of")
    if state == "passed":
        try:
            score = _score(job, environment, model, version)
            if score is None:
                return Result("pending", f"{subject}: its answer to a typical record is awaited")
            return Result("passed", f"{subject} answered {score:.4f}")
        except PredictionError as error:
            reason = str(error)
    if reverted := revert(job, environment, model, reason):
        return Result("pending", f"{subject}: {reason}; {reverted}")
    return Result("failed", f"{subject}: {reason}")


def _score(job: Job, environment: Environment, model: dict[str, Any], version: dict[str, Any]) -> float | None:
    """The score of a typical record; None while a request waits in the queue of an asynchronous endpoint."""
    if model["serving"]["mode"] != "async":
        return predict(environment, model, version)
    name = f"smoke-{job.execution}-{job.token['since']}-v{version['ModelPackageVersion']}"
    return async_prediction.predict(environment, model, version, name)


def is_on_trial(endpoint: dict[str, Any]) -> bool:
    """Whether a described endpoint has a second variant, for a version on trial. Pure."""
    return len(variants(endpoint)) > 1


def endpoint_state(
    endpoint: dict[str, Any] | None, mode: str, *, serves_version: bool
) -> tuple[Literal["passed", "pending", "failed"], str]:
    """Whether a described endpoint is ready for a prediction of the version, with the reason when it is not. Pure.

    `mode`: of the delivered settings, which the deploy function hears of after the stack is deployed.
    """
    if endpoint is None:
        return "pending", "the endpoint does not exist yet"
    status, failure = endpoint["EndpointStatus"], endpoint.get("FailureReason")
    if status in CHANGING:
        return "pending", f"the endpoint is {status}"
    if status != "InService":
        return "failed", f"the endpoint is {status}: {failure or 'no reason given'}"
    if not is_updated(kind_of(endpoint), mode):
        return "pending", f"the endpoint is {kind_of(endpoint)}, and is deleted and created again for mode {mode}"
    if serves_version:
        return "passed", ""
    if failure:
        return "failed", f"its deployment was rolled back: {failure}"
    return "pending", "the endpoint still serves another version"
