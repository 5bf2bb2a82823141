"""The HTTP server: its port, and the application that serves a request."""

import os
import socket
from functools import cache
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from . import rules
from .interfaces import Application


class PortInUseError(OSError):
    """The server cannot listen on the port, usually because another program does."""

    def __init__(self, port: int, error: OSError) -> None:
        super().__init__(error.errno, os.strerror(error.errno or 0))
        self.port = port

    def __str__(self) -> str:
        return f"port {self.port} cannot be used: {self.strerror}. Choose another port"


class _QuietHandler(MotoRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 (werkzeug's name)
        """Print no line for each request."""


class Dispatcher(DomainDispatcherApplication):
    """Moto's choice of the application for a request, with applications of the embedded AWS in the place of some."""

    def __init__(self, create_app: Any, guard: rules.Guard) -> None:
        super().__init__(create_app)
        self.replaced: dict[str, Any] = {}
        self._guard = guard
        # Moto lists its own folders at each request to answer this.
        self.get_backend_for_host = cache(self.get_backend_for_host)

    def get_application(self, environ: dict[str, Any]) -> Any:
        """The WSGI application that serves the request, behind AWS's rules."""
        application: Any = super().get_application(environ)
        return self._guard.before(application.service, self.replaced.get(application.service, application))


def listen(port: int, application: Application) -> BaseWSGIServer:
    """A server on a port of this machine; port 0: a free one. Raises PortInUseError."""
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise PortInUseError(port, error) from error
    with listener:
        address, port = listener.getsockname()
        return make_server(
            address, port, application, threaded=True, request_handler=_QuietHandler, fd=listener.fileno()
        )
