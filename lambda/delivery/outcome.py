"""The CodePipeline job that invokes the function, and the outcomes of one invocation."""

import json
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Job:
    """One invocation for one action of the pipeline.

    `execution`: id of the pipeline's execution. `token`: the continuation token of the invocation before; at first it has only
    `since`, the time of the first invocation in seconds since 1970.
    """

    identifier: str
    task: str
    environment: str
    execution: str
    token: dict[str, Any]
    inputs: list[dict[str, str]]
    credentials: dict[str, str]

    @classmethod
    def parse(cls, event: dict[str, Any]) -> "Job":
        """The job in CodePipeline's event. Raises KeyError and ValueError for any other event."""
        job = event["CodePipeline.job"]
        data = job["data"]
        parameters = json.loads(data["actionConfiguration"]["configuration"]["UserParameters"])
        token: dict[str, Any] = json.loads(data.get("continuationToken") or "{}")
        return cls(
            identifier=job["id"],
            task=parameters["task"],
            environment=parameters["environment"],
            execution=parameters["execution"],
            token={"since": int(time.time())} | token,
            inputs=[artifact["location"]["s3Location"] for artifact in data.get("inputArtifacts", [])],
            credentials=data.get("artifactCredentials", {}),
        )

    @property
    def waited_seconds(self) -> float:
        """Seconds since the first invocation."""
        return time.time() - self.token["since"]


@dataclass(frozen=True)
class Succeeded:
    """The action succeeded; `variables` are its output variables."""

    summary: str
    variables: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class InProgress:
    """CodePipeline invokes again, with `token` as the continuation token (at most 2048 characters as JSON)."""

    summary: str
    token: dict[str, Any]


@dataclass(frozen=True)
class Failed:
    """The action failed; the message names the models and the reasons."""

    message: str


type Outcome = Succeeded | InProgress | Failed
