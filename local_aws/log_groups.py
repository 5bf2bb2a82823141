"""CloudWatch Logs' check of the key of a new log group.

Source: CloudWatch Logs user guide, "Encrypt log data in CloudWatch Logs using AWS KMS": the key's policy has to allow the
service of the region, whose calls carry the log group's ARN in the encryption context.
"""

from typing import Any

from moto.logs.exceptions import InvalidParameterException
from moto.logs.models import LogsBackend

from .authorization import AccessDeniedError, resources
from .interfaces import EmbeddedAws

_CONTEXT = "aws:logs:arn"
_ACTIONS = ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey")


def install(local: EmbeddedAws) -> None:
    """Refuse a log group whose key does not allow CloudWatch Logs to use it."""
    create = LogsBackend.create_log_group

    def create_where_permitted(self: Any, log_group_name: str, tags: dict[str, str], **properties: Any) -> Any:
        if key := properties.get("kmsKeyId") or properties.get("KmsKeyId"):
            _check(local, key, log_group_name, self.account_id, self.region_name)
        return create(self, log_group_name, tags, **properties)

    local.replace(LogsBackend, "create_log_group", create_where_permitted)


def _check(local: EmbeddedAws, key: str, group: str, account: str, region: str) -> None:
    arn = f"arn:aws:logs:{region}:{account}:log-group:{group}"
    keys = {f"kms:EncryptionContext:{_CONTEXT}": arn, "kms:EncryptionContextKeys": [_CONTEXT]}
    key_arn = resources.key_arn(key, account, region)
    try:
        for action in _ACTIONS if key_arn else ():
            local.authorization.check(f"logs.{region}.amazonaws.com", f"kms:{action}", str(key_arn), keys, region)
    except AccessDeniedError:
        message = f"The specified KMS key does not exist or is not allowed to be used with LogGroup '{arn}'"
        raise InvalidParameterException(message) from None
