"""Custom resource: when a model's stack is deleted, it deletes the endpoint and the deploy function's other resources.

Needs, on the factory's own names, sagemaker:Describe/Delete Endpoint, EndpointConfig and Model, their List actions,
ListModelPackages and DeleteModelPackage, and application-autoscaling:DeregisterScalableTarget; its log group.
"""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.parser import BaseModel
from pydantic import Field
from removal import remove_serving, remove_versions
from shared.custom_resource import Request, parse, respond, validate
from shared.messages import InvalidMessageError
from shared.names import MODEL_NAME_PATTERN

logger = Logger()


class Properties(BaseModel):
    """Properties of the custom resource in the template."""

    endpoint: str = Field(alias="EndpointName", pattern=MODEL_NAME_PATTERN, max_length=63)
    model_package_group: str = Field(alias="ModelPackageGroupName", pattern=MODEL_NAME_PATTERN, max_length=63)
    delete_versions: bool = Field(default=False, alias="DeleteVersions")


def handler(event: dict[str, Any], context: Any) -> None:
    """Handle a request and respond in every case: without a response the stack waits for an hour.

    Raises InvalidMessageError for an event that is not a request of CloudFormation and has no URL to respond to.
    """
    try:
        request = parse(event, context.invoked_function_arn.split(":")[4])
    except InvalidMessageError as error:
        logger.error("request refused", reason=str(error))  # noqa: TRY400 (the sender's mistake, not ours)
        raise
    status, reason = "SUCCESS", ""
    try:
        if request.kind == "Delete":
            _remove(request, context)
    except Exception as error:
        logger.exception("clean-up failed")
        status, reason = "FAILED", f"{type(error).__name__}: {error}; see log stream {context.log_stream_name}"
    http = respond(request, status, reason, name_property="EndpointName")
    logger.info("responded", status=status, http=http)


def _remove(request: Request, context: Any) -> None:
    properties = validate(Properties, request.properties)
    remove_serving(properties.endpoint, context.get_remaining_time_in_millis)
    if properties.delete_versions:
        remove_versions(properties.model_package_group)
