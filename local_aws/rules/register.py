"""The register: every table of rules, by service and operation or resource type."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from . import service_model
from .operations import ENTRIES as OPERATIONS
from .resource_types import ENTRIES as RESOURCE_TYPES
from .rule import CLOUDFORMATION, Entry, Request, Rule, Violation

ENTRIES: tuple[Entry, ...] = OPERATIONS + RESOURCE_TYPES
"""Every entry of the register."""


def enforced() -> Iterator[Rule]:
    """The rules whose check is in the register."""
    return (entry for entry in ENTRIES if isinstance(entry, Rule))


@cache
def _rules() -> dict[tuple[str, str], list[Rule]]:
    found: dict[tuple[str, str], list[Rule]] = defaultdict(list)
    for rule in enforced():
        for operation in rule.operation.split():
            found[rule.service, operation].append(rule)
    return dict(found)


def violation(service: str, operation: str, request: Request) -> Violation | None:
    """How a request breaks a rule: the constraints of the service's model come first, as they do on AWS."""
    return service_model.violation(service, operation, request.params) or _first(service, operation, request)


def type_violation(resource_type: str, request: Request) -> Violation | None:
    """How the properties of a resource type break a rule."""
    return _first(CLOUDFORMATION, resource_type, request)


def _first(service: str, operation: str, request: Request) -> Violation | None:
    rules = _rules().get((service, operation), ())
    return next(filter(None, (rule.violation(request) for rule in rules)), None)
