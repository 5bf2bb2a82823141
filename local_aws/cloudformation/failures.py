"""Why a stack operation failed, in CloudFormation's words."""

from botocore.exceptions import ClientError


class RefusedError(Exception):
    """CloudFormation itself refuses the change; the message is the status reason."""


class ResourceFailed(Exception):
    """A resource that could not be created, updated or deleted; `status` and `reason` go into its event."""

    def __init__(self, logical_id: str, resource_type: str, status: str, error: Exception) -> None:
        self.logical_id, self.resource_type, self.status = logical_id, resource_type, status
        self.reason = _reason(error)
        super().__init__(f"{logical_id}: {self.reason}")


def _reason(error: Exception) -> str:
    if isinstance(error, RefusedError):
        return str(error)
    message = error.response["Error"]["Message"] if isinstance(error, ClientError) else getattr(error, "message", "")
    return f'Resource handler returned message: "{message or f"{type(error).__name__}: {error}"}"'
