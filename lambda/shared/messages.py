"""Queue messages: parse a body, find the model in the name of one of its resources, and what became of a message."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from aws_lambda_powertools.utilities.parser import ValidationError
from pydantic import Field, TypeAdapter

from .names import MAX_MODEL_NAME_LENGTH, MODEL_NAME_PATTERN, is_model_name

MAX_BODY_LENGTH = 256 * 1024
MAX_REASON_LENGTH = 1024
_MAX_ERRORS = 4
_MAX_ERROR_LENGTH = 1000

ModelName = Annotated[str, Field(pattern=MODEL_NAME_PATTERN, max_length=MAX_MODEL_NAME_LENGTH)]


class InvalidMessageError(ValueError):
    """The message does not follow the contract; a retry does not change that."""


@dataclass(frozen=True)
class Outcome:
    """What became of a message: a log message and its keys."""

    message: str
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Origin:
    """Accepted sources of events: the account's id, and the prefix `<factory>-<environment>` of resource names."""

    account: str
    prefix: str

    def model_in(self, name: str, suffix: str = "") -> str | None:
        """The model in a resource's name `<factory>-<environment>-<model><suffix>`; None for any other name."""
        start = f"{self.prefix}-"
        if not (name.startswith(start) and name.endswith(suffix)):
            return None
        model = name[len(start) : len(name) - len(suffix)]
        return model if is_model_name(model) else None


def parse_body[Message](adapter: TypeAdapter[Message], body: str) -> Message:
    """The message in a body of JSON. Raises InvalidMessageError, which names the invalid fields."""
    if len(body) > MAX_BODY_LENGTH:
        raise InvalidMessageError(f"body: {len(body)} characters are more than {MAX_BODY_LENGTH}")
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise InvalidMessageError(describe_errors(error, "body")) from None


def describe_errors(error: ValidationError, root: str) -> str:
    """The first validation errors, without the invalid values: they may be anything. `root` names the whole document."""
    described = [f"{'.'.join(map(str, each['loc'])) or root}: {each['msg']}" for each in error.errors()]
    return "; ".join(described[:_MAX_ERRORS])[:_MAX_ERROR_LENGTH]
