"""Exports of stacks: who imports them, and that what another stack imports can neither be deleted nor changed."""

from collections.abc import Iterator
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

from ..interfaces import EmbeddedAws
from .failures import RefusedError


class Outputs(dict[str, Any]):
    """Outputs and exports as they are now. Moto evaluates them at each request, which creates deleted resources again."""

    def __init__(self, outputs: Any = None) -> None:
        super().__init__({} if outputs is None else {key: outputs[key] for key in outputs})
        self.exports: list[Any] = [] if outputs is None else outputs.exports


def check_exports(backend: Any, stack: Any, after: dict[str, Any]) -> None:
    """Raise RefusedError when a stack would lose, or change, an export that others import.

    Args:
        backend: Moto's CloudFormation of the account and region.
        stack: The stack as it was.
        after: Its exports after the change, by name.
    """
    for export in list(backend.exports.values()):
        if export.exporting_stack_id != stack.stack_id or after.get(export.name) == export.value:
            continue
        users = [other.name for other in importing(backend, export.name) if other is not stack]
        if users:
            verb = "update" if export.name in after else "delete"
            canceled = "" if verb == "update" else "Delete canceled. "
            raise RefusedError(f"{canceled}Cannot {verb} export {export.name} as it is in use by {_listed(users)}.")


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def importing(backend: Any, name: str) -> list[Any]:
    """The stacks that import an export."""
    return [stack for stack in list(backend.stacks.values()) if name in _imports(stack)]


def _imports(stack: Any) -> set[str]:
    resources = stack.resource_map
    template = resources._template or {}
    found = _import_values([resources._resource_json_map, template.get("Outputs", {})])
    return {parsing.clean_json(name, resources) for name in found}


def _import_values(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _import_values(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Fn::ImportValue":
                yield item
            else:
                yield from _import_values(item)


def _list_imports(self: Any) -> ActionResult:
    name = self._get_param("ExportName")
    found = [stack.name for stack in importing(self.cloudformation_backend, name)]
    if not found:
        raise ValidationError(message=f"Export '{name}' is not imported by any stack.")
    return ActionResult({"Imports": found})


def install(local: EmbeddedAws) -> None:
    """Add ListImports, which moto does not have."""
    local.replace(CloudFormationResponse, "list_imports", _list_imports)
