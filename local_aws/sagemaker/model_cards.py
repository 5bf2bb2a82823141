"""Model cards: their content follows SageMaker's schema, and each change of it is a version."""

import json
import re
from functools import cache
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.protocols import Validator

from ..cloudformation.registry import resource_schema
from ..json_api import Record, ServiceError, now
from .lists import page
from .service import Service
from .state import State

_SUMMARY = ("ModelCardName", "ModelCardArn", "ModelCardStatus", "CreationTime", "LastModifiedTime")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def create(service: Service, state: State, request: Record) -> Record:
    """CreateModelCard: with a key, the caller encrypts with it."""
    check(request["Content"])
    _caller_needs(service, state, request, "kms:GenerateDataKey")
    name, time, user = request["ModelCardName"], now(), service.user()
    arn = state.arn("model-card", name)
    card = {
        **{key: value for key, value in request.items() if key != "Tags"},
        "ModelCardArn": arn,
        "ModelCardVersion": 1,
        "CreationTime": time,
        "CreatedBy": user,
        "LastModifiedTime": time,
        "LastModifiedBy": user,
    }
    with state.lock:
        if name in state.model_cards:
            raise ServiceError(f"Modelcard {arn} already exists", "ConflictException")
        state.model_cards[name] = [card]
    state.tag(arn, request.get("Tags"))
    return {"ModelCardArn": arn}


def update(service: Service, state: State, request: Record) -> Record:
    """UpdateModelCard: content, which is a new version, or status, which is not."""
    with state.lock:
        versions = find(state, request["ModelCardName"])
        _caller_needs(service, state, versions[-1], "kms:GenerateDataKey", "kms:Decrypt")
        changed = {
            **versions[-1],
            **{key: request[key] for key in ("Content", "ModelCardStatus") if key in request},
            "LastModifiedTime": now(),
            "LastModifiedBy": service.user(),
        }
        if "Content" in request:
            check(request["Content"])
            versions.append({**changed, "ModelCardVersion": len(versions) + 1})
        else:
            versions[-1] = changed
    return {"ModelCardArn": changed["ModelCardArn"]}


def describe(service: Service, state: State, request: Record) -> Record:
    """DescribeModelCard: one version, without ModelCardVersion the newest."""
    versions, number = find(state, request["ModelCardName"]), request.get("ModelCardVersion")
    _caller_needs(service, state, versions[-1], "kms:Decrypt")
    if number is None:
        return versions[-1]
    if not 1 <= number <= len(versions):
        raise ServiceError(f"Modelcard {request['ModelCardName']} has no version {number}", "ResourceNotFound")
    return versions[number - 1]


def delete(service: Service, state: State, request: Record) -> None:
    """DeleteModelCard, with all versions."""
    del state.model_cards[find(state, request["ModelCardName"])[-1]["ModelCardName"]]


def listed(service: Service, state: State, request: Record) -> Record:
    """ListModelCards."""
    status = request.get("ModelCardStatus")
    cards = [
        {key: versions[-1][key] for key in _SUMMARY}
        for versions in state.model_cards.values()
        if status in (None, versions[-1]["ModelCardStatus"])
    ]
    return page(cards, request, "ModelCardSummaries")


def _caller_needs(service: Service, state: State, card: Record, *actions: str) -> None:
    """Check the caller's permissions for the key of a card. Raises AccessDeniedError."""
    if key := card.get("SecurityConfig", {}).get("KmsKeyId"):
        for action in actions:
            service.roles.caller_needs(action, key, state.region)


def find(state: State, name: str) -> list[Record]:
    """The versions of a card by its name or ARN. Raises ServiceError."""
    versions = state.model_cards.get(name.rsplit("/", 1)[-1])
    if versions is None:
        raise ServiceError(f"Modelcard {name} does not exist.", "ResourceNotFound")
    return versions


def check(text: str) -> None:
    """Raise ServiceError unless the text is the content of a card: JSON by the schema of AWS::SageMaker::ModelCard.

    SageMaker's own schema has the same members in snake case (developer guide, 'Model card JSON schema').
    """
    if problem := mistake(text):
        raise ServiceError(f"Model card content does not follow the schema: {problem}")


def mistake(text: str) -> str | None:
    """What is wrong with the content of a card; None for nothing."""
    try:
        content = json.loads(text)
    except ValueError as error:
        return f"no JSON: {error}"
    found = next(iter(_validator().iter_errors(content)), None)
    return f"{found.json_path}: {found.message}"[:500] if found else None


@cache
def _validator() -> Validator:
    schema = _snake_case(resource_schema("AWS::SageMaker::ModelCard"))
    return Draft7Validator({"$ref": "#/definitions/Content", "definitions": schema["definitions"]})


def _snake_case(schema: Any) -> Any:
    """The schema with the names of properties in snake case: `ModelId` becomes `model_id`."""
    if isinstance(schema, list):
        return [_snake_case(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: _snake_case(value) for key, value in schema.items()}
    if isinstance(properties := schema.get("properties"), dict):
        changed["properties"] = {_snake(name): _snake_case(value) for name, value in properties.items()}
    if isinstance(required := schema.get("required"), list):
        changed["required"] = [_snake(name) for name in required]
    return changed


def _snake(name: str) -> str:
    return _WORD.sub("_", name).lower()


OPERATIONS = {
    "CreateModelCard": create,
    "UpdateModelCard": update,
    "DescribeModelCard": describe,
    "DeleteModelCard": delete,
    "ListModelCards": listed,
}
