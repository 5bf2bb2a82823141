"""Decides whether the endpoint needs a deployment of the newest approved version. Pure: no AWS here."""

from dataclasses import dataclass

from shared.endpoints import CHANGING


@dataclass(frozen=True)
class EndpointState:
    """An endpoint, and the configuration `wanted` for the newest approved version.

    `target`: the configuration that the endpoint has, or will have when the deployment in progress succeeds.
    `wanted_exists`: the wanted configuration was created by an earlier deployment. `live_version` is None when the live
    configuration was deleted, or is not one of the deploy function's.
    """

    status: str
    target: str
    wanted: str
    wanted_version: int
    wanted_exists: bool
    live_version: int | None
    failure_reason: str | None = None

    @property
    def reached(self) -> bool:
        """Whether the endpoint has the wanted configuration, or a deployment of it is in progress."""
        return self.target == self.wanted

    @property
    def stable(self) -> bool:
        """Whether the endpoint exists and no change is in progress."""
        return self.status not in CHANGING and self.status != "Failed"

    @property
    def live_version_withdrawn(self) -> bool:
        """Whether the live version is newer than the newest approved one: it was rejected while it was being deployed.

        The wanted configuration exists then from the time when that version was live, and not from a failed attempt. A
        deployment of it that failed has a failure reason, and is not repeated.
        """
        return self.failure_reason is None and self.live_version is not None and self.live_version > self.wanted_version


@dataclass(frozen=True)
class Deploy:
    """Create the endpoint, or update it to the wanted configuration."""


@dataclass(frozen=True)
class Keep:
    """Deploy nothing now."""

    reason: str


@dataclass(frozen=True)
class Delete:
    """Delete the endpoint, whose creation failed: SageMaker does not update it. The message's next attempt creates it."""


@dataclass(frozen=True)
class Retry:
    """Nothing can be done now; the message has to be delivered again."""


def decide(endpoint: EndpointState | None, *, update_ended: bool, is_retry: bool) -> Deploy | Keep | Delete | Retry:
    """The action for the endpoint; `endpoint` is None when it does not exist.

    `update_ended`: the message is SageMaker's event at the end of a deployment. It must not start the same deployment again
    after a failure; a person or a newer version may. `is_retry`: an earlier attempt with the same message failed.
    """
    if endpoint is None:
        # At the first attempt the endpoint was deleted since the event, and not by this message.
        return Keep("the endpoint is no longer there") if update_ended and not is_retry else Deploy()
    if endpoint.status == "Deleting":
        return Retry()
    if endpoint.status in CHANGING:
        # The event at the end of that change reconciles again.
        return Keep("already on its way" if endpoint.reached else "waits until the endpoint is in service")
    deployment_failed = update_ended and endpoint.wanted_exists and not endpoint.live_version_withdrawn
    if endpoint.status == "Failed":
        return Keep("the endpoint could not be created") if deployment_failed else Delete()
    if endpoint.reached:
        return Keep("already live")
    return Keep("the deployment was rolled back") if deployment_failed else Deploy()
