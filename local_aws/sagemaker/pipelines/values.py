"""The values in a pipeline definition, resolved: parameters, execution variables, step properties, joins, JSON look-ups."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ...json_api import ServiceError

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda left, right: left == right,
    "GreaterThan": lambda left, right: left > right,
    "GreaterThanOrEqualTo": lambda left, right: left >= right,
    "LessThan": lambda left, right: left < right,
    "LessThanOrEqualTo": lambda left, right: left <= right,
}


class Scope:
    """The values that an execution's steps refer to. `read_property_file` returns a parsed file by step and file name."""

    def __init__(
        self,
        parameters: Mapping[str, Any],
        execution: Mapping[str, str],
        read_property_file: Callable[[str, str], Any],
    ) -> None:
        self.parameters, self.execution = parameters, execution
        self.steps: dict[str, Any] = {}
        self._read_property_file = read_property_file

    def resolve(self, value: Any) -> Any:
        """`value` with every function in it replaced by its result. Raises ServiceError."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Get"}:
            return self._get(value["Get"])
        if set(value) == {"Std:Join"}:
            join = value["Std:Join"]
            return str(join.get("On", "")).join(_text(self.resolve(item)) for item in join["Values"])
        if set(value) == {"Std:JsonGet"}:
            return self._json_get(value["Std:JsonGet"])
        return {key: self.resolve(item) for key, item in value.items()}

    def holds(self, condition: dict[str, Any]) -> bool:
        """Whether a condition is true. Raises ServiceError for one it does not know."""
        kind = condition["Type"]
        if kind in COMPARE:
            return COMPARE[kind](self.resolve(condition["LeftValue"]), self.resolve(condition["RightValue"]))
        if kind == "Not":
            return not self.holds(condition["Expression"])
        if kind == "Or":
            return any(self.holds(each) for each in condition["Conditions"])
        if kind == "In":
            return self.resolve(condition["QueryValue"]) in [self.resolve(each) for each in condition["Values"]]
        raise ServiceError(f"the embedded AWS does not support conditions of type {kind}")

    def _get(self, path: str) -> Any:
        kind, _, rest = path.partition(".")
        if kind == "Parameters":
            return self.parameters[rest]
        if kind == "Execution":
            return self.execution[rest]
        name, _, rest = rest.partition(".")
        value = self.steps[name]
        for part in re.findall(r"[^.\[\]']+", rest):
            value = _member(value, part, path)
        return value

    def _json_get(self, look_up: dict[str, Any]) -> Any:
        if "PropertyFile" not in look_up:
            raise ServiceError("the embedded AWS supports Std:JsonGet with PropertyFile only")
        _, step, _, name = look_up["PropertyFile"]["Get"].split(".")
        value = self._read_property_file(step, name)
        for part in re.findall(r"[^.\[\]'\"]+", look_up["Path"]):
            value = _member(value, part, f"{step}/{name}: {look_up['Path']}")
        return value


def _member(value: Any, part: str, path: str) -> Any:
    """A member of a structure, an item of a list by index, or of a list of named things by name."""
    try:
        if isinstance(value, list):
            if part.isdigit():
                return value[int(part)]
            return next(i for i in value if part in (i.get("OutputName"), i.get("InputName"), i.get("ChannelName")))
        return value[part]
    except (KeyError, IndexError, TypeError, StopIteration):
        raise ServiceError(f"there is no {part!r} in {path}") from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
