"""Where the S3 URIs of an own pipeline's definition point to: its code, and a folder for each execution.

What a training writes lies below `<model>/executions/<execution id>/`, as what a standard training writes: there roles may read
and write, and there the recorder and a promotion look for the files of a version.
"""

from collections.abc import Iterator
from typing import Any

from ..definition import Execution
from ..definition.functions import render
from ..own_pipeline.code_files import CODE, WRITTEN
from ..own_pipeline.placeholders import map_uris

_MARK = "s3://model-factory-key/"
_ID = render(Execution.ID)


def place_uris(definition: dict[str, Any], *, executions: str, code: str) -> dict[str, Any]:
    """A copy of the definition with every URI in the default bucket replaced.

    An output, and what is read from an output, is below the execution's own folder; code below `code`; other URIs, such as
    those of data that somebody puts there, below `executions`.

    Args:
        definition: The definition with placeholders.
        executions: S3 URI of the folder of all executions.
        code: S3 URI of the folder with the code.
    """
    marked = map_uris(definition, lambda key: f"{_MARK}{key}")
    outputs = {key for step in marked["Steps"] for key in _outputs(step, written=False)}

    def place(value: Any, inside_function: bool = False) -> Any:
        if isinstance(value, str):
            return whole(value) if value.startswith(_MARK) and not inside_function else plain(value)
        if isinstance(value, list):
            return [place(item, inside_function) for item in value]
        if isinstance(value, dict):
            if set(value) == {"Std:Join"}:
                return {"Std:Join": value["Std:Join"] | {"Values": joined(value["Std:Join"])}}
            return {key: place(item, inside_function) for key, item in value.items()}
        return value

    def whole(uri: str) -> Any:
        key = uri.removeprefix(_MARK)
        if key.startswith(f"{CODE}/") or not any(_is_below(key, each) for each in outputs):
            return plain(uri)
        return {"Std:Join": {"On": "/", "Values": [executions, _ID, *([key] if key else [])]}}

    def joined(join: dict[str, Any]) -> list[Any]:
        first, *rest = join["Values"] or [""]
        rest = [place(each, inside_function=True) for each in rest]
        is_uri = isinstance(first, str) and first.startswith(_MARK) and not first.startswith(f"{_MARK}{CODE}/")
        if join.get("On") != "/" or not is_uri:
            return [place(first, inside_function=True), *rest]
        key = first.removeprefix(_MARK)
        return [executions, _ID, *([key] if key else []), *rest]

    def plain(text: str) -> str:
        return text.replace(f"{_MARK}{CODE}/", f"{code}/").replace(_MARK, f"{executions}/")

    parameters = [place(each, inside_function=True) for each in marked.get("Parameters", [])]
    return marked | {"Parameters": parameters, "Steps": place(marked["Steps"])}


def _outputs(value: Any, written: bool) -> Iterator[str]:
    """Keys in the default bucket that jobs write to."""
    if isinstance(value, str) and written and value.startswith(_MARK):
        yield value.removeprefix(_MARK)
    elif isinstance(value, list):
        for item in value:
            yield from _outputs(item, written)
    elif isinstance(value, dict) and "Std:Join" not in value:
        for key, item in value.items():
            yield from _outputs(item, written or key in WRITTEN)


def _is_below(key: str, folder: str) -> bool:
    folder = folder.rstrip("/")
    return not folder or key.rstrip("/") == folder or key.startswith(f"{folder}/")
