"""The embedded AWS: moto's server on a local port, composed with the extensions of the other modules."""

import json
import logging
import os
import threading
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import boto3
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3 import models as s3_models
from werkzeug.wrappers import Request, Response

from . import (
    access_logs,
    alarms,
    authorization,
    aws_policies,
    bucket_notifications,
    chat,
    cloudformation,
    codepipeline,
    direct,
    events,
    function_roles,
    functions,
    keys,
    log_groups,
    object_versions,
    object_writes,
    once,
    parameters,
    public_resources,
    queues,
    quotas,
    rules,
    sagemaker,
    scaling,
    schedules,
    senders,
    topics,
    trust_policies,
)
from .accounts import Accounts
from .faults import Faults
from .interfaces import Application, Control, Images
from .kept import STATE_FILE
from .kept.keeper import Keeper
from .kept.state_file import Saved, StateFileError, Writer
from .kept.stores import Stores
from .listener import Dispatcher, PortInUseError, listen
from .patches import Patches
from .sessions import EndpointSession
from .state_folder import StateFolder

DEFAULT_ACCOUNT = "123456789012"
"""The account of requests that are signed with keys which belong to no role."""


class LocalAws:
    """An embedded AWS in this process, reachable at `endpoint_url` by any AWS tool.

    `state_dir`: folder for the files of jobs, functions and endpoints, removed when this stops. The state is that of the process,
    so run one at a time. Port 0 takes a free one. `keep`: write the state of all services to `state_dir`, and start with what is
    there. `images`: libraries of images that are not AWS's: by repository, with or without a tag, a file of requirements or the
    folder of a virtual environment. Raises PortInUseError, StateInUseError; `start` StateFileError for another version's state.
    """

    def __init__(self, state_dir: Path, port: int = 0, *, keep: bool = False, images: Images | None = None) -> None:
        self.images = dict(images or {})
        self._folder = StateFolder(state_dir)
        self.state_dir = self._folder.run
        self.kept_dir = self._folder.kept if keep else self._folder.run
        self.stores = Stores()
        self.restored: Saved | None = None
        """The kept state that this server started with; without its content."""
        self._keeper: Keeper | None = None
        self._closers: list[Callable[[], None]] = []
        self._controls: dict[str, Control] = {}
        self._patches = Patches()
        self.rules = rules.Guard()
        self._dispatcher = Dispatcher(create_backend_app, self.rules)
        self._application_of_aws: Application = self._dispatcher
        try:
            self._server = listen(port, self._application)
        except PortInUseError:
            self._folder.release()
            raise
        self._folder.announce(self.endpoint_url)
        if keep:
            inherited = [self._folder.lock, self._server.fileno()]
            self._keeper = Keeper(self.kept_dir / STATE_FILE, Writer.here(self.port), self.stores, inherited)
        self._thread = threading.Thread(target=self._server.serve_forever, name="local-aws", daemon=True)

    @property
    def left(self) -> int:
        """How many processes of a server that was killed ran on in the folder, and have been ended."""
        return self._folder.left

    @property
    def port(self) -> int:
        """The port of the server."""
        return self._server.port

    @property
    def faults(self) -> Faults:
        """Faults on demand."""
        return self.rules.faults

    @property
    def endpoint_url(self) -> str:
        """The value for AWS_ENDPOINT_URL. It says `localhost` because moto reads bucket names from paths only there."""
        return f"http://localhost:{self.port}"

    def start(self) -> Self:
        """Install the extensions and serve requests."""
        self._set_moto_port()
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.authorization = authorization.install(self)
        self._application_of_aws = self.authorization.middleware(self._dispatcher)
        self.control("authorization", lambda body: self.authorization.report())
        self.control("operations", lambda body: self.rules.report())
        self.control("faults", self.faults.control)
        self.accounts = Accounts(self.endpoint_url)
        cloudformation.install(self)
        self.functions = functions.install(self)
        extensions = (
            keys,
            once,
            access_logs,
            aws_policies,
            trust_policies,
            quotas,
            public_resources,
            queues,
            senders,
            topics,
            chat,
            bucket_notifications,
            object_writes,
            object_versions,
            events,
            schedules,
            alarms,
            sagemaker,
            function_roles,
            log_groups,
            parameters,
            scaling,
        )
        for extension in extensions:
            extension.install(self)
        self.stores.refer("server", self)
        self.repositories, self.pipelines = codepipeline.install(self)
        if self._keeper:
            self._start_with_kept_state(self._keeper)
        else:
            self._serve()
        return self

    def _serve(self) -> None:
        self._thread.start()
        direct.open_to(self._server)

    def _start_with_kept_state(self, keeper: Keeper) -> None:
        self.kept_dir.mkdir(exist_ok=True)
        # Objects in memory: a child of the process cannot read a file that the process reads too.
        self.replace(s3_models, "get_s3_default_key_buffer_size", lambda: 0)
        try:
            restored = keeper.restore()
        except StateFileError:
            self._stop()
            raise
        self._serve()
        if restored:
            self.restored = replace(restored, content=b"")
            self.stores.restarted()
        keeper.start()

    def stop(self) -> None:
        """Stop the server and every job, endpoint and function; restore moto and forget its state, or keep it."""
        if self._keeper and self._thread.is_alive():
            self._keeper.stop(lambda: self._controls["flush"]({}))
        self._stop()

    def _stop(self) -> None:
        for close in reversed(self._closers):
            close()
        self._closers.clear()
        direct.close_to(self._server)
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(timeout=5)
        self._server.server_close()
        self._patches.undo()
        moto_api_backend.reset()
        self._folder.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def environment(self, region: str = "us-east-1") -> dict[str, str]:
        """Environment variables that direct AWS tools to this server as the administrator of the default account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "root",
            "AWS_SECRET_ACCESS_KEY": "root",
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
        }

    def session(self, account: str = DEFAULT_ACCOUNT, region: str = "us-east-1") -> boto3.Session:
        """A boto3 session of an account's administrator whose clients call this server."""
        keys = {"AWS_ACCESS_KEY_ID": "root", "AWS_SECRET_ACCESS_KEY": "root"}
        if account != DEFAULT_ACCOUNT:
            keys = self.accounts.assume(f"arn:aws:iam::{account}:role/administrator", "administrator")
        credentials: Any = {name.lower(): value for name, value in keys.items()}
        return EndpointSession(self.endpoint_url, region_name=region, **credentials)

    def on_stop(self, close: Callable[[], None]) -> None:
        """Call `close` when this stops, last registered first."""
        self._closers.append(close)

    def changed(self) -> None:
        """Say that something has changed that is kept, other than by a request."""
        if self._keeper:
            self._keeper.changed()

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute of one of moto's modules or classes until this stops."""
        self._patches.replace(owner, name, value)

    def when_imported(self, module: str, action: Callable[[ModuleType], None]) -> None:
        """Call `action` with a module of moto's as soon as it is imported: at once, or at its first use."""
        self._patches.when_imported(module, action)

    def serve(self, service: str, application: Any) -> None:
        """Serve a service, called as moto calls it, with a WSGI application in moto's place."""
        self._dispatcher.replaced[service] = application

    def control(self, name: str, action: Control) -> None:
        """Serve `/_local/<name>[/<argument>]` with the JSON body: test controls, such as one that fires a schedule."""
        self._controls[name] = action

    def post(self, name: str, **body: object) -> None:
        """Call a control over HTTP. Raises HTTPError with the reason when it refuses."""
        request = urllib.request.Request(  # noqa: S310 (the server of this object)
            f"{self.endpoint_url}/_local/{name}",
            data=json.dumps(body, default=datetime.isoformat).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            answer.read()

    def _set_moto_port(self) -> None:
        """Moto writes this port into the URLs of its queues."""
        before = os.environ.get("MOTO_PORT")
        os.environ["MOTO_PORT"] = str(self.port)

        def restore() -> None:
            del os.environ["MOTO_PORT"]
            if before is not None:
                os.environ["MOTO_PORT"] = before

        self.on_stop(restore)

    def _application(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith("/_local/"):
            return self._run_control(Request(environ))(environ, start_response)
        if self._keeper is None:
            return self._application_of_aws(environ, start_response)
        with self._keeper.request(changes=environ["REQUEST_METHOD"] not in ("GET", "HEAD")):
            return self._application_of_aws(environ, start_response)

    def _run_control(self, request: Request) -> Response:
        name, _, argument = request.path.removeprefix("/_local/").partition("/")
        action = self._controls.get(name)
        if action is None:
            known = ", ".join(self._controls)
            return _json_response({"error": f"no control {request.path!r}; there are {known}"}, 404)
        try:
            return _json_response(action(request.get_json(force=True, silent=True) or {}, *filter(None, [argument])))
        except KeyError as error:
            return _json_response({"error": f"the body of {request.path} needs {error}"}, 400)
        except (LookupError, ValueError) as error:
            return _json_response({"error": str(error)}, 400)


def _json_response(content: Any, status: int = 200) -> Response:
    return Response(json.dumps(content, default=str), status, mimetype="application/json")
