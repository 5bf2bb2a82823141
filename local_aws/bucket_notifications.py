"""S3 event notifications to queues, topics and functions, which need the permission of the target's policy and of its key's.

Source: S3 user guide, "Granting permissions to publish event notification messages to a destination". Events to
EventBridge need none; moto's have a number as their time, and reach the rules of all event buses.
"""

import uuid
from typing import Any

from moto.s3 import notifications
from moto.s3.exceptions import S3ClientError
from moto.s3.models import s3_backends

from . import deliveries
from .events import emit
from .interfaces import EmbeddedAws

_REASONS = {
    "Put": "PutObject",
    "Post": "POST Object",
    "Copy": "CopyObject",
    "CompleteMultipartUpload": "CompleteMultipartUpload",
}
# Moto's senders, each with the service and the operation that it calls.
_SENDERS = {
    "_send_sqs_message": ("sqs", "SendMessage"),
    "_send_sns_message": ("sns", "Publish"),
    "_invoke_awslambda": ("lambda", "Invoke"),
}


def install(local: EmbeddedAws) -> None:
    """Check the policies before moto delivers a notification, and when a configuration is put."""

    def replace(name: str, service: str, operation: str) -> None:
        send = getattr(notifications, name)

        def send_where_allowed(account_id: str, event_body: Any, target: str, region_name: str) -> None:
            parameters = {
                "sqs": {"QueueUrl": f"{local.endpoint_url}/{account_id}/{target}"},
                "sns": {"TopicArn": target},
                "lambda": {"FunctionName": target},
            }
            call = service, operation, parameters[service], region_name
            if "Records" not in event_body:  # the test message, which S3 sends when the configuration is put
                _validate(local, f"arn:aws:s3:::{event_body['Bucket']}", *call)
                send(account_id, event_body, target, region_name)
            elif deliveries.check(local, deliveries.S3, event_body["Records"][0]["s3"]["bucket"]["arn"], *call):
                send(account_id, event_body, target, region_name)

        local.replace(notifications, name, send_where_allowed)

    for name, (service, operation) in _SENDERS.items():
        replace(name, service, operation)
    local.replace(notifications, "_send_event_bridge_message", send_to_default_bus)


def send_to_default_bus(account_id: str, bucket: Any, event_name: str, key: Any) -> None:
    """Put the event of an object on the default bus: S3 user guide, 'Event message structure for EventBridge'.

    Moto sets the tags of every object that it writes, and says so for objects without tags, too.
    """
    tagger = s3_backends[account_id]["aws"].tagger
    if event_name.startswith("s3:ObjectTagging:Put") and not tagger.get_tag_dict_for_resource(key.arn):
        return
    version = {"version-id": key.version_id} if bucket.is_versioned else {}
    detail = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": {
            "key": key.name,
            "size": key.size,
            "etag": key.etag.strip('"'),
            "sequencer": uuid.uuid4().hex[:16],
            **version,
        },
        "request-id": uuid.uuid4().hex[:16].upper(),
        "requester": account_id,
        "source-ip-address": "127.0.0.1",
        "reason": _REASONS.get(event_name.rpartition(":")[2], "PutObject"),
    }
    kind = notifications._detail_type(event_name)
    emit(account_id, bucket.region_name, "aws.s3", kind, detail, [f"arn:aws:s3:::{bucket.name}"])


def _validate(local: EmbeddedAws, bucket: str, *call: Any) -> None:
    """Raise S3's error unless S3 may call the destination."""
    if not deliveries.check(local, deliveries.S3, bucket, *call):
        raise S3ClientError("InvalidArgument", "Unable to validate the following destination configurations")
