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

import pandas as pd

from . import answers, payload, project, wrong_values
from .columns import Column, violations
from .failures import JobFailure

if TYPE_CHECKING:
    from flask import Response


@dataclass(frozen=True)
class Served:
    """A loaded model with the user's code, its raw columns, and its labels in the order of the scores (None in regression).

    `version`: that of the model package, as the endpoint's model has it in MODEL_VERSION; None where nobody set it.
    `example`: one canonical row that the model scores; None in artifacts that were trained without one.
    `refuse_invalid`: whether values outside of the schema's ranges and lists are refused, `serving.invalid_values`.
    """

    project: project.Project
    model: Any
    columns: list[Column]
    classes: list[Any] | None = None
    version: int | None = None
    example: pd.DataFrame | None = None
    refuse_invalid: bool = False


def model_fn(model_dir: str) -> Served:
    """Load the unpacked artifact in `model_dir`, and score its example row. Raises JobFailure.

    A container in which model.py fails does not become healthy then, instead of answering each request with 500.
    """
    folder = Path(model_dir)
    loaded = project.load(folder / "code")
    serving = json.loads((folder / "serving.json").read_text())
    columns = payload.columns_of(serving["columns"])
    model = loaded.load(folder)
    example = payload.typed([serving["example"]], columns)[0] if serving.get("example") else None
    if example is not None:
        loaded.predict(model, loaded.features(example))
    version = os.environ.get("MODEL_VERSION", "")
    return Served(
        loaded,
        model,
        columns,
        serving.get("classes"),
        int(version) if version.isdecimal() else None,
        example,
        os.environ.get("INVALID_VALUES") == "refuse",
    )


def transform_fn(served: Served, body: bytes | str, content_type: str, accept: str) -> "Response":
    """The scores of the rows in `body`: 200, 400 for an invalid request, 500 for an error in model.py; errors as JSON.

    A request is invalid, too, when model.py raises an error for a value in it and scores other values. Scores name the version
    that answered: in the content type, which data capture keeps, and in the custom attributes, which InvokeEndpoint returns.
    """
    try:
        raw = payload.parse(body, content_type, served.columns)
    except payload.BadRequest as error:
        return _error(400, str(error))
    if served.refuse_invalid and (outside := violations(raw, served.columns)):
        return _error(400, payload.why_bad(outside))
    try:
        scores = served.project.predict(served.model, served.project.features(raw))
    except JobFailure as error:
        traceback.print_exc(file=sys.stderr)
        return _failed(served, raw, error)
    text, kind = answers.write(scores, answers.accepted(accept), served.classes)
    response = _response(text, 200, answers.with_version(kind, served.version))
    if served.version is not None:
        response.headers["X-Amzn-SageMaker-Custom-Attributes"] = f"model-version={served.version}"
    return response


def _failed(served: Served, raw: pd.DataFrame, error: JobFailure) -> "Response":
    if served.example is not None:
        wrong = wrong_values.find(error, served.project, served.model, raw, served.columns, served.example)
        if wrong is not None:
            return _error(400, wrong)
    return _error(500, str(error))


def _error(status: int, reason: str) -> "Response":
    return _response(json.dumps({"error": reason}), status, "application/json")


def _response(text: str, status: int, kind: str) -> "Response":
    from flask import Response  # here and not above: evaluate and score import this module without Flask

    return Response(text, status, content_type=kind)
