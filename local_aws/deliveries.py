"""Deliveries that AWS services make for a customer: the condition keys that each sends, and the record of refused ones.

Sources: Amazon SNS developer guide, "Managing Amazon SNS encryption keys" ("Adding the aws:SourceAccount, aws:SourceArn,
and aws:SourceOrgID to a AWS KMS policy is not supported for EventBridge-to-encrypted topics"); EventBridge user guide,
"Troubleshooting" ("You can't use Condition blocks in Amazon SNS topic policies for EventBridge") and "Monitoring
Amazon EventBridge"; Amazon SQS developer guide, "Key management" (services that support aws:SourceArn).
"""

import logging
from collections.abc import Mapping
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from .arn import parse_arn
from .authorization import AccessDeniedError, resources
from .interfaces import EmbeddedAws

log = logging.getLogger(__name__)
EVENTBRIDGE, CLOUDWATCH = "events.amazonaws.com", "cloudwatch.amazonaws.com"
SNS, S3 = "sns.amazonaws.com", "s3.amazonaws.com"
# Service and target whose call carries neither aws:SourceArn nor aws:SourceAccount, the calls to KMS included.
_WITHOUT_SOURCE = {(EVENTBRIDGE, "sns")}


def authorize(
    local: EmbeddedAws,
    service: str,
    source_arn: str,
    target: str,
    operation: str,
    params: Mapping[str, Any],
    region: str,
) -> None:
    """Raise AccessDeniedError unless the target's policies, and its key's, let a service call it for `source_arn`.

    `service` is a host name; `target` is boto3's name of the called service.
    """
    sends = (service, target) not in _WITHOUT_SOURCE
    # The ARN of a bucket has no account.
    account = parse_arn(source_arn).account or resources.account_of(source_arn)
    keys = {"aws:SourceArn": source_arn, "aws:SourceAccount": account} if sends else {}
    local.authorization.check_call(service, target, operation, params, region, keys)


def count_failed_invocation(rule_arn: str, *, to_dead_letters: bool | None) -> None:
    """Count a refused event in EventBridge's metrics, by rule.

    `to_dead_letters`: whether the target's dead-letter queue took it; None without such a queue. FailedInvocations does
    not include events that were sent to one.
    """
    metrics = {True: ["InvocationsSentToDlq"], False: ["FailedInvocations", "InvocationsFailedToBeSentToDlq"]}
    _, region, account, name = parse_arn(rule_arn)
    dimensions = [{"Name": "RuleName", "Value": name.rpartition("/")[2]}]
    names = metrics.get(bool(to_dead_letters), []) if to_dead_letters is not None else ["FailedInvocations"]
    data = [{"MetricName": each, "Dimensions": dimensions, "Value": 1, "Unit": "Count"} for each in names]
    cloudwatch_backends[account][region].put_metric_data("AWS/Events", data)


def check(
    local: EmbeddedAws,
    service: str,
    source_arn: str,
    target: str,
    operation: str,
    params: Mapping[str, Any],
    region: str,
) -> bool:
    """As `authorize`, for services that drop what they may not deliver: False, with a line in the log."""
    try:
        authorize(local, service, source_arn, target, operation, params, region)
    except AccessDeniedError as refusal:
        log.warning("%s delivers nothing for %s: %s", service, source_arn, refusal)
        return False
    return True


def call_to(local: EmbeddedAws, arn: str) -> tuple[str, str, dict[str, Any], str]:
    """The call that delivers to a queue, topic or function: boto3's service, operation, parameters that name it, region."""
    service, region, account, name = parse_arn(arn)
    operation, params = {
        "sqs": ("SendMessage", {"QueueUrl": f"{local.endpoint_url}/{account}/{name}"}),
        "sns": ("Publish", {"TopicArn": arn}),
        "lambda": ("Invoke", {"FunctionName": arn}),
    }[service]
    return service, operation, params, region
