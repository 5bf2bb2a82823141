"""Handler of the score queue: new files of a batch model start a run of its scoring pipeline, five minutes after the first one.

Needs ssm:GetParameter on the models' parameters; sagemaker:ListPipelineExecutions, StartPipelineExecution and
UpdatePipelineExecution on the scoring pipelines; events:PutEvents for alerts; its queue and dead-letter queue; its log group.
"""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from messages import parse
from runs import handle_event
from settings import Settings
from shared.queue import UnknownModelError, process_batch, read_message

logger = Logger()


def handler(event: dict[str, Any], context: Any) -> Any:
    """Handle a batch of SQS messages; failed ones return to the queue and finally move to the dead-letter queue."""
    return process_batch(event, context, handle)


def handle(record: SQSRecord, lambda_context: Any) -> None:
    """Handle one message about one model. Raises for an invalid message or an error of AWS."""
    logger.remove_keys(["model"])  # of the previous message
    try:
        message, settings = read_message(record, lambda_context, parse, Settings)
    except UnknownModelError:  # the model was deleted within the queue's delay
        logger.info("there is no such model any more")
        return
    outcome = handle_event(settings.scoring_pipeline, message.event, record.message_id)
    logger.info(outcome.message, model=message.model, **outcome.facts)
