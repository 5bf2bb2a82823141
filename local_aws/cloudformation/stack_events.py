"""Events of a stack about its resources, as DescribeStackEvents returns them."""

from functools import partial
from typing import Any

from moto.cloudformation.models import Event

from .deployment import Report
from .failures import ResourceFailed


def reporter(stack: Any) -> Report:
    """A function that adds the event of a resource: it takes the resource, its status and the reason of a failure."""
    return partial(_report, stack)


def _report(stack: Any, resource: Any, status: str, reason: str | None) -> None:
    physical = getattr(resource, "physical_resource_id", "") or ""
    _add(stack, resource.logical_resource_id, physical, resource.cf_resource_type, status, reason)


def report_failure(stack: Any, failed: ResourceFailed) -> None:
    """Add the event of a resource that failed."""
    _add(stack, failed.logical_id, "", failed.resource_type, failed.status, failed.reason)


def _add(stack: Any, name: str, physical: str, resource_type: str, status: str, reason: str | None) -> None:
    stack.events.append(
        Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id=name,
            physical_resource_id=physical,
            resource_type=resource_type,
            resource_status=status,
            resource_status_reason=reason,
            resource_properties=None,
        )
    )
