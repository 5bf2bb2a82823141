"""Handler of the retrain queue: each message starts a training pipeline or is skipped, with the reason in the log.

Needs ssm:GetParameter on the models' parameters; sagemaker:ListPipelineExecutions and StartPipelineExecution on the training
pipelines; s3:ListBucket on the data bucket below `*/raw/`; cloudwatch:PutMetricData in our namespace; its queue; its log group.
"""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import aws
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from decision import Skip, decide
from messages import parse
from settings import Settings
from shared.queue import process_batch, read_message

logger = Logger()


def handler(event: dict[str, Any], context: Any) -> Any:
    """Handle a batch of SQS messages; failed ones return to the queue and finally move to the dead-letter queue."""
    return process_batch(event, context, handle)


def handle(record: SQSRecord, lambda_context: Any) -> None:
    """Handle one trigger of one model. Raises for an invalid message or an error of AWS; a skip succeeds."""
    logger.remove_keys(["model", "trigger"])  # of the previous message
    trigger, settings = read_message(record, lambda_context, parse, Settings, logger)
    logger.append_keys(model=trigger.model, trigger=trigger.kind)
    decision = decide(
        trigger,
        aws.list_executions(settings.training_pipeline),
        partial(aws.newest_data, settings.raw_uri),
        settings.retrain,
        datetime.now(UTC),
        settings.promoted_from,
    )
    if isinstance(decision, Skip):
        logger.info("training skipped", reason=decision.reason)
        # Without new datapoints the alarm on RetrainNotStarted keeps its state until a training starts: it notifies once,
        # however often a drift returns.
        not_started = {"RetrainNotStarted": 1} if decision.notify else {}
        aws.put_counts(trigger.model, {"RetrainSkipped": 1, **not_started})
        return
    # The token comes from the message: a message that is delivered again after a start does not start a second training.
    execution = aws.start_training(settings.training_pipeline, trigger, token=f"retrain-{record.message_id}")
    logger.info("training started", execution=execution, reason=trigger.reason)
    aws.put_counts(trigger.model, {"RetrainStarted": 1, "RetrainNotStarted": 0})
