"""The API of models, endpoint configurations and endpoints."""

import threading
from typing import Any

from ...json_api import Record, ServiceError, now
from ..lists import page
from ..roles import FOR_SERVICES
from ..service import Service
from ..state import State, add, find
from .descriptions import variant_summaries
from .runtime import emit_status


def create_model(service: Service, state: State, request: Record) -> Record:
    """CreateModel."""
    arn = state.arn("model", request["ModelName"])
    service.roles.take(request["ExecutionRoleArn"], arn)
    record = {key: value for key, value in request.items() if key != "Tags"} | {"ModelArn": arn, "CreationTime": now()}
    add(state.models, request["ModelName"], record, "model")
    state.tag(arn, request.get("Tags"))
    service.emit(state, "Model State Change", record, arn)
    return {"ModelArn": arn}


def create_config(service: Service, state: State, request: Record) -> Record:
    """CreateEndpointConfig."""
    arn = state.arn("endpoint-config", request["EndpointConfigName"])
    record = {key: value for key, value in request.items() if key != "Tags"}
    record |= {"EndpointConfigArn": arn, "CreationTime": now()}
    add(state.endpoint_configs, request["EndpointConfigName"], record, "endpoint configuration")
    state.tag(arn, request.get("Tags"))
    service.emit(state, "Endpoint Config State Change", record, arn)
    return {"EndpointConfigArn": arn}


def create_endpoint(service: Service, state: State, request: Record) -> Record:
    """CreateEndpoint: Creating, until its container answers."""
    config = find(state.endpoint_configs, request["EndpointConfigName"], "endpoint configuration")
    name = request["EndpointName"]
    arn = state.arn("endpoint", name)
    _caller_needs(service, state, config, {})
    record: Record = {
        "EndpointName": name,
        "EndpointArn": arn,
        "EndpointConfigName": config["EndpointConfigName"],
        "EndpointStatus": "Creating",
        **variant_summaries(config),
        "CreationTime": now(),
        "LastModifiedTime": now(),
    }
    add(state.endpoints, name, record, "endpoint")
    state.tag(arn, request.get("Tags"))
    emit_status(service, state, record)
    threading.Thread(target=service.hosting.deploy, args=(state, record, config, {}), daemon=True).start()
    return {"EndpointArn": arn}


def update_endpoint(service: Service, state: State, request: Record) -> Record:
    """UpdateEndpoint: blue/green, the old fleet answers until the new one is healthy."""
    record = find(state.endpoints, request["EndpointName"], "endpoint")
    config = find(state.endpoint_configs, request["EndpointConfigName"], "endpoint configuration")
    deployment = request.get("DeploymentConfig", {})
    _caller_needs(service, state, config, deployment)
    if deployment:
        record["LastDeploymentConfig"] = deployment
    record |= {"EndpointStatus": "Updating", "LastModifiedTime": now()}
    record["PendingDeploymentSummary"] = {"EndpointConfigName": config["EndpointConfigName"], "StartTime": now()}
    emit_status(service, state, record)
    threading.Thread(target=service.hosting.deploy, args=(state, record, config, deployment), daemon=True).start()
    return {"EndpointArn": record["EndpointArn"]}


def scale_endpoint(service: Service, state: State, request: Record) -> Record:
    """UpdateEndpointWeightsAndCapacities, with which Application Auto Scaling changes the number of instances."""
    record = find(state.endpoints, request["EndpointName"], "endpoint")
    wanted = request["DesiredWeightsAndCapacities"]
    if any("DesiredWeight" in each or "ServerlessUpdateConfig" in each for each in wanted):
        raise ServiceError("the embedded AWS supports DesiredInstanceCount only")
    counts = {each["VariantName"]: each["DesiredInstanceCount"] for each in wanted}
    record |= {"EndpointStatus": "Updating", "LastModifiedTime": now()}
    emit_status(service, state, record)
    threading.Thread(target=service.hosting.scale, args=(state, record, counts), daemon=True).start()
    return {"EndpointArn": record["EndpointArn"]}


def _caller_needs(service: Service, state: State, config: Record, deployment: Record) -> None:
    """Check the caller's permissions for a grant on the volume key and for reading the alarms."""
    if key := config.get("KmsKeyId"):
        service.roles.caller_needs("kms:CreateGrant", key, state.region, FOR_SERVICES)
    for alarm in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", []):
        arn = f"arn:aws:cloudwatch:{state.region}:{state.account}:alarm:{alarm['AlarmName']}"
        service.roles.caller_needs("cloudwatch:DescribeAlarms", arn, state.region)


def delete_endpoint(service: Service, state: State, request: Record) -> None:
    """DeleteEndpoint."""
    record = find(state.endpoints, request["EndpointName"], "endpoint")
    del state.endpoints[record["EndpointName"]]
    service.hosting.remove(record)
    record |= {"EndpointStatus": "Deleting", "LastModifiedTime": now()}
    emit_status(service, state, record)
    state.tags.pop(record["EndpointArn"], None)


def _delete(table: str, key: str, what: str, arn: str) -> Any:
    def delete(service: Service, state: State, request: Record) -> None:
        record = find(getattr(state, table), request[key], what)
        del getattr(state, table)[record[key]]
        state.tags.pop(record[arn], None)

    return delete


def _list(table: str, answer_key: str, name_key: str, keys: tuple[str, ...]) -> Any:
    def listed(service: Service, state: State, request: Record) -> Record:
        found = [
            {key: record[key] for key in (name_key, *keys) if key in record}
            for record in getattr(state, table).values()
        ]
        return page(found, request, answer_key)

    return listed


OPERATIONS = {
    "CreateModel": create_model,
    "DescribeModel": lambda service, state, request: find(state.models, request["ModelName"], "model"),
    "DeleteModel": _delete("models", "ModelName", "model", "ModelArn"),
    "ListModels": _list("models", "Models", "ModelName", ("ModelArn", "CreationTime")),
    "CreateEndpointConfig": create_config,
    "DescribeEndpointConfig": lambda service, state, request: find(
        state.endpoint_configs, request["EndpointConfigName"], "endpoint configuration"
    ),
    "DeleteEndpointConfig": _delete(
        "endpoint_configs", "EndpointConfigName", "endpoint configuration", "EndpointConfigArn"
    ),
    "ListEndpointConfigs": _list(
        "endpoint_configs", "EndpointConfigs", "EndpointConfigName", ("EndpointConfigArn", "CreationTime")
    ),
    "CreateEndpoint": create_endpoint,
    "UpdateEndpoint": update_endpoint,
    "UpdateEndpointWeightsAndCapacities": scale_endpoint,
    "DescribeEndpoint": lambda service, state, request: find(state.endpoints, request["EndpointName"], "endpoint"),
    "DeleteEndpoint": delete_endpoint,
    "ListEndpoints": _list(
        "endpoints", "Endpoints", "EndpointName", ("EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
    ),
    "AddTags": lambda service, state, request: (
        state.tag(request["ResourceArn"], request["Tags"]),
        {"Tags": request["Tags"]},
    )[1],
    "ListTags": lambda service, state, request: {
        "Tags": [{"Key": key, "Value": value} for key, value in state.tags.get(request["ResourceArn"], {}).items()]
    },
}
