"""Handler of the recorder queue: each message is a record, or an event of AWS that becomes records, of a model's chain.

Needs s3:ListBucket on the records bucket below `*/chain/`, `*/index/` and `*/events/`; s3:GetObject on `*/chain/*` and
`*/events/*`; s3:PutObject on `*/chain/*`, `*/index/*` and `*/events/*`; s3:ListBucket and s3:GetObject for evaluation.json
and for the reports of scoring in the artifacts bucket;
sagemaker:DescribePipelineExecution, ListPipelineExecutionSteps, ListPipelineParametersForExecution and DescribeModelPackage;
ssm:GetParameterHistory on the models' parameters; kms:Decrypt and kms:GenerateDataKey on the environment's key;
events:PutEvents for its alerts; its queue and dead-letter queue; its log group.
"""

import os
from collections.abc import Iterator
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from chains import Chains
from completion import Clients, complete, needs_evidence
from configuration import configuration
from drafts import By, Draft
from events import AlarmChanged, Event, ExecutionEnded, SettingsChanged, VersionChanged
from messages import Received, parse
from registry import version
from scorings import scoring
from shared.clients import client
from shared.messages import InvalidMessageError
from shared.queue import RefusedMessageError, origin_of, process_batch
from trainings import training

logger = Logger()


def handler(event: dict[str, Any], context: Any) -> Any:
    """Handle a batch of SQS messages; failed ones return to the queue and finally move to the dead-letter queue."""
    return process_batch(event, context, handle)


def handle(record: SQSRecord, lambda_context: Any) -> None:
    """Write the records of one message. Raises when it is invalid, or when SQS has to deliver it again."""
    logger.remove_keys(["model", "kind"])  # of the previous message
    try:
        message = parse(Received(record.body, record.attributes.sender_id), origin_of(lambda_context))
    except InvalidMessageError as error:
        raise RefusedMessageError(str(error)) from error
    chains = Chains(client("s3"), os.environ["RECORDS_BUCKET"])
    if message is None:
        logger.info("the event is about no model of this environment")
        return
    for found in _drafts(message, chains):
        draft = found
        if needs_evidence(draft) and not chains.has(draft):
            draft = complete(draft, Clients.of(lambda_context))
        written = chains.append(draft.sent_by(record.attributes.sender_id))
        logger.info(
            "recorded" if written.new else "recorded before", model=draft.model, kind=draft.kind, key=written.key
        )


def _drafts(message: Draft | Event, chains: Chains) -> Iterator[Draft]:
    """The records that a message leads to."""
    match message:
        case Draft():
            yield message
        case ExecutionEnded(is_scoring=True):
            yield scoring(message)
        case ExecutionEnded():
            yield from training(message)
        case VersionChanged():
            yield from version(message, chains.has_marker)
        case SettingsChanged():
            yield from configuration(message)
        case AlarmChanged():
            by = By(None, "eventbridge")
            yield Draft("alarm", message.id, message.time, by, message.model, subject=message.arn, facts=message.facts)
