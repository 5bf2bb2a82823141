"""A WSGI application for images without AWS's serving toolkit: `gunicorn --chdir /opt/ml/model/code jobs.wsgi:app`.

It answers /ping and /invocations with the artifact whose code/ has this package (docs/how-to/use-an-own-image.md). The model is
loaded when this module is imported, so that a worker which cannot load it does not become healthy.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from flask import Request, Response

from . import serve
from .content_types import CSV, JSON

ANY = "*/*"
_served = serve.model_fn(str(Path(__file__).parents[2]))


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request, as AWS's toolkit does with `transform_fn`: bodies in CSV and JSON are passed as text."""
    return _answer(Request(environ))(environ, start_response)


def _answer(request: Request) -> Response:
    if (request.method, request.path) == ("GET", "/ping"):
        return Response(status=200)
    if (request.method, request.path) != ("POST", "/invocations"):
        return Response(status=404)
    content_type = request.content_type or JSON
    body = request.get_data(as_text=content_type in (CSV, JSON))
    accept = request.headers.get("Accept") or ANY
    return serve.transform_fn(_served, body, content_type, JSON if accept == ANY else accept)
