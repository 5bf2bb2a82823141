"""The SageMaker API: what its operations share, and the application that serves them."""

import os
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from werkzeug.wrappers import Request

from ..events import emit
from ..interfaces import EmbeddedAws
from ..json_api import JsonApi, Record, access_key, origin
from ..warm import Starter
from .containers.image_environments import ImageEnvironments
from .roles import Roles
from .state import State

PRELOADED = (
    "boto3",
    "flask",
    "joblib",
    "numpy",
    "pandas",
    "scipy.stats",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "werkzeug.serving",
)
"""Packages that containers import first."""


class Deployer(Protocol):
    """Starts and ends what runs behind endpoints."""

    def deploy(self, state: State, endpoint: Record, config: Record, deployment: Record) -> None:
        """Move an endpoint's traffic to a new fleet for the configuration."""
        ...

    def scale(self, state: State, endpoint: Record, counts: Mapping[str, int]) -> None:
        """Change the numbers of instances of an endpoint's variants."""
        ...

    def remove(self, endpoint: Record) -> None:
        """End what runs behind an endpoint."""
        ...


class Service(JsonApi):
    """SageMaker in all accounts and regions of one embedded AWS."""

    hosting: Deployer

    def __init__(self, local: EmbeddedAws) -> None:
        super().__init__("sagemaker")
        self.local = local
        self.roles = Roles(local)
        self.images = ImageEnvironments(local.state_dir / "images", local.images)
        self.starter = Starter(local.on_stop, PRELOADED, unforked=2, images=self.images)
        self.stopping = threading.Event()
        self.cores = threading.Semaphore(_cores())
        """One for each job that runs: as many as the machine has cores. Others wait, as jobs do for instances."""
        self._states: dict[tuple[str, str], State] = {}
        local.on_stop(self.stopping.set)
        local.stores.refer("sagemaker", self)
        local.stores.add("sagemaker", lambda: self._states, self._states.update)

    def on_stop(self, close: Callable[[], None]) -> None:
        """Call `close` when the server stops, after `stopping` is set."""

        def stop() -> None:
            self.stopping.set()
            close()

        self.local.on_stop(stop)

    def user(self) -> Record:
        """The UserContext of the caller; nothing where no call is served."""
        identity = self.roles.caller_identity()
        return {"IamIdentity": identity} if identity else {}

    def state(self, account: str, region: str) -> State:
        """The records of one account and region."""
        return self._states.setdefault((account, region), State(account, region))

    def states(self) -> list[State]:
        """The records of all accounts and regions."""
        return list(self._states.values())

    def respond(self, request: Request, operation: str, content: Record) -> Record:
        """The response of one call. Raises ServiceError, AccessDeniedError."""
        state = self.state(*origin(request))
        self.roles.called_by(access_key(request))
        serve = self.operation(operation)
        self.check_types(operation, content)
        return serve(self, state, content) or {}

    def emit(self, state: State, detail_type: str, detail: Record, arn: str) -> None:
        """Put a SageMaker event on the account's default event bus."""
        emit(
            state.account, state.region, "aws.sagemaker", f"SageMaker {detail_type}", _with_milliseconds(detail), [arn]
        )

    def count(self, state: State, namespace: str, data: list[Record]) -> None:
        """Publish metrics of the service."""
        self.local.accounts.client("cloudwatch", state.account, state.region).put_metric_data(
            Namespace=namespace, MetricData=data
        )


def _cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _with_milliseconds(value: Any) -> Any:
    """The same value with times as milliseconds, as events have them."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, dict):
        return {key: _with_milliseconds(item) for key, item in value.items()}
    return [_with_milliseconds(item) for item in value] if isinstance(value, list) else value
