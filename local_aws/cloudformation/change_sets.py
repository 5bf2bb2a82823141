"""Change sets by name and stack, with the previous parameters.

Moto looks for the name in every stack, reports a missing change set as a missing stack, ignores UsePreviousValue, and
updates stacks that were never created.
"""

from typing import Any

from moto.cloudformation.exceptions import CloudFormationError
from moto.cloudformation.models import CloudFormationBackend
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult

from ..interfaces import EmbeddedAws
from .operations import check_updatable


class ChangeSetNotFound(CloudFormationError):
    """The error of a change set that does not exist; the CDK CLI waits for it after a deletion."""

    code = "ChangeSetNotFound"

    def __init__(self, name: str) -> None:
        super().__init__(f"ChangeSet [{name}] does not exist")


def _find(response: Any) -> str | None:
    """The ARN of the change set that a request is about."""
    name, stack = response._get_param("ChangeSetName"), response._get_param("StackName")
    change_sets, stacks = response.cloudformation_backend.change_sets, response.cloudformation_backend.stacks
    if name in change_sets:
        return name
    for arn, found in change_sets.items():
        # A deleted stack's change sets do not count, though a new stack may have its name.
        if (
            found.stack_id in stacks
            and found.change_set_name == name
            and stack in (None, found.stack_name, found.stack_id)
        ):
            return arn
    return None


def _known(response: Any) -> str:
    if (arn := _find(response)) is None:
        raise ChangeSetNotFound(response._get_param("ChangeSetName"))
    return arn


def _describe(self: Any) -> ActionResult:
    return ActionResult(self.cloudformation_backend.describe_change_set(change_set_name=_known(self)))


def _execute(self: Any) -> EmptyResult:
    stack = self._get_param("StackName")
    self.cloudformation_backend.execute_change_set(stack_name=stack, change_set_name=_known(self))
    return EmptyResult()


def _delete(self: Any) -> EmptyResult:
    if arn := _find(self):
        self.cloudformation_backend.delete_change_set(change_set_name=arn)
    return EmptyResult()


def install(local: EmbeddedAws) -> None:
    """Replace moto's operations on change sets."""
    create = CloudFormationBackend.create_change_set

    def create_with_previous_values(self: Any, stack_name: str, *args: Any, **kwargs: Any) -> Any:
        # UsePreviousValue: moto passes the resolved value of an SSM parameter instead of its name.
        stack = next((stack for stack in self.stacks.values() if stack.name == stack_name), None)
        if stack and kwargs.get("change_set_type") == "UPDATE":
            check_updatable(stack)
        given = dict(kwargs.get("parameters") or {})
        before, resolved = (stack.parameters or {}, stack.stack_parameters) if stack else ({}, {})
        for key in [key for key, value in given.items() if key in resolved and value == resolved[key]]:
            given.pop(key)
            given |= {key: before[key]} if key in before else {}
        return create(self, stack_name, *args, **(kwargs | {"parameters": given}))

    local.replace(CloudFormationBackend, "create_change_set", create_with_previous_values)
    local.replace(CloudFormationResponse, "describe_change_set", _describe)
    local.replace(CloudFormationResponse, "execute_change_set", _execute)
    local.replace(CloudFormationResponse, "delete_change_set", _delete)
