"""Start and stop: moto's server on a local port, with the extensions of the other modules installed."""

import json
import logging
import os
import threading
import urllib.request
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Request, Response

from . import (
    accounts,
    alarms,
    authorization,
    cloudformation,
    codepipeline,
    events,
    functions,
    queues,
    sagemaker,
    schedules,
    topics,
)

if TYPE_CHECKING:
    from .accounts import Accounts
    from .authorization import Authorization
    from .codepipeline.repositories import Repositories
    from .codepipeline.service import JsonService
    from .functions import Functions

type Control = Callable[..., Any]


class _QuietHandler(MotoRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 (werkzeug's name)
        """Requests are not printed; they would drown the output of whoever started the server."""


class Dispatcher(DomainDispatcherApplication):
    """Moto's choice of the service that a request is for, with services of our own in the place of some of moto's."""

    def __init__(self, create_app: Any) -> None:
        super().__init__(create_app)
        self.ours: dict[str, Any] = {}
        # Moto lists its own folders at each request to answer this.
        self.get_backend_for_host = cache(self.get_backend_for_host)

    def get_application(self, environ: dict[str, Any]) -> Any:
        """The WSGI application that serves the request."""
        application: Any = super().get_application(environ)
        return self.ours.get(application.service, application)


class LocalAws:
    """An embedded AWS in this process, reachable at `endpoint_url` by any AWS tool.

    `state_dir` keeps what jobs and endpoints unpack. Moto's state belongs to the process: one LocalAws at a time.
    """

    accounts: "Accounts"
    authorization: "Authorization"
    functions: "Functions"
    repositories: "Repositories"
    pipelines: "JsonService"

    def __init__(self, state_dir: Path, port: int = 0) -> None:
        # Jobs run in folders of their own below it.
        self.state_dir = state_dir.resolve()
        self._closers: list[Callable[[], None]] = []
        self._controls: dict[str, Control] = {}
        self._dispatcher = Dispatcher(create_backend_app)
        self._moto: Any = self._dispatcher
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", port, self._application, threaded=True, request_handler=_QuietHandler
        )
        self._thread = threading.Thread(target=self._server.serve_forever, name="local-aws", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    @property
    def endpoint_url(self) -> str:
        """What AWS_ENDPOINT_URL must be. `localhost`, because moto reads bucket names from paths only there."""
        return f"http://localhost:{self.port}"

    def start(self) -> Self:
        """Install the extensions and serve."""
        os.environ["MOTO_PORT"] = str(self.port)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        authorization.install(self)
        self.control("authorization", lambda body: self.authorization.report())
        accounts.install(self)
        extensions = (
            cloudformation,
            functions,
            queues,
            topics,
            events,
            schedules,
            alarms,
            sagemaker,
            codepipeline,
        )
        for extension in extensions:
            extension.install(self)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and everything that was started: jobs, endpoints, functions. Nothing is left running."""
        for close in reversed(self._closers):
            close()
        self._closers.clear()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(timeout=5)
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def on_stop(self, close: Callable[[], None]) -> None:
        """Call `close` when this stops, last registered first."""
        self._closers.append(close)

    def serve(self, service: str, application: Any) -> None:
        """Serve a service, called as moto calls it, with a WSGI application in moto's place."""
        self._dispatcher.ours[service] = application

    def control(self, name: str, action: Control) -> None:
        """Serve `/_local/<name>[/<argument>]` with the JSON body: what moves time on, which on AWS nobody has to ask for."""
        self._controls[name] = action

    def post(self, name: str, **body: object) -> None:
        """Call a control as anybody else would, over HTTP. Raises HTTPError with the reason when it refuses."""
        request = urllib.request.Request(  # noqa: S310 (our own server)
            f"{self.endpoint_url}/_local/{name}",
            data=json.dumps(body, default=datetime.isoformat).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            answer.read()

    def _application(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith("/_local/"):
            return self._moto(environ, start_response)
        request = Request(environ)
        name, _, argument = request.path.removeprefix("/_local/").partition("/")
        action = self._controls.get(name)
        if action is None:
            known = ", ".join(self._controls)
            return Response(json.dumps({"error": f"no control {request.path!r}; there are {known}"}), 404)(
                environ, start_response
            )
        try:
            answer = action(request.get_json(force=True, silent=True) or {}, *filter(None, [argument]))
        except (LookupError, ValueError) as error:
            return Response(json.dumps({"error": str(error)}), 400, mimetype="application/json")(
                environ, start_response
            )
        return Response(json.dumps(answer, default=str), mimetype="application/json")(environ, start_response)
