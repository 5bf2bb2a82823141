"""S3 event notifications to queues, topics and functions, which need the permission of the target's policy and of its key's.

Source: S3 user guide, "Granting permissions to publish event notification messages to a destination". (Events to
EventBridge need none.)
"""

from typing import Any

from moto.s3 import notifications
from moto.s3.exceptions import S3ClientError

from . import deliveries
from .interfaces import EmbeddedAws

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


def _validate(local: EmbeddedAws, bucket: str, *call: Any) -> None:
    """Raise S3's error unless S3 may call the destination."""
    if not deliveries.check(local, deliveries.S3, bucket, *call):
        raise S3ClientError("InvalidArgument", "Unable to validate the following destination configurations")
