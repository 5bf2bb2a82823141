"""Templates and resources are held against the registry's schemas and the register of AWS's rules."""

from collections.abc import Callable
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack

from ..interfaces import EmbeddedAws
from ..rules import register
from ..rules.resource_types.others import CUSTOM
from ..rules.resource_types.templates import TEMPLATE
from ..rules.rule import Request
from .registry import check_properties, resource_schema


class RuleBroken(Exception):
    """A service refuses a resource; the message is the service's."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def install(local: EmbeddedAws) -> None:
    """Check templates when a stack or change set gets them, and resources when their references are resolved."""
    local.rules.provide("type", lambda _, region, name: resource_schema(name, region))
    parse = parsing.parse_resource_and_generate_name

    def parse_and_check(logical_id: str, resource_json: Any, resources_map: Any) -> Any:
        found: Any = parse(logical_id, resource_json, resources_map)
        if found:
            kind, properties = _ruled(found[1]["Type"]), found[1]["Properties"]
            check_properties(logical_id, found[1]["Type"], properties, resources_map._region_name)
            request = _request(local, properties, resources_map._account_id, resources_map._region_name)
            if violation := register.type_violation(kind, request):
                raise RuleBroken(violation.message)
        return found

    local.replace(parsing, "parse_resource_and_generate_name", parse_and_check)
    for operation in ("create_stack", "create_change_set", "update_stack"):
        checked = _with_checked_template(local, getattr(CloudFormationBackend, operation))
        local.replace(CloudFormationBackend, operation, checked)


def _ruled(resource_type: str) -> str:
    """The type whose rules a resource keeps to: all custom resources have the same. (Their properties are their own.)"""
    return CUSTOM if resource_type.startswith("Custom::") else resource_type


def _with_checked_template(local: EmbeddedAws, operation: Callable[..., Any]) -> Callable[..., Any]:
    def check_first(self: Any, *arguments: Any, **named: Any) -> Any:
        content: Any = Stack.parse_template(named["template"])
        request = _request(local, content, self.account_id, self.region_name)
        if violation := register.type_violation(TEMPLATE, request):
            raise ValidationError(message=violation.message)
        return operation(self, *arguments, **named)

    return check_first


def _request(local: EmbeddedAws, params: Any, account: str, region: str) -> Request:
    return Request(params, region, account, find=lambda kind, name: local.rules.find(kind, account, region, name))
