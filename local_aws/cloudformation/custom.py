"""Custom resources: the function behind ServiceToken is invoked with CloudFormation's event and answers to a URL.

Moto sends Create only, and does not wait for the answer.
"""

import threading
import uuid
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.core.common_models import CloudFormationModel

from ..arn import parse_arn
from ..interfaces import EmbeddedAws

ANSWER_SECONDS = 900


class CustomResource(CloudFormationModel):
    """One custom resource; `local` is set when it is installed."""

    local: EmbeddedAws
    _waiting: dict[str, "_Answer"] = {}  # noqa: RUF012 (one table for all, filled by the server's threads)

    def __init__(self, context: dict[str, str], properties: dict[str, Any]) -> None:
        self.context, self.properties = context, properties
        self.data: dict[str, Any] = {}
        self.physical_resource_id = ""

    @staticmethod
    def cloudformation_type() -> str:
        """The engine selects this class for every type below Custom::."""
        return "Custom::*"

    @staticmethod
    def cloudformation_name_type() -> str:
        """Custom resources have no name property."""
        return ""

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Every attribute is valid until the function responds."""
        return True

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        """An entry of the response's Data."""
        return self.data[attribute_name]

    def is_created(self) -> bool:
        """Always true: creation waits for the response."""
        return True

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
    ) -> "CustomResource":
        """Send Create and wait for the response."""
        context = {
            "StackId": kwargs["StackId"],
            "LogicalResourceId": kwargs["LogicalId"],
            "ResourceType": kwargs["ResourceType"],
        }
        made = cls(context, cloudformation_json["Properties"])
        made._send("Create")
        return made

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> "CustomResource":
        """Send Update with the old properties. After a new physical id, the engine deletes the old resource."""
        made = cls(original_resource.context, cloudformation_json["Properties"])
        made.physical_resource_id = original_resource.physical_resource_id
        made._send("Update", OldResourceProperties=original_resource.properties)
        return made

    def delete(self, account_id: str, region_name: str) -> None:
        """Send Delete and wait for the response."""
        self._send("Delete")

    def _send(self, request_type: str, **more: Any) -> None:
        token = self.properties["ServiceToken"]
        _, region, account, function_name = parse_arn(token)
        name = function_name.split(":")[1]
        identifier = uuid.uuid4().hex
        event: dict[str, Any] = {
            "RequestType": request_type,
            "ServiceToken": token,
            "RequestId": identifier,
            "ResponseURL": f"{self.local.endpoint_url}/_local/custom-resource/{identifier}",
            "ResourceProperties": self.properties,
            **self.context,
            **more,
        }
        if self.physical_resource_id:
            event["PhysicalResourceId"] = self.physical_resource_id
        answer = self._waiting[identifier] = _Answer()
        function = lambda_backends[account][region].get_function(name)
        result, _ = self.local.functions.invoke(function, event)
        if "error" in result:
            raise RuntimeError(f"{name}: {result['error'].get('errorMessage')}")
        if not answer.arrived.wait(ANSWER_SECONDS):
            raise RuntimeError(f"{name} did not answer within {ANSWER_SECONDS} s")
        del self._waiting[identifier]
        if answer.body.get("Status") != "SUCCESS":
            raise RuntimeError(f"{name}: {answer.body.get('Reason', 'failed without a reason')}")
        self.physical_resource_id = answer.body["PhysicalResourceId"]
        self.data = answer.body.get("Data") or {}


class _Answer:
    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.body: dict[str, Any] = {}


def install(local: EmbeddedAws) -> None:
    """Receive responses at `PUT /_local/custom-resource/<request id>`."""
    CustomResource.local = local

    def answer(body: dict[str, Any], identifier: str) -> dict[str, str]:
        waiting = CustomResource._waiting[identifier]
        waiting.body = body
        waiting.arrived.set()
        return {}

    local.control("custom-resource", answer)
