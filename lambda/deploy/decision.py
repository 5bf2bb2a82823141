"""Decides whether the endpoint needs a deployment of the newest approved version. Pure: no AWS here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from deployment import Deployment
from shared.endpoints import CHANGING, is_updated

type Kind = Literal["approved", "rejected", "settled", "deleted", "created", "changed", "checked", "manual"]
"""An approved or rejected version, the end of a change of the endpoint, its deletion, new or changed settings, the end of a run
of the monitor or an alarm of a challenger, a person."""


@dataclass(frozen=True)
class EndpointState:
    """An endpoint.

    `target`: the configuration that it has, or will have when the deployment in progress succeeds. `live_version` is None when
    the live configuration was deleted, or is not one of the deploy function's. `challenger`: the version on trial, if any.
    `kind`: its mode, realtime, serverless or async.
    """

    status: str
    target: str
    live_version: int | None
    failure_reason: str | None = None
    challenger: int | None = None
    kind: str = "realtime"

    @property
    def stable(self) -> bool:
        """Whether the endpoint exists and no change is in progress."""
        return self.status not in CHANGING and self.status != "Failed"


@dataclass(frozen=True)
class Wanted:
    """The configuration for the newest approved version.

    `names`: its name, and those of configurations that count as the same. `requested`: when the version was approved, if the
    message is about that, or when a manual request was sent; long ago for others. `last`: its last deployment, if there was one.
    `withdrawn`: there is no endpoint because the mode was batch. `kind`: the mode of the endpoint that serves it.
    """

    names: tuple[str, ...]
    version: int
    requested: datetime
    last: Deployment | None
    withdrawn: bool = False
    kind: str = "realtime"


@dataclass(frozen=True)
class Deploy:
    """Create the endpoint, or update it to the wanted configuration."""


@dataclass(frozen=True)
class Keep:
    """Deploy nothing now. `remember`: the request is one that the next event has to carry out."""

    reason: str
    remember: bool = False


@dataclass(frozen=True)
class Delete:
    """Delete the endpoint, which SageMaker does not update. The message's next attempt creates it. `why`: in words."""

    why: str


@dataclass(frozen=True)
class Retry:
    """Nothing can be done now; the message has to be delivered again."""


NOT_REPEATED = {
    "rolled back": "the deployment was rolled back",
    "failed": "the endpoint could not be created",
    "succeeded": "the endpoint was changed by hand",
    "deleted": "the endpoint was deleted",
}


def decide(
    endpoint: EndpointState | None, wanted: Wanted, kind: Kind, request_id: str
) -> Deploy | Keep | Delete | Retry:
    """The action for the endpoint; `endpoint` is None when it does not exist."""
    if endpoint is None:
        return _without_endpoint(wanted, kind, request_id)
    reached = endpoint.target in wanted.names
    if endpoint.status == "Deleting":
        return Retry()
    if endpoint.status in CHANGING:
        # The event at the end of that change reconciles again.
        if reached:
            return Keep("already on its way")
        return Keep("waits until the endpoint is in service", remember=_needs_memory(wanted, kind, request_id))
    if reached and endpoint.status != "Failed":
        return Keep("already live")
    if not _is_due(endpoint, wanted, kind, request_id):
        return Keep(NOT_REPEATED[wanted.last.outcome if wanted.last else "failed"])
    if endpoint.status == "Failed":
        return Delete(f"had failed ({endpoint.failure_reason or '?'})")
    if not is_updated(endpoint.kind, wanted.kind):
        return Delete(f"is {endpoint.kind}, which SageMaker does not update to {wanted.kind},")
    return Deploy()


def _without_endpoint(wanted: Wanted, kind: Kind, request_id: str) -> Deploy | Keep:
    last = wanted.last
    if wanted.withdrawn:
        return Deploy()
    if last and not last.ended and last.request == request_id:
        return (
            Deploy()
        )  # an earlier attempt with this message deleted a failed endpoint, or ended before CreateEndpoint
    if kind not in ("approved", "created", "manual"):
        return Keep("the endpoint is no longer there")
    if last is None or not last.ended or _is_new(wanted, last, kind, request_id):
        return Deploy()
    return Keep("the endpoint is no longer there")


def _is_due(endpoint: EndpointState, wanted: Wanted, kind: Kind, request_id: str) -> bool:
    """Whether a configuration that a stable or failed endpoint does not have is to be deployed."""
    last = wanted.last
    if last is None or not last.ended or _is_new(wanted, last, kind, request_id):
        return True
    if last.outcome != "succeeded" or endpoint.status == "Failed" or endpoint.live_version is None:
        return False
    # It was live before: the live version was withdrawn, or only the settings differ.
    return endpoint.live_version >= wanted.version


def _is_new(wanted: Wanted, last: Deployment, kind: Kind, request_id: str) -> bool:
    """Whether somebody asked for the configuration after its last deployment was started.

    A request that waited in the queue meanwhile was carried out by that deployment.
    """
    # The clocks of SQS and of the function may differ, so that a message may seem younger than the deployment that it started.
    return wanted.requested > last.started and not (kind == "manual" and request_id == last.request)


def _needs_memory(wanted: Wanted, kind: Kind, request_id: str) -> bool:
    """Whether the event at the end of the change in progress could not tell what this message requests."""
    if wanted.last is None:
        return kind == "changed"
    return wanted.last.ended and _is_new(wanted, wanted.last, kind, request_id)
