"""Messages of the score queue, as the rules of a batch model send them: new files, or the end of a run."""

from typing import Literal

from aws_lambda_powertools.utilities.parser import BaseModel
from pydantic import ConfigDict, TypeAdapter
from shared.messages import ModelName, Origin, parse_body


class Event(BaseModel):
    """What happened to a model. `data`: files landed; `ended`: a run of its scoring pipeline ended."""

    model_config = ConfigDict(extra="forbid")

    model: ModelName
    event: Literal["data", "ended"]


_BODY = TypeAdapter(Event)


def parse(body: str, origin: Origin) -> Event:
    """The event in a message body. Raises InvalidMessageError with the reason. `origin` is not needed: no name is in it."""
    return parse_body(_BODY, body)
