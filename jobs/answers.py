"""Bodies of responses: written by serving, read by monitoring and by the command.

A response names the version that answered in its content type, because SageMaker's data capture keeps a response's content type
as the container gave it, and no other header of it.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from .content_types import CSV, JSON, JSON_LINES, BadRequest, media_type
from .metrics import THRESHOLD

LABELS = "labels"
"""Parameter of `Accept`: `application/json; labels=true` asks for the label and the score of each class."""
_VERSION = re.compile(r";\s*model-version=(\d{1,9})\s*(?:;|$)")


@dataclass(frozen=True)
class Form:
    """What a caller accepts: the media type, and whether answers carry labels."""

    kind: str = CSV
    labels: bool = False


def accepted(accept: str) -> Form:
    """The form that `accept`, a header as in RFC 9110, prefers: the one with the greatest q, and of equal ones the first.

    CSV where it names none of ours: a response that the caller did not ask for helps more than an error.
    """
    best, quality = Form(), 0.0
    for part in (accept or "").split(","):
        kind, parameters = media_type(part)
        q = _quality(parameters.get("q", "1"))
        if kind in (CSV, JSON, JSON_LINES) and q > quality:
            best, quality = Form(kind, kind != CSV and parameters.get(LABELS) == "true"), q
    return best


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def write(scores: np.ndarray, form: Form, classes: list[Any] | None = None) -> tuple[str, str]:
    """Scores, (rows,) or (rows x classes), as (body, content type).

    With `form.labels`, each prediction is {"label", "scores": {class: score}}, in which the label has the greatest score, or in
    binary classification is positive from 0.5; in regression (`classes` is None) it stays a number.
    """
    if form.kind == CSV:
        lines = (
            map(repr, scores.tolist()) if scores.ndim == 1 else (",".join(map(repr, row)) for row in scores.tolist())
        )
        return "\n".join(lines) + "\n", CSV
    predictions, kind = scores.tolist(), form.kind
    if form.labels and classes is not None:
        predictions = _with_labels(scores, classes)
        kind = f"{kind}; {LABELS}={'binary' if scores.ndim == 1 else 'multiclass'}"
    if form.kind == JSON:
        return json.dumps({"predictions": predictions}), kind
    return "".join(f"{json.dumps(each)}\n" for each in predictions), kind


def _with_labels(scores: np.ndarray, classes: list[Any]) -> list[dict[str, Any]]:
    if scores.ndim == 1:
        chosen, scores = (scores >= THRESHOLD).astype(int), np.column_stack([1 - scores, scores])
    else:
        chosen = scores.argmax(axis=1)
    names = [str(each) for each in classes]
    return [
        {"label": classes[index], "scores": dict(zip(names, row, strict=True))}
        for index, row in zip(chosen.tolist(), scores.tolist(), strict=True)
    ]


def read(body: bytes | str, content_type: str) -> np.ndarray:
    """Scores of a response: (rows,) or (rows x classes). Raises BadRequest."""
    kind, parameters = media_type(content_type)
    try:
        text = body.decode() if isinstance(body, bytes) else body
        if kind in (JSON, JSON_LINES):
            predictions = (
                json.loads(text)["predictions"] if kind == JSON else [json.loads(line) for line in text.splitlines()]
            )
            return _scores(predictions, parameters.get(LABELS))
        rows = [[float(value) for value in line.split(",")] for line in text.split()]
        scores = np.asarray(rows, dtype="float64")
        return scores[:, 0] if scores.shape[1:] == (1,) else scores
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise BadRequest(f"the response is not readable: {error}") from None


def _scores(predictions: list[Any], labels: str | None) -> np.ndarray:
    if labels is None:
        return np.asarray(predictions, dtype="float64")
    scores = np.asarray([list(each["scores"].values()) for each in predictions], dtype="float64")
    return scores[:, 1] if labels == "binary" else scores


def with_version(content_type: str, version: int | None) -> str:
    """A response's content type that names the version that answered: `text/csv; model-version=7`."""
    return content_type if version is None else f"{content_type}; model-version={version}"


def version_in(content_type: str) -> int | None:
    """The version that a response's content type names; None for one without, as of older artifacts."""
    named = _VERSION.search(content_type)
    return int(named[1]) if named else None
