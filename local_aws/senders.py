"""SQS's SenderId of a message: who called SendMessage. Moto has the same one for everybody.

A role's session is `<role id>:<session name>`. Services that deliver without a call here, such as EventBridge, keep moto's id,
which has no colon, as their own ids on AWS have none. Source: SQS API reference, ReceiveMessage, attribute SenderId.
"""

import threading
from typing import Any

from .authorization.principals import caller_identity
from .interfaces import EmbeddedAws


def install(local: EmbeddedAws) -> None:
    """Give messages the id of their sender."""
    local.when_imported("moto.sqs.responses", lambda module: _give_ids(local, module.SQSResponse))


def _give_ids(local: EmbeddedAws, responses: Any) -> None:
    from moto.sqs.models import Message

    calling = threading.local()
    create = Message.__init__

    def create_of_sender(self: Any, *arguments: Any, **more: Any) -> None:
        create(self, *arguments, **more)
        if key := getattr(calling, "key", None):
            self.sender_id = caller_identity(key)["PrincipalId"]

    def served_for_sender(serve: Any) -> Any:
        def served(self: Any) -> Any:
            calling.key = self.get_access_key()
            try:
                return serve(self)
            finally:
                calling.key = None

        return served

    local.replace(Message, "__init__", create_of_sender)
    for name in ("send_message", "send_message_batch"):
        local.replace(responses, name, served_for_sender(getattr(responses, name)))
