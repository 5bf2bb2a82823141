"""Serving in AWS's scikit-learn container: it calls model_fn once, and transform_fn for every request.

Responses to invalid requests are 400 with JSON. A raised exception would become a 500 with an HTML page.
"""

import json
import os
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
    """A loaded model with the user's code, its raw columns, and its labels in the order of the scores (None in regression).

    `version`: that of the model package, as the endpoint's model has it in MODEL_VERSION; None where nobody set it.
    """

    project: project.Project
    model: Any
    columns: list[Column]
    classes: list[Any] | None = None
    version: int | None = None


def model_fn(model_dir: str) -> Served:
    """Load the unpacked artifact in `model_dir`. Raises JobFailure."""
    folder = Path(model_dir)
    loaded = project.load(folder / "code")
    serving = json.loads((folder / "serving.json").read_text())
    version = os.environ.get("MODEL_VERSION", "")
    return Served(
        loaded,
        loaded.load(folder),
        payload.columns_of(serving["columns"]),
        serving.get("classes"),
        int(version) if version.isdecimal() else None,
    )


def transform_fn(served: Served, body: bytes | str, content_type: str, accept: str) -> "Response":
    """The scores of the rows in `body`: 200, 400 for an invalid request, 500 for an error in model.py; errors as JSON.

    Scores name the version that answered: in the content type, which data capture keeps, and in the custom attributes, which
    InvokeEndpoint returns.
    """
    try:
        raw = payload.parse(body, content_type, served.columns)
        scores = served.project.predict(served.model, served.project.features(raw))
    except payload.BadRequest as error:
        return _error(400, str(error))
    except JobFailure as error:
        traceback.print_exc(file=sys.stderr)
        return _error(500, str(error))
    text, kind = payload.write_response(scores, accept)
    response = _response(text, 200, payload.with_version(kind, served.version))
    if served.version is not None:
        response.headers["X-Amzn-SageMaker-Custom-Attributes"] = f"model-version={served.version}"
    return response


def _error(status: int, reason: str) -> "Response":
    return _response(json.dumps({"error": reason}), status, "application/json")


def _response(text: str, status: int, kind: str) -> "Response":
    from flask import Response  # here and not above: evaluate and score import this module without Flask

    return Response(text, status, content_type=kind)
