"""Retrain queue in, training pipeline started (or not, with the reason) out.

Needs ssm:GetParameter on the models' parameters; sagemaker:ListPipelineExecutions and StartPipelineExecution on the training
pipelines; s3:ListBucket on the data bucket below `*/raw/`; cloudwatch:PutMetricData in our namespace; its queue; its log group.
"""

import os
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws import Aws
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,  # pyright: ignore[reportUnknownVariableType]
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from decision import Skip, decide
from messages import Origin, Refused, parse

logger = Logger()
PREFIX = os.environ["MODELS_PARAMETER_PREFIX"]
aws = Aws(os.environ["FACTORY_ENVIRONMENT"], PREFIX)
# Not the processor for FIFO queues: that one fails all messages behind a bad one, which then end in the dead letters with
# it. Triggers do not build on each other; that they come one after the other is enough, and the queue sees to that.
processor = BatchProcessor(event_type=EventType.SQS)


def handler(event: dict[str, Any], context: Any) -> Any:
    """Handle a batch of SQS messages; the ones that fail go back to the queue and, in the end, to the dead letters."""
    return process_partial_response(event=event, record_handler=handle, processor=processor, context=context)


def handle(record: SQSRecord, lambda_context: Any) -> None:
    """One trigger of one model. Raises when the message is refused or AWS fails; a skip is a normal end."""
    logger.remove_keys(["model", "trigger"])  # of the message before
    # /<factory>/<environment>/models/ and <factory>-<environment>-<model> are built from the same parts.
    prefix = "-".join(PREFIX.strip("/").split("/")[:2])
    try:
        trigger = parse(record.body, Origin(lambda_context.invoked_function_arn.split(":")[4], prefix))
        settings = aws.settings(trigger.model)
    except (Refused, LookupError) as error:
        # Not `exception`: a bad message is the sender's mistake, a traceback would hide that.
        logger.error("message refused", message_id=record.message_id, reason=str(error))  # noqa: TRY400
        raise
    logger.append_keys(model=trigger.model, trigger=trigger.kind)
    decision = decide(
        trigger,
        aws.executions(settings.training_pipeline),
        partial(aws.newest_data, settings.raw_uri),
        settings.retrain,
        datetime.now(UTC),
        settings.promoted_from,
    )
    if isinstance(decision, Skip):
        logger.info("training skipped", reason=decision.reason)
        # The alarm on it stays as it is until a training starts, so people are told once, however often a drift comes back.
        aws.count(trigger.model, {"RetrainSkipped": 1} | ({"RetrainUnanswered": 1} if decision.unanswered else {}))
        return
    # The token is the message's: a message that is delivered again after a start does not start a second training.
    execution = aws.start(settings.training_pipeline, trigger, token=f"retrain-{record.message_id}")
    logger.info("training started", execution=execution, reason=trigger.reason)
    aws.count(trigger.model, {"RetrainStarted": 1, "RetrainUnanswered": 0})
