"""Requests of clients in the server's own process, served by a call in the place of a connection.

boto3's clients offer each request to the handlers of the event `before-send` first. The server's own clients have one that calls
the server's application: no socket, no thread, no second parser of HTTP. The application gets what the server would give it.
"""

import io
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.exceptions import InternalServerError
from werkzeug.serving import BaseWSGIServer

HANDLER = "local-aws"
"""The handler's id: it is called once for each request, however often it was registered."""
_HOSTS = ("localhost", "127.0.0.1")
_servers: dict[int, BaseWSGIServer] = {}
_serving: ContextVar[bool] = ContextVar("serving", default=False)


def open_to(server: BaseWSGIServer) -> None:
    """Serve the requests of this process to a server by calls, until `close_to`."""
    _servers[server.port] = server


def close_to(server: BaseWSGIServer) -> None:
    """Let requests to the server be HTTP again."""
    _servers.pop(server.port, None)


def use_calls(events: Any) -> None:
    """Let the clients that are made from now on with a session's `events` call a server of this process."""
    events.register("before-send", serve, unique_id=HANDLER)


def is_serving() -> bool:
    """Whether a request of this process is being served in this thread."""
    return _serving.get()


def serve(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    """The response of the server that the request is for, or None when it is not of this process."""
    url = urlsplit(request.url)
    server = _servers.get(url.port or 0)
    if server is None or url.hostname not in _HOSTS:
        return None
    environ = _Reader(request, server).make_environ()
    token = _serving.set(True)
    try:
        return _run(server.app, environ, request.url)
    except Exception as error:  # of any kind, as the server does
        server.log("error", f"Error on request: {type(error).__name__}: {error}")
        return _run(InternalServerError(), environ, request.url)
    finally:
        _serving.reset(token)


class _Reader(MotoRequestHandler):
    """Makes the environment of a request as the server makes it from a connection."""

    def __init__(self, request: AWSPreparedRequest, server: BaseWSGIServer) -> None:
        # Not the handler's own: it would read a connection.
        url = urlsplit(request.url)
        self.server, self.client_address, self.connection = server, ("127.0.0.1", 0), None
        self.path = request.url[request.url.index(url.netloc) + len(url.netloc) :] or "/"
        self.command, self.request_version = request.method, "HTTP/1.1"
        body: Any = request.body
        headers = {name: _text(value) for name, value in request.headers.items()}
        if isinstance(body, str):
            body = body.encode()
        if headers.pop("Transfer-Encoding", None):
            body = body.read() if hasattr(body, "read") else b"".join(body)
            headers["Content-Length"] = str(len(body))
        self.rfile: Any = body if hasattr(body, "read") else io.BytesIO(body or b"")
        self.headers: Any = {"Host": url.netloc, "Accept-Encoding": "identity"} | headers

    @property
    def server_version(self) -> str:
        """The name of the server's software."""
        return "local-aws"


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


class _Body(io.BytesIO):
    """A response's body, with what botocore calls of urllib3's responses."""

    def stream(self, amt: int = 2**16, decode_content: bool | None = None) -> Iterator[bytes]:
        """The rest of the body in parts."""
        while part := self.read(amt):
            yield part


def _run(application: Any, environ: dict[str, Any], url: str) -> AWSResponse:
    started: list[Any] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = [status, headers]
        return written.append

    answer: Iterable[bytes] = application(environ, start_response)
    try:
        written.extend(answer)
    finally:
        if close := getattr(answer, "close", None):
            close()
    status, headers = started
    content = b"" if environ["REQUEST_METHOD"] == "HEAD" else b"".join(written)
    return AWSResponse(url, int(status.split(None, 1)[0]), _joined(headers), _Body(content))


def _joined(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Headers by name; repeated ones joined, as HTTP clients do."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
