"""How drift detection compares the resources of a type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

type Properties = Mapping[str, Any]


class GoneError(Exception):
    """The resource does not exist any more."""


@dataclass(frozen=True)
class Reader:
    """How a type is compared.

    `service`: boto3's name. `names`: the properties. `read(client, physical id)`: their values now; it raises ClientError or
    GoneError. `form`: puts the template's properties, and those that were read, into one form.
    """

    service: str
    names: tuple[str, ...]
    read: Callable[[Any, str], Properties]
    form: Callable[[Properties], Properties] = lambda properties: properties


def one(found: list[Any]) -> Any:
    """The only entry. Raises GoneError when there is none."""
    if not found:
        raise GoneError
    return found[0]


def in_order(*names: str) -> Callable[[Properties], Properties]:
    """A form in which the order of lists does not matter."""
    return lambda properties: {
        key: sorted(value) if key in names and isinstance(value, list) else value for key, value in properties.items()
    }
