"""The last deployment of an endpoint configuration, as its tags have it, and whether SageMaker has ended it. Pure: no AWS here.

The tags are written before UpdateEndpoint, so that nothing is lost when the function ends between two calls, and say `started`
after it. When the function ends before that, LastDeploymentConfig says whether UpdateEndpoint was called, because each deployment
has another timeout than the one before.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self

from shared.endpoints import CHANGING

type Outcome = Literal["succeeded", "rolled back", "failed", "deleted"]

WAITING, STARTED = "waiting", "started"
"""Values of the tag `model-factory:outcome` before the end: requested; UpdateEndpoint or CreateEndpoint was called."""

POINTER = "model-factory:deployment"
"""Tag of an endpoint: the configuration of its last deployment. That one's other tags are beside it."""

DELETED_BY = "model-factory:deleted-by"
"""Tag of an endpoint: the id of the message for which lambda/deploy deletes it."""

_PREFIX = "model-factory:"
_LONGEST_VALUE = 256
_REFUSED = re.compile(r"[^\w\s.:/=+@-]")
"""Characters that SageMaker takes in no tag."""


@dataclass(frozen=True)
class Deployment:
    """One deployment of a configuration.

    Args:
        configuration: Name of the endpoint configuration.
        model_package: ARN of the version.
        request: Id of the message that requested it.
        requested_by: Who requested it.
        started: When its tags were written, before it was started.
        previous: The configuration that the endpoint had before; empty when it was created.
        endpoint_modified: LastModifiedTime of the endpoint before; empty when it was created.
        outcome: `waiting`, `started`, or how it ended.
        timeout: MaximumExecutionTimeoutInSeconds of its UpdateEndpoint; 0 for one without a DeploymentConfig, and for one of an
            earlier release.
        challenger: ARN of the version on trial; empty without one.
    """

    configuration: str
    model_package: str
    request: str
    requested_by: str
    started: datetime
    previous: str
    endpoint_modified: str
    outcome: str
    timeout: int = 0
    challenger: str = ""

    @property
    def version(self) -> int:
        """The version that was deployed, and answers the requests during a trial."""
        return int(self.model_package.rpartition("/")[2])

    @property
    def challenger_version(self) -> int | None:
        """The version on trial; None without one."""
        return int(self.challenger.rpartition("/")[2]) if self.challenger else None

    @property
    def ended(self) -> bool:
        """Whether its end is recorded."""
        return self.outcome not in (WAITING, STARTED)

    def endpoint_tags(self) -> list[dict[str, str]]:
        """The tags of the endpoint. SageMaker's events have them, so that an event says which deployment it is about."""
        return [{"Key": POINTER, "Value": self.configuration}, *self.tags()]

    def tags(self) -> list[dict[str, str]]:
        """The tags of the configuration."""
        values = {
            "model-package": self.model_package,
            "request": self.request,
            "requested-by": self.requested_by,
            "started": self.started.isoformat(),
            "previous": self.previous,
            "endpoint-modified": self.endpoint_modified,
            "outcome": self.outcome,
            "timeout": str(self.timeout),
            "challenger": self.challenger,
        }
        return [_tag(name, value) for name, value in values.items()]

    @classmethod
    def from_tags(cls, configuration: str, tags: Mapping[str, str]) -> Self | None:
        """From the tags of a configuration; None for one that lambda/deploy has not tagged."""
        if f"{_PREFIX}outcome" not in tags:
            return None
        value = {name.removeprefix(_PREFIX).replace("-", "_"): text for name, text in tags.items()}
        return cls(
            configuration,
            value["model_package"],
            value["request"],
            value["requested_by"],
            datetime.fromisoformat(value["started"]),
            value["previous"],
            value["endpoint_modified"],
            value["outcome"],
            int(value.get("timeout", "0")),
            value.get("challenger", ""),
        )

    @classmethod
    def from_endpoint_tags(cls, tags: Mapping[str, str]) -> Self | None:
        """From the tags of an endpoint: waiting or started, whatever became of it; None for an endpoint without them.

        Endpoints of earlier releases have not all of the tags: without an outcome a deployment counts as started.
        """
        if POINTER not in tags or f"{_PREFIX}started" not in tags:
            return None
        return cls.from_tags(tags[POINTER], {f"{_PREFIX}outcome": STARTED, **tags})

    def confirmed_by(self, other: "Deployment | None") -> "Deployment":
        """This deployment; as started if it waits, and `other`, from the endpoint's tags, is the same one and was started."""
        is_started = other and other.started == self.started and other.outcome == STARTED
        return replace(self, outcome=STARTED) if self.outcome == WAITING and is_started else self


@dataclass(frozen=True)
class End:
    """How SageMaker ended a deployment, with its reason, if it gives one."""

    outcome: Outcome
    reason: str | None
    time: datetime


def end_of(deployment: Deployment, endpoint: Mapping[str, Any]) -> End | None:
    """The end of a deployment of the described endpoint; None when it has not ended, or was never carried out.

    The configuration counts and not FailureReason, which may be empty after a rollback, and stays after the next scaling.
    """
    status, live = endpoint["EndpointStatus"], endpoint["EndpointConfigName"]
    if deployment.ended or status in CHANGING:
        return None
    if deployment.outcome == WAITING and not _is_begun(deployment, endpoint):
        return None
    reason, time = endpoint.get("FailureReason"), endpoint["LastModifiedTime"]
    if status != "InService":
        return End("failed", reason, time)
    if live == deployment.configuration:
        return End("succeeded", None, time)
    if time.isoformat() == deployment.endpoint_modified:
        return None
    if live == deployment.previous:
        return End("rolled back", reason, time)
    return End("failed", f"the endpoint has the configuration {live}, which another principal deployed", time)


def _is_begun(deployment: Deployment, endpoint: Mapping[str, Any]) -> bool:
    """Whether the endpoint was created or updated for a deployment to which no tag says so.

    Another change of the endpoint, such as SageMaker's own update, also moves LastModifiedTime, but has no DeploymentConfig.
    """
    if not deployment.previous or endpoint["EndpointConfigName"] == deployment.configuration != deployment.previous:
        return True
    return deployment.timeout != 0 and timeout_of(endpoint) == deployment.timeout


def timeout_of(endpoint: Mapping[str, Any]) -> int | None:
    """MaximumExecutionTimeoutInSeconds of the last deployment of a described endpoint, if that had one."""
    policy = endpoint.get("LastDeploymentConfig", {}).get("BlueGreenUpdatePolicy", {})
    return policy.get("MaximumExecutionTimeoutInSeconds")


def _tag(name: str, value: str) -> dict[str, str]:
    return {"Key": f"{_PREFIX}{name}", "Value": tag_value(value)}


def tag_value(text: str) -> str:
    """`text` as a tag can have it: at most 256 characters, others than letters, digits and _.:/=+-@ are spaces."""
    return _REFUSED.sub(" ", text)[:_LONGEST_VALUE]
