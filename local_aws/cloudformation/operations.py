"""Creation, update and deletion of stacks, directly and by change set: a failure is rolled back and reported in events.

Moto answers a failure with an error or status 500, and keeps a part of the change.
"""

import logging
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudformation.models import cloudformation_backends as backends
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_stack_id
from moto.core.responses import EmptyResult

from ..interfaces import EmbeddedAws
from . import stack_failures
from .deletion import delete_resources
from .deployment import Deployment
from .exports import Outputs, check_exports
from .failures import RefusedError
from .stack_events import reporter

log = logging.getLogger(__name__)
_NOT_UPDATABLE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED")


def install(local: EmbeddedAws) -> None:
    """Replace moto's operations on stacks, and its execution of change sets."""
    local.replace(CloudFormationBackend, "execute_change_set", _execute)
    local.replace(CloudFormationBackend, "create_stack", _create_stack)
    local.replace(CloudFormationBackend, "delete_stack", _delete_stack)
    local.replace(CloudFormationResponse, "delete_stack", _delete_stack_response)
    local.replace(Stack, "update", _update_stack)


def check_updatable(stack: Any) -> None:
    """Raise ValidationError when the status of a stack allows no update."""
    if stack.status in _NOT_UPDATABLE:
        raise ValidationError(message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")


def _create_stack(
    self: Any,
    name: str,
    template: str,
    parameters: dict[str, Any],
    notification_arns: list[str] | None = None,
    tags: dict[str, str] | None = None,
    role_arn: str | None = None,
    enable_termination_protection: bool | None = False,
    timeout_in_mins: int | None = None,
    stack_policy_body: str | None = None,
) -> Any:
    if name in [stack.name for stack in self.stacks.values()]:
        raise AlreadyExistsException(f"Stack [{name}] already exists")
    stack: Any = Stack(  # ty: ignore[abstract-class-instantiation]
        stack_id=generate_stack_id(name, self.region_name, self.account_id),
        name=name,
        template=template,
        parameters=parameters,
        account_id=self.account_id,
        region_name=self.region_name,
        notification_arns=notification_arns,
        tags=tags,
        role_arn=role_arn,
        cross_stack_resources=self.exports,
        enable_termination_protection=enable_termination_protection,
        timeout_in_mins=timeout_in_mins,
        stack_policy_body=stack_policy_body,
    )
    self.stacks[stack.stack_id] = stack
    _change(self, stack, template, parameters, "CREATE")
    return stack


def _update_stack(
    self: Any,
    template: str,
    role_arn: str | None = None,
    parameters: dict[str, Any] | None = None,
    tags: dict[str, str] | None = None,
) -> None:
    check_updatable(self)
    stack_failures.check_resumable(self)
    _change(backends[self.account_id][self.region_name], self, template, parameters, "UPDATE")
    self.role_arn = role_arn
    self.tags = self.tags if tags is None else tags


def _execute(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
    change_set = next(c for key, c in self.change_sets.items() if change_set_name in (key, c.change_set_name))
    stack = self.stacks[change_set.stack_id]
    # Otherwise a stack that a change set creates would not see other stacks' exports.
    stack.resource_map.cross_stack_resources = self.exports
    stack_failures.check_resumable(stack)
    done = _change(self, stack, change_set.template, change_set.parameters, change_set.change_set_type)
    change_set.execution_status = "EXECUTE_COMPLETE" if done else "EXECUTE_FAILED"


def _change(backend: Any, stack: Any, template: str, parameters: dict[str, Any] | None, kind: str) -> bool:
    """Create or update the resources of a stack, or roll back. Returns whether the change succeeded."""
    stack.status = f"{kind}_IN_PROGRESS"
    stack._add_stack_event(stack.status, resource_status_reason="User Initiated")
    content = stack.parse_template(template)
    action = stack_failures.action_of(stack, kind)
    stack.running = deployment = Deployment(stack.resource_map, reporter(stack), preserve=action == "DO_NOTHING")
    try:
        deployment.apply(content, parameters)
        # Moto reads outputs and exports when a stack is created directly, but not by a change set.
        outputs = Outputs(parsing.OutputMap(stack.resource_map, content, stack.stack_id))
        exports = {export.name: export for export in outputs.exports}
        _check_unique(backend, stack, exports)
        check_exports(backend, stack, {name: export.value for name, export in exports.items()})
    except Exception as error:
        log.debug("stack %s failed", stack.name, exc_info=True)
        stack_failures.handle(stack, deployment, kind, action, error)
        if action == "DELETE":
            _delete_stack(backend, stack.stack_id)
        return False
    stack.template, stack.template_dict, stack.output_map = template, content, outputs
    stack.description = content.get("Description")
    stack.parameters = stack.parameters if parameters is None else parameters
    _forget_exports(backend, stack)
    backend.exports.update(exports)
    if kind == "UPDATE":
        stack._add_stack_event("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    stack_failures.clean_up(stack)
    deployment.clean_up()
    stack.was_complete = True
    stack.status = f"{kind}_COMPLETE"
    stack._add_stack_event(stack.status)
    return True


def _check_unique(backend: Any, stack: Any, exports: dict[str, Any]) -> None:
    for name in exports:
        if name in backend.exports and backend.exports[name].exporting_stack_id != stack.stack_id:
            other = backend.stacks[backend.exports[name].exporting_stack_id].name
            raise RefusedError(f"Export with name {name} is already exported by stack {other}. Rename the export.")


def _forget_exports(backend: Any, stack: Any) -> None:
    for name, export in list(backend.exports.items()):
        if export.exporting_stack_id == stack.stack_id:
            del backend.exports[name]


def _delete_stack_response(self: Any) -> EmptyResult:
    retained = self._get_param("RetainResources", []) or []
    forced = self._get_param("DeletionMode") == "FORCE_DELETE_STACK"
    self.cloudformation_backend.delete_stack(self._get_param("StackName"), retained, forced=forced)
    return EmptyResult()


def _delete_stack(self: Any, name_or_stack_id: str, retained: list[str] | None = None, *, forced: bool = False) -> None:
    stack = next((s for s in self.stacks.values() if name_or_stack_id in (s.name, s.stack_id)), None)
    if stack is None:
        return
    if (retained or forced) and stack.status != "DELETE_FAILED":
        raise ValidationError(
            message=f"Invalid operation on stack [{stack.stack_id}]. The resources to retain can be specified only when "
            "the stack is in the DELETE_FAILED state"
        )
    if stack.enable_termination_protection:
        raise ValidationError(message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    try:
        check_exports(self, stack, {})
    except RefusedError as error:
        stack._add_stack_event(stack.status, resource_status_reason=str(error))
        return
    stack_failures.clean_up(stack)
    stack.status = "DELETE_IN_PROGRESS"
    stack._add_stack_event(stack.status, resource_status_reason="User Initiated")
    failed = delete_resources(stack.resource_map, retained or [], reporter(stack))
    if failed and not forced:
        stack.status = "DELETE_FAILED"
        why = f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
        stack.status_reason = why
        stack._add_stack_event(stack.status, resource_status_reason=why)
        return
    _forget_exports(self, stack)
    stack.output_map = Outputs()
    stack.status = "DELETE_COMPLETE"
    stack._add_stack_event(stack.status)
    self.deleted_stacks[stack.stack_id] = self.stacks.pop(stack.stack_id)
