"""Rollback of failed stack changes, with the reason in the stack's events; moto responds with 500 and keeps a part."""

import logging
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation import parsing
from moto.cloudformation.models import CloudFormationBackend, Event

from ..interfaces import EmbeddedAws
from .failures import RefusedError

log = logging.getLogger(__name__)
# Moto's own functions, which the replacements call.
_execute = CloudFormationBackend.execute_change_set
_create_resource, _update_resource = parsing.parse_and_create_resource, parsing.parse_and_update_resource
_update, _delete_resource = parsing.ResourceMap.update, parsing.ResourceMap._delete_resource
EMPTY: dict[str, Any] = {"Resources": {}}


class ResourceFailed(Exception):
    """A resource that could not be created or updated; `status` and `reason` go into its event."""

    def __init__(self, logical_id: str, resource_type: str, status: str, error: Exception) -> None:
        message = (
            error.response["Error"]["Message"] if isinstance(error, ClientError) else getattr(error, "message", "")
        )
        self.logical_id, self.resource_type, self.status = logical_id, resource_type, status
        self.reason = f'Resource handler returned message: "{message or f"{type(error).__name__}: {error}"}"'
        if isinstance(error, RefusedError):
            self.reason = str(error)
        super().__init__(f"{logical_id}: {self.reason}")


def install(local: EmbeddedAws) -> None:
    """Replace moto's execution of change sets."""
    local.replace(parsing, "parse_and_create_resource", _named("CREATE_FAILED", _create_resource))
    local.replace(parsing, "parse_and_update_resource", _named("UPDATE_FAILED", _update_resource))
    local.replace(parsing.ResourceMap, "update", _update_resources)
    local.replace(parsing.ResourceMap, "_delete_resource", _delete_unless_retained)
    local.replace(CloudFormationBackend, "execute_change_set", _execute_or_roll_back)


def _named(status: str, make: Callable[..., Any]) -> Callable[..., Any]:
    def create_or_report(logical_id: str, resource_json: Any, resources_map: Any, **where: str) -> Any:
        try:
            return make(logical_id, resource_json, resources_map, **where)
        except ResourceFailed:
            raise  # a resource that this one refers to
        except Exception as error:
            log.debug("resource %s failed", logical_id, exc_info=True)
            raise ResourceFailed(logical_id, resource_json["Type"], status, error) from error

    return create_or_report


def _update_resources(self: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    self.updating = True
    try:
        _update(self, template, parameters)
    finally:
        self.updating = False


def _delete_unless_retained(self: Any, parsed_resource: Any, resource_json: dict[str, Any]) -> None:
    """Delete a resource that left the template unless its DeletionPolicy is Retain, which moto ignores.

    Forget it, so that it is created again if the template has it again."""
    if resource_json.get("DeletionPolicy") != "Retain":
        _delete_resource(self, parsed_resource, resource_json)
    if getattr(self, "updating", False):
        del self._parsed_resources[parsed_resource.logical_resource_id]


def _execute_or_roll_back(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
    change_set = next(c for key, c in self.change_sets.items() if change_set_name in (key, c.change_set_name))
    stack = self.stacks[change_set.stack_id]
    resources = stack.resource_map
    # Otherwise a stack that a change set creates would not see other stacks' exports.
    resources.cross_stack_resources = self.exports
    before = (resources._template or EMPTY, resources.input_parameters)
    try:
        _execute(self, change_set_name, stack_name)
    except Exception as error:
        log.debug("stack %s failed", stack.name, exc_info=True)
        change_set.execution_status = "EXECUTE_FAILED"
        _roll_back(stack, change_set.change_set_type, before, error)
        return
    # Moto reads outputs and exports when a stack is created directly, but not by a change set.
    stack.output_map = parsing.OutputMap(resources, change_set.template_dict, stack.stack_id)
    self.exports.update({export.name: export for export in stack.exports})


def _roll_back(stack: Any, kind: str, before: tuple[dict[str, Any], dict[str, Any]], error: Exception) -> None:
    why = f"{type(error).__name__}: {error}"
    if isinstance(error, ResourceFailed):
        stack.events.append(_event(stack, error))
        verb = error.status.partition("_")[0].lower()
        why = f"The following resource(s) failed to {verb}: [{error.logical_id}]."
    status = "ROLLBACK" if kind == "CREATE" else "UPDATE_ROLLBACK"
    stack._add_stack_event(f"{status}_IN_PROGRESS", resource_status_reason=why)
    try:
        _undo(stack.resource_map, *before)
        stack.status = f"{status}_COMPLETE"
    except Exception as second:
        log.warning("stack %s could not be rolled back", stack.name, exc_info=True)
        stack.status, why = f"{status}_FAILED", str(second)
    stack._add_stack_event(stack.status, resource_status_reason=why if stack.status.endswith("FAILED") else None)


def _undo(resources: Any, template: dict[str, Any], parameters: dict[str, Any]) -> None:
    """Delete added resources, create removed ones again, revert updated ones."""
    made = resources._parsed_resources
    # Otherwise moto would try to delete resources that were never created.
    resources._resource_json_map = {
        name: resource for name, resource in resources._resource_json_map.items() if name in made
    }
    resources.update(template, parameters)


def _event(stack: Any, failed: ResourceFailed) -> Any:
    return Event(
        stack_id=stack.stack_id,
        stack_name=stack.name,
        logical_resource_id=failed.logical_id,
        physical_resource_id="",
        resource_type=failed.resource_type,
        resource_status=failed.status,
        resource_status_reason=failed.reason,
        resource_properties=None,
    )
