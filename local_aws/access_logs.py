"""Server access logs: S3 delivers one when the policy of the target bucket allows its service principal to write it.

Moto delivers to any bucket, whatever its policy says.
"""

from types import ModuleType
from typing import Any

from .authorization import AccessDeniedError
from .interfaces import EmbeddedAws

_SERVICE = "logging.s3.amazonaws.com"


def install(local: EmbeddedAws) -> None:
    """Check each delivery against the target bucket's policy; a delivery that is refused is lost, as on AWS."""

    def check_deliveries(models: ModuleType) -> None:
        deliver = models.S3Backend.log_incoming_request

        def checked(self: Any, request: Any, bucket_name: str) -> None:
            bucket = self.buckets.get(bucket_name)
            target = bucket.logging.get("TargetBucket") if bucket else None
            if not target:
                return
            source = {"aws:SourceArn": f"arn:{self.partition}:s3:::{bucket_name}", "aws:SourceAccount": self.account_id}
            resource = f"arn:{self.partition}:s3:::{target}/{bucket.logging.get('TargetPrefix', '')}log"
            try:
                local.authorization.check(_SERVICE, "s3:PutObject", resource, source)
            except AccessDeniedError:
                return
            deliver(self, request, bucket_name)

        local.replace(models.S3Backend, "log_incoming_request", checked)

    local.when_imported("moto.s3.models", check_deliveries)
