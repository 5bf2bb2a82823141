"""The module that AWS's scikit-learn container serves: model_fn once, transform_fn for every request.

Bad input is answered with 400 and JSON; an exception would reach the caller as 500 with a page of HTML.
"""

import json
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Response

from . import payload, project
from .columns import Column
from .failures import JobFailure


@dataclass(frozen=True)
class Served:
    """A loaded model, the user's code, and the raw columns it takes."""

    project: project.Project
    model: Any
    columns: list[Column]


def model_fn(model_dir: str) -> Served:
    """Load what Train left in `model_dir`."""
    folder = Path(model_dir)
    loaded = project.load(folder / "code")
    serving = json.loads((folder / "serving.json").read_text())
    return Served(loaded, loaded.load(folder), payload.columns_of(serving["columns"]))


def transform_fn(served: Served, body: bytes | str, content_type: str, accept: str) -> Response:
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
    return Response(text, 200, content_type=kind)


def _error(status: int, reason: str) -> Response:
    return Response(json.dumps({"error": reason}), status, content_type="application/json")
