"""What becomes of a stack whose change failed: rolled back, preserved as it is, or deleted; and what continues from there.

Sources: CloudFormation API reference (OnFailure, OnStackFailure, DisableRollback, RollbackStack, ContinueUpdateRollback) and
its guide, 'Choose how to handle failures when provisioning resources'.
"""

import logging
from collections.abc import Collection
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult

from ..interfaces import EmbeddedAws
from .deployment import Deployment
from .exports import Outputs
from .failures import RefusedError, ResourceFailed
from .stack_events import report_failure

log = logging.getLogger(__name__)

type Action = Literal["ROLLBACK", "DO_NOTHING", "DELETE"]


@dataclass(frozen=True)
class _Option:
    """What a request wants to be done if it fails. `updatable`: whether what DO_NOTHING preserves can be updated."""

    action: Action = "ROLLBACK"
    updatable: bool = True


_option: ContextVar[_Option] = ContextVar("option", default=_Option())  # noqa: B039 (it is frozen)
"""The option of the request that is being served. Moto's backends do not pass it on."""


def action_of(stack: Any, kind: str) -> Action:
    """What is done when a change of `kind` (CREATE or UPDATE) fails."""
    option = _option.get()
    stack.disable_rollback = option.action == "DO_NOTHING"
    if kind == "CREATE":
        stack.updatable_after_failure = option.updatable
    return option.action


def check_resumable(stack: Any) -> None:
    """Raise ValidationError unless a stack in CREATE_FAILED or UPDATE_FAILED can be updated by this request."""
    if stack.status not in ("CREATE_FAILED", "UPDATE_FAILED"):
        return
    if stack.status == "CREATE_FAILED" and not stack.updatable_after_failure:
        raise ValidationError(
            message=f"This stack cannot be updated from [{stack.status}] state because it contains [on-failure: DO_NOTHING]. "
            "Please use disable-rollback option instead during stack creation."
        )
    if _option.get().action != "DO_NOTHING":
        raise ValidationError(
            message=f"This stack is currently in a non-terminal [{stack.status}] state. To update the stack from this state, "
            "please use the disable-rollback parameter with update-stack API. To rollback to the last known good state, use "
            "the rollback-stack API"
        )


def clean_up(stack: Any) -> None:
    """After a change that succeeded, or before the deletion: delete what preserved changes have replaced."""
    for deployment in getattr(stack, "unfinished", []):
        deployment.clean_up()
    stack.unfinished = []


def handle(stack: Any, deployment: Deployment, kind: str, action: Action, error: Exception) -> None:
    """Preserve what a failed change has made (also before the stack is deleted), or roll it back; events have the reason."""
    why = str(error) if isinstance(error, RefusedError) else f"{type(error).__name__}: {error}"
    failed = error if isinstance(error, ResourceFailed) else None
    if failed:
        report_failure(stack, failed)
        verb = failed.status.partition("_")[0].lower()
        why = f"The following resource(s) failed to {verb}: [{failed.logical_id}]."
    stack.unfinished = [*getattr(stack, "unfinished", []), deployment]
    if action == "ROLLBACK":
        _roll_back(stack, kind, why)
        return
    deployment.preserve(failed.logical_id if failed else None)
    _end(stack, f"{kind}_FAILED", why)


def restarted() -> None:
    """End the operations on stacks that ran when the embedded AWS ended, as failed: what they changed can be rolled back."""
    stacks: list[Any] = [
        stack
        for regions in list(cloudformation_backends.values())
        for backend in list(regions.values())
        for stack in list(backend.stacks.values())
    ]
    for stack in stacks:
        operation, in_progress, _ = str(stack.status).rpartition("_IN_PROGRESS")
        if not in_progress or operation == "REVIEW":
            continue
        if operation in ("CREATE", "UPDATE"):
            stack.unfinished = [*getattr(stack, "unfinished", []), stack.running]
            stack.updatable_after_failure = True
        stack.not_restored = None
        _end(stack, f"{operation}_FAILED", "The embedded AWS was restarted during the operation.")


def _roll_back(stack: Any, kind: str, why: str, skipped: Collection[str] = ()) -> None:
    """Roll back to the last stable state, the newest change first. `kind`: whether there was none before (CREATE)."""
    status = "ROLLBACK" if kind == "CREATE" else "UPDATE_ROLLBACK"
    stack.status = f"{status}_IN_PROGRESS"
    stack._add_stack_event(stack.status, resource_status_reason=why)
    left: list[str] = []
    try:
        while stack.unfinished:
            left += stack.unfinished[-1].roll_back(skipped)
            del stack.unfinished[-1]
    except ResourceFailed as error:
        log.warning("stack %s could not be rolled back", stack.name, exc_info=True)
        report_failure(stack, error)
        stack.not_restored = error.logical_id
        _end(stack, f"{status}_FAILED", f"The following resource(s) failed to update: [{error.logical_id}]. ")
        return
    if kind == "CREATE":
        stack.output_map = Outputs()
        if left:
            _end(stack, "ROLLBACK_FAILED", f"The following resource(s) failed to delete: [{', '.join(left)}]. ")
            return
    else:  # new resources that could not be deleted stay behind, and fail nothing
        stack._add_stack_event("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    _end(stack, f"{status}_COMPLETE", None)


def _end(stack: Any, status: str, why: str | None) -> None:
    stack.status = status
    stack._add_stack_event(status, resource_status_reason=why)


def _roll_back_stack(self: Any) -> ActionResult:
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    if stack.status not in ("CREATE_FAILED", "UPDATE_FAILED"):
        raise ValidationError(message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be rolled back.")
    # A stack that was never created completely has no stable state, however often it was updated since.
    kind = "UPDATE" if getattr(stack, "was_complete", False) else "CREATE"
    _roll_back(stack, kind, "User Initiated")
    return ActionResult({"StackId": stack.stack_id})


def _continue(self: Any) -> EmptyResult:
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    if stack.status != "UPDATE_ROLLBACK_FAILED":
        raise ValidationError(
            message=f"Stack:{stack.stack_id} is in {stack.status} state and can not continue to be rolled back."
        )
    skipped, force = self._get_param("ResourcesToSkip", []) or [], self._get_bool_param("ForceRollback", False)
    if skipped and force:
        raise ValidationError(message="ForceRollback and ResourcesToSkip are mutually exclusive.")
    if wrong := [name for name in skipped if name != stack.not_restored]:
        raise ValidationError(
            message=f"Resources to skip [{', '.join(wrong)}] are not in UPDATE_FAILED state because a rollback failed"
        )
    _roll_back(stack, "UPDATE", "User Initiated", [stack.not_restored] if force else skipped)
    return EmptyResult()


def _with_option(respond: Any) -> Any:
    """An operation that changes a stack, with what its request wants to be done if it fails."""

    def responding(self: Any) -> Any:
        token = _option.set(_option_of(self))
        try:
            return respond(self)
        finally:
            _option.reset(token)

    return responding


def _option_of(response: Any) -> _Option:
    given, of_change_set = response._get_param("OnFailure"), _of_change_set(response)
    if response._get_param("DisableRollback") is None:
        return _Option(given or of_change_set or "ROLLBACK", updatable=not given)
    if given or of_change_set:
        other = "OnFailure" if given else "OnStackFailure"
        raise ValidationError(message=f"You can specify either {other} or DisableRollback, but not both.")
    return _Option("DO_NOTHING" if response._get_bool_param("DisableRollback") else "ROLLBACK")


def _of_change_set(response: Any) -> Action | None:
    """OnStackFailure of the change set that a request executes."""
    name, stack = response._get_param("ChangeSetName"), response._get_param("StackName")
    for arn, found in response.cloudformation_backend.change_sets.items():
        if name in (arn, found.change_set_name) and stack in (None, found.stack_name, found.stack_id):
            return getattr(found, "on_stack_failure", None)
    return None


def _noting_option(create: Any) -> Any:
    """CreateChangeSet, which keeps OnStackFailure."""

    def creating(self: Any) -> Any:
        action = self._get_param("OnStackFailure")
        if action == "DELETE" and self._get_param("ChangeSetType") != "CREATE":
            raise ValidationError(
                message="OnStackFailure DELETE is only valid when the ChangeSetType parameter is set to CREATE."
            )
        answer = create(self)
        self.cloudformation_backend.change_sets[answer.result["Id"]].on_stack_failure = action
        return answer

    return creating


def install(local: EmbeddedAws) -> None:
    """Add RollbackStack and ContinueUpdateRollback, and let requests say what is done when they fail."""
    for operation in ("create_stack", "update_stack", "execute_change_set"):
        local.replace(CloudFormationResponse, operation, _with_option(getattr(CloudFormationResponse, operation)))
    local.replace(CloudFormationResponse, "create_change_set", _noting_option(CloudFormationResponse.create_change_set))
    local.replace(CloudFormationResponse, "rollback_stack", _roll_back_stack)
    local.replace(CloudFormationResponse, "continue_update_rollback", _continue)
