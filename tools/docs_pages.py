"""Writes docs/reference/generated: pages of the commands, the keys of both configuration files and the public API.

The text is from the code: Typer's help, the JSON Schemas and docstrings. `make docs` runs it.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import typer
from typer.cli import get_docs_for_click

import model_factory
from model_factory.config import FactoryConfig, ModelConfig

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference" / "generated"


def main() -> None:
    """Write every page; remove pages that are not generated any more."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.md"):
        if path.name not in PAGES:
            path.unlink()
    for name, content in PAGES.items():
        (FOLDER / name).write_text(content(), encoding="utf-8")


def commands() -> str:
    """The help of `model-factory` and of its commands."""
    (script,) = entry_points(group="console_scripts", name="model-factory")
    app = sys.modules[script.load().__module__].app
    command = typer.main.get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="model-factory", title="Commands")
    return "\n".join(line if line.startswith("$ ") else _escape(line) for line in text.splitlines()) + "\n"


def api() -> str:
    """Every exported name, grouped by the package that defines it; mkdocstrings adds signatures and docstrings."""
    packages: dict[str, list[str]] = {}
    for name in sorted(model_factory.__all__):
        module = getattr(model_factory, name).__module__
        packages.setdefault(".".join(module.split(".")[:2]), []).append(f"{module}.{name}")
    text = "# Python API\n\nEvery name is imported from `model_factory`: `from model_factory import DataLake`.\n"
    for package, paths in sorted(packages.items()):
        text += f"\n## {package}\n"
        for path in paths:
            text += f"\n::: {path}\n"
    return text


def configuration(title: str, schema: Mapping[str, Any]) -> str:
    """A section per mapping of the file, with a row per key."""
    text = f"# {title}\n\n{_escape(schema.get('description', ''))}\n\n"
    text += f"`model-factory schema {title.split('.')[0]}` prints the same as a JSON Schema for editors.\n"
    for path, section in _sections("", schema, schema.get("$defs", {})):
        text += f"\n## `{path}`\n\n{_escape(section.get('description', ''))}\n" if path else ""
        text += "\n| key | type | default | description |\n| --- | --- | --- | --- |\n"
        required = section.get("required", [])
        for key, value in section["properties"].items():
            default = "required" if key in required else _default(value)
            cells = (f"`{key}`", _type(value), default, _escape(value.get("description", "")))
            text += "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"
    return text


def _sections(
    path: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The mapping and its nested mappings, each with its dotted path; `[]` for list items, `<name>` for any key."""
    yield path, schema
    for key, value in schema["properties"].items():
        for suffix, name in _references(value):
            yield from _sections(f"{path}.{key}{suffix}".lstrip("."), definitions[name], definitions)


def _references(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "$ref" in value:
        yield "", value["$ref"].rsplit("/", 1)[1]
    for suffix, inner in (("[]", value.get("items")), (".<name>", value.get("additionalProperties"))):
        if isinstance(inner, Mapping):
            yield from ((suffix + more, name) for more, name in _references(inner))
    for option in [*value.get("anyOf", []), *value.get("oneOf", [])]:
        yield from _references(option)


def _type(value: Mapping[str, Any]) -> str:
    if options := [*value.get("anyOf", []), *value.get("oneOf", [])]:
        return " or ".join(dict.fromkeys(_type(option) for option in options))
    if "$ref" in value or "additionalProperties" in value:
        return "mapping"
    if "enum" in value or "const" in value:
        return ", ".join(f"`{each}`" for each in value.get("enum", [value.get("const")]))
    if value.get("type") == "array":
        return f"list of {_type(value['items'])}"
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {value[key]}" for key, sign in bounds.items() if key in value]
    examples = ", such as " + ", ".join(f"`{each}`" for each in value["examples"]) if "examples" in value else ""
    return " ".join([value.get("type", "any"), *limits]) + examples


def _default(value: Mapping[str, Any]) -> str:
    if isinstance(value.get("default"), dict) or "$ref" in value:
        return "see below"
    return f"`{json.dumps(value['default'])}`" if "default" in value else "empty"


def _escape(text: str) -> str:
    """Markdown in which `<name>` outside of code is text, not an HTML element."""
    parts = text.split("`")
    return "`".join(part if index % 2 else part.replace("<", "&lt;") for index, part in enumerate(parts))


PAGES = {
    "commands.md": commands,
    "factory-yaml.md": lambda: configuration("factory.yaml", FactoryConfig.model_json_schema(by_alias=True)),
    "model-yaml.md": lambda: configuration("model.yaml", ModelConfig.model_json_schema(by_alias=True)),
    "api.md": api,
}

if __name__ == "__main__":
    main()
