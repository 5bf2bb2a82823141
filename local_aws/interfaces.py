"""Interfaces between the server and its extensions.

An extension depends on this module alone; `server.LocalAws` provides everything that is declared here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

type Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
"""A WSGI application."""

type Control = Callable[..., Any]
"""The function behind `/_local/<name>`: it gets the JSON body and, if the path has one, an argument."""

type Images = Mapping[str, Path]
"""Libraries of container images that are not AWS's, by repository (sagemaker/containers/image_environments.py)."""

type Keys = Mapping[str, str | Iterable[str] | None]
"""Condition keys with their values."""


class Accounts(Protocol):
    """Credentials and boto3 clients for roles and accounts."""

    def assume(self, role_arn: str, session_name: str, subnets: Sequence[str] = (), region: str = "") -> dict[str, str]:
        """The environment variables of a role session."""
        ...

    def role_client(self, service: str, role_arn: str, region: str, subnets: Sequence[str] = ()) -> Any:
        """A client that acts as a role."""
        ...

    def client(self, service: str, account: str, region: str) -> Any:
        """A client that acts as AWS's own services do inside an account."""
        ...


class Authorization(Protocol):
    """Policy checks; each method raises AccessDeniedError."""

    def check(
        self, principal: str, action: str, resource: str, keys: Keys | None = None, region: str = "us-east-1"
    ) -> None:
        """Check one action of a role or service."""
        ...

    def check_call(
        self,
        principal: str,
        service: str,
        operation: str,
        params: Mapping[str, Any],
        region: str,
        keys: Keys | None = None,
    ) -> None:
        """Check everything that an API call of a role or service needs."""
        ...

    def check_caller(
        self, access_key_id: str, action: str, resource: str, keys: Keys | None = None, region: str = "us-east-1"
    ) -> None:
        """Check one action of whoever signed a request."""
        ...

    def take_role(self, service: str, role_arn: str, source_arn: str = "") -> None:
        """Check that the role's trust policy lets a service assume it."""
        ...


class Rules(Protocol):
    """AWS's rules about requests."""

    def provide(self, kind: str, find: Callable[[str, str, str], Mapping[str, Any] | None]) -> None:
        """Let rules ask for records of a kind: `find(account, region, name)`."""
        ...

    def find(self, kind: str, account: str, region: str, name: str) -> Mapping[str, Any] | None:
        """The record of a kind with a name, or None."""
        ...


class Faults(Protocol):
    """Faults on demand."""

    def add_process(self, access_key_id: str, kill: Callable[[], None]) -> None:
        """Calls signed with this key come from a process that `kill` kills."""
        ...


class Functions(Protocol):
    """Invocations of deployed Lambda functions."""

    def invoke(self, function: Any, event: Any) -> tuple[dict[str, Any], str]:
        """The result of one invocation, and its log."""
        ...


class Regional(Protocol):
    """A service that keeps a state for each account and region."""

    def state(self, account: str, region: str) -> Any:
        """The state of one account and region."""
        ...


class Stores(Protocol):
    """What is kept over a restart."""

    def add(self, name: str, read: Callable[[], Any], restore: Callable[[Any], None]) -> None:
        """Keep what `read` returns; `restore` gets it at the next start, before requests are served."""
        ...

    def refer(self, name: str, known: object) -> None:
        """Let kept objects refer to an object that each start makes anew."""
        ...

    def after_restart(self, action: Callable[[], None]) -> None:
        """Call `action` after a start with kept state, when requests are served."""
        ...


class Patchable(Protocol):
    """A server that replaces parts of moto while it runs."""

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute of one of moto's modules or classes until the server stops."""
        ...

    def when_imported(self, module: str, action: Callable[[ModuleType], None]) -> None:
        """Call `action` with a module of moto's as soon as it is imported: at once, or at its first use."""
        ...


class Server(Patchable, Protocol):
    """The HTTP server and its lifetime."""

    @property
    def state_dir(self) -> Path:
        """The folder below which jobs, functions and endpoints run."""
        ...

    @property
    def kept_dir(self) -> Path:
        """The folder for files that are kept over a restart, if the server keeps anything; else `state_dir`."""
        ...

    @property
    def images(self) -> Images:
        """Libraries of container images that are not AWS's (sagemaker/containers/image_environments.py)."""
        ...

    @property
    def stores(self) -> Stores:
        """What is kept over a restart."""
        ...

    @property
    def endpoint_url(self) -> str:
        """The value for AWS_ENDPOINT_URL."""
        ...

    def changed(self) -> None:
        """Say that something has changed that is kept, other than by a request."""
        ...

    def on_stop(self, close: Callable[[], None]) -> None:
        """Call `close` when the server stops, last registered first."""
        ...

    def serve(self, service: str, application: Any) -> None:
        """Serve a service, called as moto calls it, with a WSGI application in moto's place."""
        ...

    def control(self, name: str, action: Control) -> None:
        """Serve `/_local/<name>[/<argument>]`."""
        ...


class EmbeddedAws(Server, Protocol):
    """The server with the parts that extensions use of each other."""

    @property
    def accounts(self) -> Accounts:
        """Credentials and clients."""
        ...

    @property
    def authorization(self) -> Authorization:
        """Policy checks."""
        ...

    @property
    def rules(self) -> Rules:
        """AWS's rules."""
        ...

    @property
    def faults(self) -> Faults:
        """Faults on demand."""
        ...

    @property
    def functions(self) -> Functions:
        """Lambda functions."""
        ...

    @property
    def pipelines(self) -> Regional:
        """CodePipeline, for EventBridge's targets."""
        ...
