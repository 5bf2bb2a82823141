"""Custom resource: when a model's stack is deleted, its endpoint and all that the deploy function made go with it.

Needs, on the factory's own names, sagemaker:Describe/Delete Endpoint, EndpointConfig and Model, their List actions,
ListModelPackages and DeleteModelPackage, and application-autoscaling:DeregisterScalableTarget; its log group.
"""

from typing import Any

from answer import Refused, Request, answer, properties, read
from aws_lambda_powertools import Logger
from removal import remove_serving, remove_versions

logger = Logger()


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer CloudFormation in every case: a stack that waits for an answer hangs for an hour.

    Raises Refused for an event that is no request of CloudFormation and has nowhere to answer to.
    """
    try:
        request = read(event, context.invoked_function_arn.split(":")[4])
    except Refused as error:
        logger.error("request refused", reason=str(error))  # noqa: TRY400 (the sender's mistake, not ours)
        raise
    status, reason = "SUCCESS", ""
    try:
        if request.kind == "Delete":
            _remove(request, context)
    except Exception as error:
        logger.exception("clean-up failed")
        status, reason = "FAILED", f"{type(error).__name__}: {error}; see log stream {context.log_stream_name}"
    http = answer(request, status, reason)
    logger.info("answered", status=status, http=http)


def _remove(request: Request, context: Any) -> None:
    wanted = properties(request)
    remove_serving(wanted.endpoint, context.get_remaining_time_in_millis)
    if wanted.delete_versions:
        remove_versions(wanted.model_package_group)
