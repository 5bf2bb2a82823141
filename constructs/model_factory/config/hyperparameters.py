"""Hyperparameters as SageMaker takes them: strings, which the job train turns into what model.yaml says."""

import json


def text(value: bool | int | float | str) -> str:
    """The string of a hyperparameter for CreateTrainingJob: at most 2,500 characters.

    Numbers, true and false are written as JSON. A string stays as it is, unless the job would read it as JSON, as "10" or
    "true": that one is written as a JSON string, in quotes.
    """
    if isinstance(value, str) and not _is_json(value):
        return value
    return json.dumps(value)


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True
