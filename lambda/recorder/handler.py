"""Handler of the recorder queue: each message is a record, or an event of AWS that becomes records, of a model's chain.

Needs s3:ListBucket on the records bucket below `*/chain/` and `*/index/`; s3:GetObject on `*/chain/*` and s3:PutObject on
`*/chain/*` and `*/index/*`; kms:Decrypt and kms:GenerateDataKey on the environment's key; events:PutEvents for its alerts; its
queue and dead-letter queue; its log group.
"""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from chains import Chains
from completion import Clients, complete, needs_evidence
from messages import Received, parse
from shared.clients import client
from shared.messages import InvalidMessageError
from shared.queue import RefusedMessageError, origin_of, process_batch

logger = Logger()


def handler(event: dict[str, Any], context: Any) -> Any:
    """Handle a batch of SQS messages; failed ones return to the queue and finally move to the dead-letter queue."""
    return process_batch(event, context, handle)


def handle(record: SQSRecord, lambda_context: Any) -> None:
    """Write the records of one message. Raises when it is invalid, or when SQS has to deliver it again."""
    logger.remove_keys(["model", "kind"])  # of the previous message
    try:
        drafts = parse(Received(record.body, record.attributes.sender_id), origin_of(lambda_context))
    except InvalidMessageError as error:
        raise RefusedMessageError(str(error)) from error
    chains = Chains(client("s3"), os.environ["RECORDS_BUCKET"])
    again = int(record.attributes.approximate_receive_count) > 1
    for draft in drafts:
        if needs_evidence(draft) and not chains.has(draft):
            draft = complete(draft, Clients.of(lambda_context))
        written = chains.append(draft, again=again)
        logger.info(
            "recorded" if written.new else "recorded before", model=draft.model, kind=draft.kind, key=written.key
        )
