"""What an action uses of its execution, and an execution of its pipeline."""

import threading
from typing import Any, Protocol

from ..interfaces import EmbeddedAws, Regional
from ..json_api import Record
from .artifacts import Artifact
from .jobs import Jobs
from .repositories import Repositories


class PipelineService(Protocol):
    """CodePipeline in one account and region."""

    local: EmbeddedAws
    repositories: Repositories
    builds: Regional
    account: str
    region: str
    jobs: Jobs
    stopping: threading.Event

    def start(self, name: str, trigger: Record, **options: Any) -> Any:
        """Start an execution of a pipeline."""
        ...

    def emit(self, kind: str, detail: Record) -> None:
        """Put an event of the service on the account's bus."""
        ...


class RunningPipeline(Protocol):
    """A pipeline with its executions, oldest first."""

    declaration: Record
    executions: list[Any]

    def enter(self, stage: str, execution: Any) -> bool:
        """Wait for a stage; False when the execution ended in the meantime."""
        ...

    def leave(self, stage: str) -> None:
        """Release a stage."""
        ...


class RunningExecution(Protocol):
    """An execution of a pipeline, for its actions."""

    state: PipelineService
    declaration: Record
    identifier: str
    overrides: dict[str, str]
    artifacts: dict[str, Artifact]
    revisions: list[Record]

    @property
    def name(self) -> str:
        """The pipeline's name."""
        ...

    @property
    def goes_on(self) -> bool:
        """Whether nothing has ended the execution from outside."""
        ...
