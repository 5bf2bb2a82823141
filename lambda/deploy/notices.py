"""The alerts of the deploy function. Pure: no AWS here."""

import re

from deployment import Deployment, End
from settings import Settings
from shared.alerts import Alert
from shared.s3 import split_uri
from shared.settings import ENVIRONMENT

NO_REASON = "SageMaker gives no reason."


def ended(settings: Settings, deployment: Deployment, end: End) -> Alert | None:
    """The alert about a deployment that ended; None when it succeeded."""
    version, model = deployment.version, settings.model
    if end.outcome == "rolled back":
        before = _version_in(deployment.previous)
        return Alert(
            model=model,
            cause="deployment-rolled-back",
            what=f"The deployment of version {version} of {model} was rolled back.",
            why=end.reason or NO_REASON,
            done=f"The endpoint {settings.endpoint} serves {f'version {before}' if before else deployment.previous} as before.",
            command=command("redeploy", model),
            version=version,
        )
    if end.outcome == "failed":
        return Alert(
            model=model,
            cause="deployment-failed",
            what=f"The deployment of version {version} of {model} failed.",
            why=end.reason or NO_REASON,
            command=command("redeploy", model),
            version=version,
        )
    return None


def refused(settings: Settings, version: int, reason: str) -> Alert:
    """SageMaker refuses a call of a deployment."""
    return Alert(
        model=settings.model,
        cause="deployment-refused",
        what=f"Version {version} of {settings.model} could not be deployed: AWS refused the request.",
        why=reason,
        done="The endpoint is as it was.",
        command=command("redeploy", settings.model),
        version=version,
    )


def artifact_changed(settings: Settings, version: int, uri: str, reason: str) -> Alert:
    """The artifact is not the file that was evaluated; an earlier version of the object may be."""
    bucket, key = split_uri(uri)
    return Alert(
        model=settings.model,
        cause="artifact-changed",
        what=f"Version {version} of {settings.model} is not deployed: its artifact is not the one that was evaluated.",
        why=f"{reason}.",
        done="The endpoint is as it was.",
        command=f"aws s3api list-object-versions --bucket {bucket} --prefix {key}",
        version=version,
    )


def endpoint_failed(settings: Settings, status: str, reason: str | None, version: int | None) -> Alert:
    """An endpoint left service without a deployment."""
    return Alert(
        model=settings.model,
        cause="endpoint-failed",
        what=f"The endpoint {settings.endpoint} of {settings.model} is {status}.",
        why=reason or NO_REASON,
        command=command("redeploy", settings.model),
        version=version,
    )


def endpoint_deleted(settings: Settings, version: int) -> Alert:
    """Somebody deleted the endpoint."""
    return Alert(
        model=settings.model,
        cause="endpoint-deleted",
        what=f"The endpoint {settings.endpoint} of {settings.model}, which had version {version}, was deleted.",
        why="DeleteEndpoint was called outside of Model Factory; CloudTrail has the caller.",
        done="No version is deployed, not even one that waits for the endpoint, before one is approved or somebody asks for it.",
        command=command("redeploy", settings.model),
        version=version,
    )


def live_version_rejected(settings: Settings, rejected: int, done: str) -> Alert:
    """The live version was rejected, and there is an older approved one."""
    return Alert(
        model=settings.model,
        cause="live-version-rejected",
        what=f"Version {rejected} of {settings.model} was rejected while it was live.",
        why="Its approval status was set to Rejected.",
        done=done,
        command=command("status", settings.model),
        version=rejected,
    )


def scoring_version_rejected(settings: Settings, rejected: int, next_version: int | None) -> Alert:
    """The version that scored files was rejected; an older approved one, if there is one, scores the next ones."""
    done = f"Version {next_version} scores the next files." if next_version else "No version is approved: runs fail."
    return Alert(
        model=settings.model,
        cause="live-version-rejected" if next_version else "no-approved-version",
        what=f"Version {rejected} of {settings.model} was rejected while it was live.",
        why="Its approval status was set to Rejected.",
        done=f"{done} Predictions of version {rejected} remain.",
        command=command("status", settings.model),
        version=rejected,
    )


def nothing_approved(settings: Settings, version: int) -> Alert:
    """The live version was rejected, and no version is approved any more."""
    return Alert(
        model=settings.model,
        cause="no-approved-version",
        what=f"Version {version} of {settings.model} was rejected, and no other version is approved.",
        why="Its approval status was set to Rejected.",
        done=f"The endpoint {settings.endpoint} keeps serving version {version}: callers would fail without it.",
        command=f"aws sagemaker delete-endpoint --endpoint-name {settings.endpoint}",
        version=version,
    )


def changed_by_hand(settings: Settings, wanted: int, configuration: str) -> Alert:
    """Somebody gave the endpoint a configuration that the deploy function did not deploy."""
    return Alert(
        model=settings.model,
        cause="endpoint-changed",
        what=f"The endpoint {settings.endpoint} of {settings.model} does not serve version {wanted}, the newest approved one.",
        why=f"UpdateEndpoint was called outside of Model Factory; the endpoint has the configuration {configuration}.",
        done="It is not changed before a version is approved or somebody asks for it.",
        command=command("redeploy", settings.model),
        version=wanted,
    )


def not_newest(settings: Settings, requested: int, newest: int) -> Alert:
    """A manual request names a version that is not the newest approved one."""
    return Alert(
        model=settings.model,
        cause="request-overtaken",
        what=f"Version {requested} of {settings.model} was requested and is not deployed.",
        why=f"Version {newest} is approved and newer: the newest approved version is the one that is deployed.",
        command=command("rollback", settings.model, f"--to {requested}"),
        version=requested,
    )


def command(name: str, model: str, options: str = "") -> str:
    """A command of `model-factory` for one model in this environment."""
    return " ".join(filter(None, ["model-factory", name, model, options, "--env", ENVIRONMENT]))


def _version_in(configuration: str) -> str | None:
    found = re.search(r"-v(\d+)-[0-9a-f]{8}$", configuration)
    return found[1] if found else None
