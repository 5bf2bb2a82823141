"""Custom resource: when a model's stack is deleted, it deletes the endpoint and the deploy function's other resources.

Needs, on the factory's own names, sagemaker:Describe/Delete Endpoint, EndpointConfig and Model, their List actions,
ListModelPackages and DeleteModelPackage, and application-autoscaling:DeregisterScalableTarget, cloudwatch:DeleteAlarms;
sqs:SendMessage to the recorder's queue; its log group.
"""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.parser import BaseModel
from pydantic import Field
from removal import remove_serving, remove_versions
from shared.custom_resource import Request, handle, validate
from shared.names import MODEL_NAME_PATTERN, factory_and_environment, is_model_name
from shared.records import Record, send_record
from shared.settings import PARAMETER_PREFIX

logger = Logger()


class Properties(BaseModel):
    """Properties of the custom resource in the template."""

    endpoint: str = Field(alias="EndpointName", pattern=MODEL_NAME_PATTERN, max_length=63)
    model_package_group: str = Field(alias="ModelPackageGroupName", pattern=MODEL_NAME_PATTERN, max_length=63)
    delete_versions: bool = Field(default=False, alias="DeleteVersions")


def handler(event: dict[str, Any], context: Any) -> None:
    """Handle a request; see `shared.custom_resource.handle`."""
    handle(event, context, logger, lambda request: _remove(request, context), name_property="EndpointName")


def _remove(request: Request, context: Any) -> None:
    properties = validate(Properties, request.properties)
    _record(request, properties)
    remove_serving(properties.endpoint, context.get_remaining_time_in_millis)
    if properties.delete_versions:
        remove_versions(properties.model_package_group)


def _record(request: Request, properties: Properties) -> None:
    """Send the record of what is about to be deleted; the same one for each attempt of a request."""
    model = properties.endpoint.removeprefix(f"{'-'.join(factory_and_environment(PARAMETER_PREFIX))}-")
    facts = {
        "what": "what was deployed for the stack of the model",
        "endpoint": properties.endpoint,
        "model_package_group": properties.model_package_group,
        "versions_deleted": properties.delete_versions,
    }
    record = Record("deletion", request.id, model if is_model_name(model) else "", subject=request.stack, facts=facts)
    send_record(record)
