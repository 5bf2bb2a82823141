"""Deploy queue in, the endpoint on its way to the newest approved version out.

Needs ssm:GetParameter on the models' parameters; on the factory's own names sagemaker:ListModelPackages, DescribeModelPackage,
Create/Describe Model and EndpointConfig, Create/Update/Describe/Delete Endpoint; iam:PassRole for the endpoint role;
application-autoscaling:RegisterScalableTarget, PutScalingPolicy and DeregisterScalableTarget; s3:PutObject on the records
bucket; its queue; its log group.
"""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,  # pyright: ignore[reportUnknownVariableType]
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from messages import Origin, Refused, parse
from reconcile import Delivery, reconcile
from settings import Parameters

logger = Logger()
PREFIX = os.environ["MODELS_PARAMETER_PREFIX"]
parameters = Parameters(os.environ["FACTORY_ENVIRONMENT"], PREFIX)
# Not the processor for FIFO queues: that one fails all messages behind a bad one, which then end in the dead letters with
# it. Every message asks for the same; that they come one after the other is enough, and the queue sees to that.
processor = BatchProcessor(event_type=EventType.SQS)


def handler(event: dict[str, Any], context: Any) -> Any:
    """Handle a batch of SQS messages; the ones that fail go back to the queue and, in the end, to the dead letters."""
    return process_partial_response(event=event, record_handler=handle, processor=processor, context=context)


def handle(record: SQSRecord, lambda_context: Any) -> None:
    """Bring one model's endpoint to its newest approved version. Raises when it has to be tried again or is refused."""
    logger.remove_keys(["model"])  # of the message before
    # /<factory>/<environment>/models/ and <factory>-<environment>-<model> are built from the same parts.
    prefix = "-".join(PREFIX.strip("/").split("/")[:2])
    try:
        request = parse(record.body, Origin(lambda_context.invoked_function_arn.split(":")[4], prefix))
        settings = parameters.find(request.model)
    except (Refused, LookupError) as error:
        # Not `exception`: a bad message is the sender's mistake, a traceback would hide that.
        logger.error("message refused", message_id=record.message_id, reason=str(error))  # noqa: TRY400
        raise
    logger.append_keys(model=settings.model)
    attributes = record.attributes
    sent = datetime.fromtimestamp(int(attributes.sent_timestamp) / 1000, UTC)
    delivery = Delivery(sent, again=int(attributes.approximate_receive_count) > 1)
    outcome = reconcile(settings, request, delivery)
    logger.info(outcome.what, trigger=request.kind, **outcome.facts)
