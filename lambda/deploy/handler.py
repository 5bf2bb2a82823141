"""Deploy queue in, the endpoint on its way to the newest approved version out.

Needs ssm:GetParameter on the models' parameters; on the factory's own names sagemaker:ListModelPackages, DescribeModelPackage,
Create/Describe Model and EndpointConfig, Create/Update/Describe/Delete Endpoint; iam:PassRole for the endpoint role;
application-autoscaling:RegisterScalableTarget and PutScalingPolicy; s3:PutObject on the records bucket; its queue; its log group.
"""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    SqsFifoPartialProcessor,
    process_partial_response,  # pyright: ignore[reportUnknownVariableType]
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from messages import parse
from reconcile import reconcile
from settings import Parameters

logger = Logger()
parameters = Parameters(os.environ["FACTORY_ENVIRONMENT"], os.environ["MODELS_PARAMETER_PREFIX"])
processor = SqsFifoPartialProcessor(skip_group_on_error=True)


def handler(event: dict[str, Any], context: Any) -> Any:
    """Handle a batch of SQS messages; the ones that fail go back to the queue and, in the end, to the dead letters."""
    return process_partial_response(event=event, record_handler=handle, processor=processor, context=context)


def handle(record: SQSRecord) -> None:
    """Bring one model's endpoint to its newest approved version. Raises when it has to be tried again or is refused."""
    try:
        request = parse(record.body)
        settings = parameters.find(request)
    except (ValueError, LookupError) as error:
        # Not `exception`: a bad message is the sender's mistake, a traceback would hide that.
        logger.error("message refused", message_id=record.message_id, reason=str(error))  # noqa: TRY400
        raise
    logger.append_keys(model=settings.model)
    outcome = reconcile(settings, request.id)
    logger.info(outcome.what, **outcome.facts)
