"""The module that AWS's scikit-learn container serves: model_fn once, transform_fn for every request.

Bad input is answered with 400 and JSON; an exception would reach the caller as 500 with a page of HTML.
"""

import json
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import payload, project
from .columns import Column
from .failures import JobFailure

if TYPE_CHECKING:
    from flask import Response


@dataclass(frozen=True)
class Served:
    """A loaded model, the user's code, the raw columns it takes, and the labels it knows, in the order of its scores."""

    project: project.Project
    model: Any
    columns: list[Column]
    classes: list[Any] | None = None


def model_fn(model_dir: str) -> Served:
    """Load what Train left in `model_dir`."""
    folder = Path(model_dir)
    loaded = project.load(folder / "code")
    serving = json.loads((folder / "serving.json").read_text())
    return Served(loaded, loaded.load(folder), payload.columns_of(serving["columns"]), serving.get("classes"))


def transform_fn(served: Served, body: bytes | str, content_type: str, accept: str) -> "Response":
    """Scores for the rows in the body."""
    try:
        raw = payload.parse(body, content_type, served.columns)
        scores = served.project.predict(served.model, served.project.features(raw))
    except payload.BadRequest as error:
        return _error(400, str(error))
    except JobFailure as error:
        traceback.print_exc(file=sys.stderr)
        return _error(500, str(error))
    text, kind = payload.write_response(scores, accept)
    return _response(text, 200, kind)


def _error(status: int, reason: str) -> "Response":
    return _response(json.dumps({"error": reason}), status, "application/json")


def _response(text: str, status: int, kind: str) -> "Response":
    from flask import Response  # only where requests come in: Evaluate loads models, too

    return Response(text, status, content_type=kind)
