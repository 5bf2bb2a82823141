"""Lambda functions, who may invoke them, event source mappings and settings of asynchronous invocations."""

import io
import zipfile
from typing import Any

from .resource_types import (
    Context,
    Physical,
    Properties,
    ResourceType,
    put_again,
    refuse_unknown,
    request,
    service_model,
    tags_by_key,
)

# What a property is without a value in the template.
_DEFAULTS: Properties = {
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "Environment": {"Variables": {}},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
    "KMSKeyArn": "",
    "DeadLetterConfig": {"TargetArn": ""},
    "TracingConfig": {"Mode": "PassThrough"},
    "Layers": [],
    "EphemeralStorage": {"Size": 512},
    "LoggingConfig": {},
}
_PARTS = ("Code", "Tags", "ReservedConcurrentExecutions")
_CODE = ("Code.S3Bucket", "Code.S3Key", "Code.S3ObjectVersion")


def _configuration(properties: Properties) -> Properties:
    """Properties as the API has them. CloudFormation writes KmsKeyArn, the API KMSKeyArn."""
    return {
        ("KMSKeyArn" if key == "KmsKeyArn" else key): value for key, value in properties.items() if key not in _PARTS
    }


def _code(properties: Properties) -> Properties:
    code = properties["Code"]
    if "ZipFile" in code:  # the text of one module
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("index.py", code["ZipFile"])
        return {"ZipFile": content.getvalue()}
    refuse_unknown("AWS::Lambda::Function", (f"Code.{key}" for key in code), _CODE)
    return code


def _create_function(client: Any, properties: Properties, context: Context) -> Physical:
    name = properties.get("FunctionName") or context.name[-64:]
    made = request("lambda", "CreateFunction", {**_configuration(properties), "FunctionName": name})
    arn = client.create_function(**made, Code=_code(properties), Tags=tags_by_key(properties))["FunctionArn"]
    if "ReservedConcurrentExecutions" in properties:
        _reserve(client, name, properties)
    return Physical(name, {"Arn": arn})


def _update_function(client: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    name, before = physical.identifier, context.before
    removed = _configuration(dict.fromkeys(context.removed(properties)))
    reset = {key: _DEFAULTS[key] for key in removed if key in _DEFAULTS}
    wanted = reset | _configuration(properties) | {"FunctionName": name}
    known = service_model("lambda").operation_model("UpdateFunctionConfiguration").input_shape.members
    client.update_function_configuration(
        **request("lambda", "UpdateFunctionConfiguration", {key: wanted[key] for key in wanted if key in known})
    )
    if properties["Code"] != before.get("Code") or properties.get("Architectures") != before.get("Architectures"):
        more = {"Architectures": properties["Architectures"]} if "Architectures" in properties else {}
        client.update_function_code(FunctionName=name, **_code(properties), **more)
    if properties.get("ReservedConcurrentExecutions") != before.get("ReservedConcurrentExecutions"):
        _reserve(client, name, properties)
    arn, old = physical.attributes["Arn"], tags_by_key(before)
    if gone := sorted(old.keys() - tags_by_key(properties).keys()):
        client.untag_resource(Resource=arn, TagKeys=gone)
    if tags_by_key(properties):
        client.tag_resource(Resource=arn, Tags=tags_by_key(properties))
    return physical


def _reserve(client: Any, name: str, properties: Properties) -> None:
    if "ReservedConcurrentExecutions" in properties:
        reserved = int(properties["ReservedConcurrentExecutions"])
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    else:
        client.delete_function_concurrency(FunctionName=name)


def _create_mapping(client: Any, properties: Properties, context: Context) -> Physical:
    made = client.create_event_source_mapping(**_mapping("CreateEventSourceMapping", properties))
    return Physical(made["UUID"], {"Id": made["UUID"]})


def _update_mapping(client: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    wanted = {key: value for key, value in properties.items() if key != "EventSourceArn"} | {
        "UUID": physical.identifier
    }
    client.update_event_source_mapping(**_mapping("UpdateEventSourceMapping", wanted))
    return physical


def _mapping(operation: str, properties: Properties) -> dict[str, Any]:
    return request("lambda", operation, properties, ignore=("Tags",))


def _put_invoke_config(client: Any, properties: Properties, context: Context) -> Physical:
    client.put_function_event_invoke_config(**request("lambda", "PutFunctionEventInvokeConfig", properties))
    return Physical(f"{properties['FunctionName']}|{properties.get('Qualifier', '$LATEST')}")


def _add_permission(client: Any, properties: Properties, context: Context) -> Physical:
    client.add_permission(**request("lambda", "AddPermission", properties | {"StatementId": context.name}))
    return Physical(f"{properties['FunctionName']}|{context.name}", {"Id": context.name})


def _remove_permission(client: Any, physical: Physical) -> None:
    function, _, statement = physical.identifier.rpartition("|")
    client.remove_permission(FunctionName=function, StatementId=statement)


TYPES = [
    ResourceType(
        "AWS::Lambda::Function",
        "lambda",
        _create_function,
        lambda client, physical: client.delete_function(FunctionName=physical.identifier),
        _update_function,
        "FunctionName",
    ),
    ResourceType(
        "AWS::Lambda::EventSourceMapping",
        "lambda",
        _create_mapping,
        lambda client, physical: client.delete_event_source_mapping(UUID=physical.identifier),
        _update_mapping,
    ),
    ResourceType("AWS::Lambda::Permission", "lambda", _add_permission, _remove_permission),
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
