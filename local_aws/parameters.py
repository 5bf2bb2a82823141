"""Events of Systems Manager Parameter Store: a parameter was created, updated or deleted.

Source: Systems Manager user guide, "Amazon EventBridge event examples for Systems Manager", Parameter Store events.
"""

from typing import Any

from .events import emit
from .interfaces import EmbeddedAws


def install(local: EmbeddedAws) -> None:
    """Emit 'Parameter Store Change' after a parameter was written or deleted."""
    local.when_imported("moto.ssm.models", lambda module: _emit_changes(local, module.SimpleSystemManagerBackend))


def _emit_changes(local: EmbeddedAws, backend: Any) -> None:
    put, delete, delete_many = backend.put_parameter, backend.delete_parameter, backend.delete_parameters

    def put_and_emit(self: Any, name: str, *arguments: Any, **more: Any) -> Any:
        existed = self.get_parameter(name) is not None
        parameter = put(self, name, *arguments, **more)
        _emit(self, "Update" if existed else "Create", parameter)
        return parameter

    def delete_and_emit(self: Any, name: str) -> None:
        parameter = self.get_parameter(name)
        delete(self, name)
        _emit(self, "Delete", parameter)

    def delete_many_and_emit(self: Any, names: list[str]) -> list[str]:
        parameters = {name: self.get_parameter(name) for name in names}
        deleted = delete_many(self, names)
        for name in deleted:
            _emit(self, "Delete", parameters[name])
        return deleted

    local.replace(backend, "put_parameter", put_and_emit)
    local.replace(backend, "delete_parameter", delete_and_emit)
    local.replace(backend, "delete_parameters", delete_many_and_emit)


def _emit(backend: Any, operation: str, parameter: Any) -> None:
    detail = {"operation": operation, "name": parameter.name, "type": parameter.parameter_type}
    if parameter.description:
        detail["description"] = parameter.description
    arn = f"arn:aws:ssm:{backend.region_name}:{backend.account_id}:parameter/{parameter.name.lstrip('/')}"
    emit(backend.account_id, backend.region_name, "aws.ssm", "Parameter Store Change", detail, [arn])
