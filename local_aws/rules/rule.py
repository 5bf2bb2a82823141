"""An entry of the register: what AWS refuses, who says so, in which words, with one accepted and one refused example."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

type Params = Mapping[str, Any]

CLOUDFORMATION = "cloudformation"
"""The service of rules about resource types: their operation is the type, their parameters its properties."""


def _nothing(kind: str, name: str) -> None:
    """The state of an account without resources."""


@dataclass(frozen=True)
class Request:
    """What a rule judges: an operation's parameters as boto3 takes them, or the properties of a resource type.

    `size`: bytes of the request's body. `role`: ARN of the role whose session the caller is. `service`: the caller is an AWS
    service. `find(kind, name)`: the record of a resource in the caller's account and region, or None; each rule names the
    kinds that it asks for in its example's `given`.
    """

    params: Params
    region: str = "us-east-1"
    account: str = "123456789012"
    size: int = 0
    role: str = ""
    service: bool = False
    find: Callable[[str, str], Params | None] = _nothing


type Values = Mapping[str, object]
type Check = Callable[[Request], Values | bool | None]
"""False or None when the request keeps to the rule; otherwise the values that the message names, or True for none."""


@dataclass(frozen=True)
class _Stated:
    """What entries have in common: whose constraint it is, what it says and which page does."""

    service: str
    operation: str
    says: str
    source: str

    @property
    def operations(self) -> Sequence[str]:
        """The operations that the rule is about."""
        return self.operation.split()


@dataclass(frozen=True)
class Rule(_Stated):
    """A constraint that the embedded AWS enforces.

    `service` is boto3's name and `operation` one of its operations, or several divided by a space; rules about resource types
    have `cloudformation` and the type. `says`: the constraint in one sentence. `source`: the title of the page that states
    it. `message`: AWS's, with the names of the check's values in braces. `accepted` and `refused` are examples of
    parameters; `given` maps `kind/name` to the records that exist when they are judged. `sent` has other members of both
    requests, `sent_refused` those of the refused one, such as its size. `inferred`: the source states the constraint,
    but the words of the error are ours.
    """

    code: str
    message: str
    check: Check
    accepted: Params
    refused: Params
    status: int = 400
    given: Mapping[str, Params] = field(default_factory=dict)
    sent: Mapping[str, Any] = field(default_factory=dict)
    sent_refused: Mapping[str, Any] = field(default_factory=dict)
    inferred: bool = False

    def example(self, params: Params, **sent: Any) -> Request:
        """A request with these parameters where the records of `given` exist."""
        return Request(params, find=lambda kind, name: self.given.get(f"{kind}/{name}"), **{**self.sent, **sent})

    def violation(self, request: Request) -> "Violation | None":
        """How the request breaks the rule, in AWS's words."""
        values = self.check(request)
        if not values and not isinstance(values, Mapping):
            return None
        text = self.message.format(**values) if isinstance(values, Mapping) else self.message
        return Violation(self.code, text, self.status)


@dataclass(frozen=True)
class NotEnforced(_Stated):
    """A constraint that the embedded AWS does not enforce, and why."""

    why: str


type Entry = Rule | NotEnforced


@dataclass(frozen=True)
class Violation:
    """An error response: code, message and HTTP status."""

    code: str
    message: str
    status: int = 400


def table(service: str, code: str, source: str) -> Callable[..., Rule]:
    """A function that makes the rules of a table, which share service, code and source unless they name their own."""

    def rule(
        operation: str, says: str, message: str, check: Check, accepted: Params, refused: Params, **more: Any
    ) -> Rule:
        shared: dict[str, Any] = {"service": service, "code": code, "source": source}
        return Rule(
            operation=operation,
            says=says,
            message=message,
            check=check,
            accepted=accepted,
            refused=refused,
            **{**shared, **more},
        )

    return rule
