"""Change sets by their name and stack, with the parameters of before.

Moto looks for the name alone, in every stack, answers as if a stack were missing, and does not know UsePreviousValue.
"""

from typing import Any

from moto.cloudformation.exceptions import CloudFormationError
from moto.cloudformation.models import CloudFormationBackend
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult


class ChangeSetNotFound(CloudFormationError):
    """The CDK CLI waits for this answer after it deleted one."""

    code = "ChangeSetNotFound"

    def __init__(self, name: str) -> None:
        super().__init__(f"ChangeSet [{name}] does not exist")


def _find(response: Any) -> str | None:
    """The ARN of the change set that a request is about."""
    name, stack = response._get_param("ChangeSetName"), response._get_param("StackName")
    change_sets = response.cloudformation_backend.change_sets
    if name in change_sets:
        return name
    for arn, found in change_sets.items():
        if found.change_set_name == name and stack in (None, found.stack_name, found.stack_id):
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


def install() -> None:
    """Mend moto's operations on change sets."""
    create = CloudFormationBackend.create_change_set

    def create_with_previous_values(self: Any, stack_name: str, *args: Any, **kwargs: Any) -> Any:
        # A parameter without a value keeps what was given before; when nothing was, its default holds.
        stacks = [stack for stack in self.stacks.values() if stack.name == stack_name]
        before = stacks[0].parameters or {} if stacks else {}
        given = kwargs.get("parameters") or {}
        kept = {key: value or before.get(key) for key, value in given.items() if value or before.get(key)}
        return create(self, stack_name, *args, **(kwargs | {"parameters": kept}))

    CloudFormationBackend.create_change_set = create_with_previous_values
    CloudFormationResponse.describe_change_set = _describe
    CloudFormationResponse.execute_change_set = _execute
    CloudFormationResponse.delete_change_set = _delete
