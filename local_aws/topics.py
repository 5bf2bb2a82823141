"""SNS deliveries to queues, which need the permission of the queue's policy and of its key's."""

import logging
from typing import Any

from moto.sns.models import Subscription

from .arn import parse_arn
from .authorization import AccessDeniedError
from .interfaces import EmbeddedAws

log = logging.getLogger(__name__)
SERVICE = "sns.amazonaws.com"


def install(local: EmbeddedAws) -> None:
    """Check the policies before moto delivers a message; a delivery that fails reaches neither the publisher nor the others."""
    publish = Subscription.publish

    def publish_where_allowed(self: Any, *message: Any, **more: Any) -> None:
        if self.protocol == "sqs":
            _, region, account, name = parse_arn(self.endpoint)
            params = {"QueueUrl": f"{local.endpoint_url}/{account}/{name}"}
            keys = {"aws:SourceArn": self.topic.arn, "aws:SourceAccount": self.topic.account_id}
            try:
                local.authorization.check_call(SERVICE, "sqs", "SendMessage", params, region, keys)
            except AccessDeniedError as refusal:
                log.warning("subscription of %s: %s", self.topic.arn, refusal)
                return
        try:
            publish(self, *message, **more)
        except Exception:
            log.exception("subscription of %s to %s", self.endpoint, self.topic.arn)

    local.replace(Subscription, "publish", publish_where_allowed)
