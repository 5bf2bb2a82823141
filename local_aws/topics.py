"""SNS's deliveries to queues: only where the policy of the queue, and of its key, lets SNS send for the topic."""

import logging
from typing import TYPE_CHECKING, Any

from moto.sns.models import Subscription

from .authorization import AccessDeniedError

if TYPE_CHECKING:
    from .server import LocalAws

log = logging.getLogger(__name__)
SERVICE = "sns.amazonaws.com"
_publish = Subscription.publish


def install(local: "LocalAws") -> None:
    """Ask before moto delivers."""

    def publish_where_allowed(self: Any, *message: Any, **more: Any) -> None:
        if self.protocol == "sqs":
            _, _, _, region, account, name = self.endpoint.split(":", 5)
            params = {"QueueUrl": f"{local.endpoint_url}/{account}/{name}"}
            keys = {"aws:SourceArn": self.topic.arn, "aws:SourceAccount": self.topic.account_id}
            try:
                local.authorization.check_call(SERVICE, "sqs", "SendMessage", params, region, keys)
            except AccessDeniedError as refusal:
                log.warning("subscription of %s: %s", self.topic.arn, refusal)
                return
        _publish(self, *message, **more)

    Subscription.publish = publish_where_allowed
