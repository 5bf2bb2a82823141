"""Handler of the deploy queue: each message deploys the newest approved version of a model to its endpoint.

Needs ssm:GetParameter on the models' parameters; on the factory's own names sagemaker:ListModelPackages, DescribeModelPackage,
Create/Describe Model and EndpointConfig, Create/Update/Describe/Delete Endpoint, AddTags and ListTags, these also on model
package groups; iam:PassRole for the endpoint role; application-autoscaling:RegisterScalableTarget, PutScalingPolicy and
DeregisterScalableTarget; cloudwatch:DescribeAlarms on the rollback alarms, PutMetricAlarm and DeleteAlarms; s3:GetObject on
artifacts; sqs:SendMessage to the recorder's queue; events:PutEvents for its alerts; its queue; its log group.
"""

import json
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from messages import ENDPOINT_EVENT, parse
from reconcile import reconcile
from settings import Settings
from shared.queue import process_batch, read_message
from status_events import handle_version

logger = Logger()


def handler(event: dict[str, Any], context: Any) -> Any:
    """Handle a batch of SQS messages; failed ones return to the queue and finally move to the dead-letter queue."""
    return process_batch(event, context, handle)


def handle(record: SQSRecord, lambda_context: Any) -> None:
    """Handle one message about one model. Raises for an invalid message, and for one that SQS has to deliver again."""
    logger.remove_keys(["model"])  # of the previous message
    try:
        request, settings = read_message(record, lambda_context, parse, Settings)
    except LookupError:
        # A rule that was deleted may match events for a short time: these are about the endpoint that its stack deleted.
        if json.loads(record.body).get("detail-type") == ENDPOINT_EVENT:
            return
        raise
    logger.append_keys(model=settings.model)
    if request.model_package and request.status_event:
        done = handle_version(settings, request.model_package, request.status_event)
        if done:
            logger.info(done, trigger=request.kind, version=request.model_package)
            return
    sent = datetime.fromtimestamp(int(record.attributes.sent_timestamp) / 1000, UTC)
    outcome = reconcile(settings, request, record.attributes.sender_id, sent)
    logger.info(outcome.message, trigger=request.kind, **outcome.facts)
