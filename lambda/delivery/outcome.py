"""The job that CodePipeline hands over, and how a step of it may end."""

import json
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Job:
    """One invocation for one action. `token` is what the step before left; empty at first."""

    identifier: str
    task: str
    environment: str
    execution: str
    token: dict[str, Any]
    inputs: list[dict[str, str]]
    credentials: dict[str, str]

    @classmethod
    def parse(cls, event: dict[str, Any]) -> "Job":
        """From CodePipeline's event. Raises KeyError and ValueError when it is none of ours."""
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
        """Since the first step."""
        return time.time() - self.token["since"]


@dataclass(frozen=True)
class Done:
    """The action succeeded; `variables` are its output variables."""

    summary: str
    variables: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Later:
    """Ask again: `token` (at most 2048 characters as JSON) comes back with the next step."""

    summary: str
    token: dict[str, Any]


@dataclass(frozen=True)
class Failed:
    """The action failed; the message says which model and why."""

    message: str


type Outcome = Done | Later | Failed
