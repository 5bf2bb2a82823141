"""SNS deliveries to queues and functions, which need the permission of the target's policy and of its key's."""

import logging
from typing import Any

from moto.sns.models import Subscription

from . import deliveries
from .interfaces import EmbeddedAws

log = logging.getLogger(__name__)


def install(local: EmbeddedAws) -> None:
    """Check the policies before moto delivers a message; a delivery that fails reaches neither the publisher nor the others."""
    publish = Subscription.publish

    def publish_where_allowed(self: Any, *message: Any, **more: Any) -> None:
        if _may_deliver(local, self):
            try:
                publish(self, *message, **more)
            except Exception:
                log.exception("subscription of %s to %s", self.endpoint, self.topic.arn)

    local.replace(Subscription, "publish", publish_where_allowed)


def _may_deliver(local: EmbeddedAws, subscription: Any) -> bool:
    if subscription.protocol not in ("sqs", "lambda"):
        return True
    call = deliveries.call_to(local, subscription.endpoint)
    return deliveries.check(local, deliveries.SNS, subscription.topic.arn, *call)
