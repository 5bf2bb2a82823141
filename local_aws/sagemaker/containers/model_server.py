"""The serving side of AWS's scikit-learn container, as a script: the user's module behind /ping and /invocations.

`model_server.py <model folder> <port>`. The module is SAGEMAKER_PROGRAM in SAGEMAKER_SUBMIT_DIRECTORY; it has
model_fn(model_dir) and either transform_fn(model, body, content_type, accept) or input_fn, predict_fn and output_fn.
JSON and CSV bodies arrive as str. tests/conformance holds it to AWS's own toolkit.
"""

import importlib
import io
import json
import os
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn
from types import ModuleType
from typing import IO, Any, cast
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

import flask

TEXT = ("application/json", "text/csv")
DEFAULT = "application/json"


class Server(ThreadingMixIn, WSGIServer):
    """A WSGI server with a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128


class Response(ServerHandler):
    """A response in HTTP/1.1, whose connection stays open."""

    http_version = "1.1"
    request_handler: "Handler"


class Handler(WSGIRequestHandler):
    """HTTP/1.1 with persistent connections, without a log line for each request; Werkzeug's server closes each connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    handle = BaseHTTPRequestHandler.handle

    def get_environ(self) -> dict[str, Any]:
        """The request's WSGI variables; without the header, CONTENT_TYPE is empty and not text/plain."""
        return super().get_environ() | {"CONTENT_TYPE": self.headers.get("Content-Type", "")}

    def answer(self) -> None:
        """Answer a request whose body is read: what the application left of it would be taken for the next request."""
        body = io.BytesIO(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        response = Response(body, cast("IO[bytes]", self.wfile), self.get_stderr(), self.get_environ())
        response.request_handler = self
        response.run(cast("Any", self.server).get_app())

    do_GET = do_POST = answer  # noqa: N815 - http.server's names

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Log nothing."""


def main(model_dir: str, port: int) -> None:
    """Serve until killed."""
    code = os.environ["SAGEMAKER_SUBMIT_DIRECTORY"]
    sys.path.insert(0, code)
    module = importlib.import_module(os.environ["SAGEMAKER_PROGRAM"].removesuffix(".py"))
    answer = _transformer(module, module.model_fn(model_dir))
    application = flask.Flask(__name__)

    @application.get("/ping")
    def ping() -> flask.Response:
        return flask.Response(status=200)

    @application.post("/invocations")
    def invocations() -> flask.Response:
        content_type = flask.request.content_type or DEFAULT
        accept = flask.request.headers.get("Accept")
        if not accept or accept == "*/*":
            accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", DEFAULT)
        return answer(flask.request.get_data(as_text=content_type in TEXT), content_type, accept)

    print(f"serving {os.environ['SAGEMAKER_PROGRAM']} on port {port}", flush=True)
    server = Server(("127.0.0.1", port), Handler)
    server.set_app(application)
    server.serve_forever()


def _transformer(module: ModuleType, model: Any) -> Callable[[Any, str, str], flask.Response]:
    if hasattr(module, "transform_fn"):

        def transform(body: Any, content_type: str, accept: str) -> flask.Response:
            return _response(module.transform_fn(model, body, content_type, accept), accept)

        return transform

    def three_functions(body: Any, content_type: str, accept: str) -> flask.Response:
        prediction = module.predict_fn(module.input_fn(body, content_type), model)
        return _response(module.output_fn(prediction, accept), accept)

    return three_functions


def _response(result: Any, accept: str) -> flask.Response:
    if isinstance(result, flask.Response):
        return result
    if isinstance(result, tuple):
        return flask.Response(result[0], content_type=result[1])
    return flask.Response(result if isinstance(result, str | bytes) else json.dumps(result), content_type=accept)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
