"""Handler of the retrain queue: a message starts a training, is remembered until the running one ends, or is skipped.

An event about the start of a training is looked at, too: a person can start one while another is in flight.

Needs ssm:GetParameter on the models' parameters; sagemaker:ListPipelineExecutions, StartPipelineExecution and
UpdatePipelineExecution on the training pipelines; s3:ListBucket on the data bucket below `*/raw/`; cloudwatch:PutMetricData in
our namespace; sqs:SendMessage to the recorder's queue; events:PutEvents for alerts; its queue and dead-letter queue; its log
group.
"""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from messages import TrainingChanged, parse
from records import Asked
from settings import Settings
from shared.queue import UnknownModelError, process_batch, read_message
from trainings import check_start, handle_request

logger = Logger()


def handler(event: dict[str, Any], context: Any) -> Any:
    """Handle a batch of SQS messages; failed ones return to the queue and finally move to the dead-letter queue."""
    return process_batch(event, context, handle)


def handle(record: SQSRecord, lambda_context: Any) -> None:
    """Handle one message about one model. Raises for an invalid message or an error of AWS; a skip succeeds."""
    logger.remove_keys(["model", "trigger"])  # of the previous message
    try:
        message, settings = read_message(record, lambda_context, parse, Settings)
    except UnknownModelError as error:
        if isinstance(error.message, TrainingChanged):  # CloudFormation stopped the training when it deleted the model
            return
        raise
    if isinstance(message, TrainingChanged) and message.is_start:
        outcome = check_start(message.model, settings, message.execution)
    else:
        request = message.request(record.message_id)
        logger.append_keys(model=message.model, trigger=request.kind if request else "training ended")
        attributes = record.attributes
        sent = datetime.fromtimestamp(int(attributes.sent_timestamp) / 1000, UTC)
        outcome = handle_request(message.model, settings, request, Asked(attributes.sender_id, sent))
    logger.info(outcome.message, model=message.model, **outcome.facts)
