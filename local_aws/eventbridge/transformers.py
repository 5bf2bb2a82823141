"""What a rule's target receives: Input, InputPath and InputTransformer.

Sources: EventBridge's guide, 'Amazon EventBridge input transformation', and recorded answers of AWS for what it leaves open
(objects inside quotes, missing paths).
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from jsonpath_ng.ext.parser import parse

PLACEHOLDER = re.compile(r"<(.*?)>")
RESERVED = (
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
)


class InvalidInputError(ValueError):
    """An input that EventBridge does not deliver."""


def check(target: Mapping[str, Any]) -> str | None:
    """The sentence with which PutTargets refuses a target's input; None for a valid one."""
    name = target["Id"]
    if len({"Input", "InputPath", "InputTransformer"} & set(target)) > 1:
        return f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}."
    if "Input" in target and not _is_json(target["Input"]):
        return f"JSON syntax error in Input for target {name}."
    if "InputTransformer" not in target:
        return None
    paths = target["InputTransformer"].get("InputPathsMap", {})
    if reserved := [key for key in paths if key.startswith("aws.")]:
        return f"InputPathsMap for target {name} contains reserved key {reserved[0]}."
    for placeholder in PLACEHOLDER.findall(target["InputTransformer"]["InputTemplate"]):
        if placeholder not in paths and placeholder not in RESERVED:
            return f"InputTemplate for target {name} contains invalid placeholder {placeholder}."
    return None


def target_input(target: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str, ingestion_time: str) -> str:
    """The text that a target receives for an event. Raises InvalidInputError where the result is no JSON."""
    if "Input" in target:
        return target["Input"]
    if "InputPath" in target:
        return json.dumps(_find(target["InputPath"], event, None))
    if "InputTransformer" in target:
        return transform(target["InputTransformer"], event, rule_arn, ingestion_time)
    return json.dumps(event)


def transform(
    transformer: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str = "", ingestion_time: str = ""
) -> str:
    """The template with its placeholders replaced.

    A template that starts with a brace is JSON: outside quotes a value is inserted as JSON, between quotes as it is. Any
    other template is text in quotes, where objects and arrays lose their quotation marks. Nothing is escaped. A path that
    the event does not have is an empty text.

    Raises:
        InvalidInputError: The result is no JSON, or a template that is no JSON has no quotes. AWS delivers neither.
    """
    template: str = transformer["InputTemplate"]
    is_json = template.strip().startswith("{")
    values = {name: _find(path, event, "") for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= _reserved(event, rule_arn, ingestion_time)

    def insert(placeholder: re.Match[str]) -> str:
        value = values.get(placeholder[1], "")
        between_quotes = len(re.findall(r'(?<!\\)"', template[: placeholder.start()])) % 2
        if isinstance(value, str):
            return value if between_quotes or not is_json else json.dumps(value)
        text = json.dumps(value, separators=(",", ":"))
        return text if is_json else text.replace('"', "")

    filled = PLACEHOLDER.sub(insert, template)
    if is_json:
        if not _is_json(filled):
            raise InvalidInputError(f"the input transformer's result is not valid JSON: {filled}")
        return json.dumps(json.loads(filled), separators=(",", ":"))
    if not template.strip().startswith('"'):
        raise InvalidInputError(f"the input template is neither JSON nor text in quotes: {template}")
    return filled


def _reserved(event: Mapping[str, Any], rule_arn: str, ingestion_time: str) -> dict[str, Any]:
    without_detail = {
        "detailType" if name == "detail-type" else name: value for name, value in event.items() if name != "detail"
    }
    name = re.split(r"[:/]", rule_arn)[-1]
    return dict(zip(RESERVED, (rule_arn, name, ingestion_time, without_detail, dict(event)), strict=True))


def _find(path: str, event: Mapping[str, Any], missing: Any) -> Any:
    found = parse(path).find(event)
    return found[0].value if found else missing


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True
