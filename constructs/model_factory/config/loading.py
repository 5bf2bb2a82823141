"""Reads YAML into typed configuration. A mistake is reported with its file, its line and the nearest valid value."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .factory import FactoryConfig
from .fields import EXPECTED
from .model import ModelConfig

type Location = tuple[str | int, ...]


@dataclass(frozen=True)
class Mistake:
    """One mistake in a file. `line` counts from 1; None when the mistake concerns the whole file."""

    file: Path
    line: int | None
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


class ConfigError(Exception):
    """One or more mistakes in configuration files; all of them are reported at once."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


def load_factory(path: Path) -> FactoryConfig:
    """Read and check `factory.yaml`.

    Args:
        path: The file.

    Raises:
        ConfigError: The file cannot be read or has mistakes.
    """
    return _load(path, FactoryConfig)


def load_model(folder: Path) -> ModelConfig:
    """Read and check the `model.yaml` of one model.

    Args:
        folder: Folder of the model, which has the model's name.

    Raises:
        ConfigError: The file cannot be read or has mistakes, or the folder has another name than the model.
    """
    path = folder / "model.yaml"
    own = (folder / "pipeline.py").is_file()
    config = _load(path, ModelConfig, {"pipeline": {}, "gate": None} if own else {})
    if own and (folder / "model.py").is_file():
        raise ConfigError(
            [
                Mistake(
                    folder / "pipeline.py",
                    None,
                    "model.py lies beside it: a model is trained by the pipeline of pipeline.py or by the standard one with "
                    "model.py; remove one of them",
                )
            ]
        )
    if config.pipeline and not own:
        raise ConfigError(
            [
                Mistake(
                    path,
                    line_of(path, "pipeline"),
                    "pipeline is for models with a pipeline.py, and there is none here; add it, or remove the section",
                )
            ]
        )
    if config.name != folder.resolve().name:
        raise ConfigError(
            [
                Mistake(
                    path,
                    line_of(path, "name"),
                    f"name is {config.name!r} but the folder is {folder.name!r}; make them equal",
                )
            ]
        )
    return config


def load_models(root: Path) -> dict[str, ModelConfig]:
    """Read and check every `<root>/*/model.yaml`, by name in alphabetical order.

    Args:
        root: Folder with one folder per model.

    Raises:
        ConfigError: Files cannot be read or have mistakes. The error has the mistakes of all files.
    """
    models: dict[str, ModelConfig] = {}
    mistakes: list[Mistake] = []
    for path in sorted(root.glob("*/model.yaml")):
        try:
            config = load_model(path.parent)
            models[config.name] = config
        except ConfigError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigError(mistakes)
    return models


def line_of(path: Path, *key: str | int) -> int | None:
    """The line of a key in a file that has been loaded, such as `line_of(path, "serving", "mode")`; items by index."""
    return _lines(yaml.compose(path.read_text(), Loader=yaml.SafeLoader)).get(key)


def _load[T: BaseModel](path: Path, schema: type[T], defaults: Mapping[str, Any] | None = None) -> T:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError([Mistake(path, None, "there is no such file")]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([Mistake(path, None, f"is not UTF-8 text: {error.reason} at byte {error.start}")]) from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        duplicates = [Mistake(path, line, f"key {key!r} is given twice") for key, line in _duplicate_keys(node)]
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise ConfigError([Mistake(path, line, f"is not YAML: {error.problem}")]) from None
    if duplicates:
        raise ConfigError(duplicates)
    if not isinstance(content, dict):
        raise ConfigError([Mistake(path, 1, f"must be a mapping with {', '.join(_keys(schema))}")])
    try:
        return schema.model_validate({**(defaults or {}), **content})
    except ValidationError as error:
        lines = _lines(node)
        found = [_in_the_file(e) for e in error.errors(include_url=False)]
        mistakes = [Mistake(path, _line(lines, e), _message(schema, e)) for e in found]
        raise ConfigError(sorted(mistakes, key=lambda m: m.line or 0)) from None


def _in_the_file(error: ErrorDetails) -> ErrorDetails:
    """The error without the tags of alternatives, which pydantic adds to a location and which are not in the file."""
    location = tuple(part for part in error["loc"] if not (isinstance(part, str) and part.startswith("(")))
    return {**error, "loc": location}


def _lines(node: yaml.Node | None, at: Location = ()) -> dict[Location, int]:
    """Line (from 1) of every key and item in the document, by its path."""
    lines = {at: node.start_mark.line + 1} if node and not at else {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*at, key.value)
            lines |= {here: key.start_mark.line + 1} | _lines(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            here = (*at, index)
            lines |= {here: value.start_mark.line + 1} | _lines(value, here)
    return lines


def _duplicate_keys(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
            yield from _duplicate_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _duplicate_keys(value)


def _line(lines: dict[Location, int], error: ErrorDetails) -> int | None:
    """The line of the deepest part of the error's location that is in the document.

    The message of a check of a whole section starts with the key that is wrong ("gate.metric 'x' is not a metric of …").
    """
    at: Location = tuple(error["loc"])
    if error["type"] == "value_error":
        about = str(error.get("ctx", {})["error"]).split()[0]
        at = (*at, *about.split("."))
    while at and at not in lines:
        at = at[:-1]
    return lines.get(at)


def _message(schema: type[BaseModel], error: ErrorDetails) -> str:
    location, context = error["loc"], error.get("ctx", {})
    where = ".".join(map(str, location))
    match error["type"]:
        case "extra_forbidden":
            known = _keys(_section(schema, location[:-1]))
            near = difflib.get_close_matches(str(location[-1]), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(known)}"
            return f"unknown key {where!r}; {hint}"
        case "missing":
            return f"{where!r} is missing; it is required"
        case "literal_error":
            allowed: list[str] = re.findall(r"'([^']+)'", context["expected"])
            near = difflib.get_close_matches(str(error["input"]), allowed, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            return f"{where}: {error['input']!r} is not one of {context['expected']}{hint}"
        case "string_pattern_mismatch" if context["pattern"] in EXPECTED:
            return f"{where}: {error['input']!r} is not {EXPECTED[context['pattern']]}"
        case "string_type" if isinstance(error["input"], int | float | date) and not isinstance(error["input"], bool):
            kind = "a date" if isinstance(error["input"], date) else "a number"
            return f"{where}: YAML reads {error['input']} as {kind}; put it in quotes"
        case "value_error":
            reason = str(context["error"])
            return f"{where}: {reason}" if where else reason
        case _:
            return f"{where}: {error['msg'][0].lower()}{error['msg'][1:]} (found {error['input']!r})"


def _section(schema: type[BaseModel], location: Sequence[str | int]) -> type[BaseModel]:
    """The model class that holds the key at `location`."""
    for part in location:
        for name, field in schema.model_fields.items():
            if part in (name, field.alias):
                schema = next(iter(_models_in(field.annotation)), schema)
    return schema


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _keys(schema: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in schema.model_fields.items()]
