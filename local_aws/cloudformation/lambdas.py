"""Settings of Lambda functions that moto's CloudFormation leaves out."""

from typing import Any

from .resource_types import Context, Physical, Properties, ResourceType, put_again, request


def _put_invoke_config(client: Any, properties: Properties, context: Context) -> Physical:
    client.put_function_event_invoke_config(**request("lambda", "PutFunctionEventInvokeConfig", properties))
    return Physical(f"{properties['FunctionName']}|{properties.get('Qualifier', '$LATEST')}")


TYPES = [
    ResourceType(
        "AWS::Lambda::EventInvokeConfig",
        "lambda",
        _put_invoke_config,
        lambda client, physical: client.delete_function_event_invoke_config(
            FunctionName=physical.identifier.split("|")[0]
        ),
        put_again(_put_invoke_config),
    ),
]
