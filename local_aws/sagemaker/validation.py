"""A request against botocore's model: required members and types, and the limits that botocore leaves to the service."""

import re
from functools import cache
from typing import Any

from botocore.validate import ParamValidator


class StrictValidator(ParamValidator):
    """botocore's own check, and what the service checks behind it: longest lengths, enumerations, patterns."""

    def __init__(self) -> None:
        super().__init__()
        self.mistakes: list[str] = []

    def check(self, request: dict[str, Any], shape: Any) -> str:
        """What is wrong with the request, in the service's words; an empty text when nothing is."""
        report = self.validate(request, shape)
        return report.generate_report() if report.has_errors() else "; ".join(self.mistakes)

    def _validate_string(self, param: Any, shape: Any, errors: Any, name: str) -> None:
        super()._validate_string(param, shape, errors, name)
        if isinstance(param, str):
            limits = shape.metadata
            if shape.enum and param not in shape.enum:
                self._refuse(param, name, f"enum value set: [{', '.join(shape.enum)}]")
            if len(param) > limits.get("max", len(param)):
                self._refuse(param, name, f"length less than or equal to {limits['max']}")
            pattern = _pattern(limits.get("pattern", ""))
            if pattern and not pattern.fullmatch(param):
                self._refuse(param, name, f"regular expression pattern: {limits['pattern']}")

    def _validate_list(self, param: Any, shape: Any, errors: Any, name: str) -> None:
        super()._validate_list(param, shape, errors, name)
        self._check_size(param, shape, name)

    def _validate_map(self, param: Any, shape: Any, errors: Any, name: str) -> None:
        super()._validate_map(param, shape, errors, name)
        self._check_size(param, shape, name)

    def _check_size(self, param: Any, shape: Any, name: str) -> None:
        if isinstance(param, list | tuple | dict) and len(param) > shape.metadata.get("max", len(param)):
            self._refuse(param, name, f"length less than or equal to {shape.metadata['max']}")

    def _refuse(self, value: Any, name: str, constraint: str) -> None:
        where = name.removeprefix(".")
        self.mistakes.append(
            f"Value '{value}' at '{where}' failed to satisfy constraint: Member must satisfy {constraint}"
        )


@cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """A pattern of the model in Python's form; None when there is none, or one that Python cannot read."""
    for java, python in ((r"\p{L}", r"\w"), (r"\p{Z}", r"\s"), (r"\p{N}", r"\d")):
        text = text.replace(java, python)
    try:
        return re.compile(re.sub(r"\$\{\d+,\d+\}$", "", text), re.DOTALL) if text else None
    except re.error:
        return None
