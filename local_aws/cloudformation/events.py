"""EventBridge rules and CloudWatch log groups."""

import json
from typing import Any

from .resource_types import Context, Physical, Properties, ResourceType, found, refuse_unknown, request, tags_by_key


def _put_rule(events: Any, properties: Properties, name: str) -> str:
    made = {key: value for key, value in properties.items() if key not in ("Targets", "Tags")} | {"Name": name}
    if "EventPattern" in made:
        made["EventPattern"] = json.dumps(made["EventPattern"])
    tags = {"Tags": properties["Tags"]} if properties.get("Tags") else {}
    arn = events.put_rule(**request("events", "PutRule", made), **tags)["RuleArn"]
    if targets := properties.get("Targets"):
        _checked(
            events.put_targets(
                **request("events", "PutTargets", {**_bus(properties), "Rule": name, "Targets": targets})
            )
        )
    return arn


def _bus(properties: Properties) -> dict[str, str]:
    return {"EventBusName": properties["EventBusName"]} if "EventBusName" in properties else {}


def _checked(answer: Any) -> None:
    if failed := answer.get("FailedEntries"):
        raise ValueError(failed[0]["ErrorMessage"])


def _create_rule(events: Any, properties: Properties, context: Context) -> Physical:
    name = properties.get("Name") or context.name[:64]
    arn = _put_rule(events, properties, name)
    return Physical(name, {"Arn": arn, "RuleName": name, "bus": _bus(properties)})


def _update_rule(events: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    _put_rule(events, properties, physical.identifier)
    kept = {target["Id"] for target in properties.get("Targets", [])}
    if gone := [each["Id"] for each in context.before.get("Targets", []) if each["Id"] not in kept]:
        events.remove_targets(Rule=physical.identifier, Ids=gone, **_bus(properties))
    return physical


def _delete_rule(events: Any, physical: Physical) -> None:
    name, bus = physical.identifier, physical.attributes["bus"]
    if targets := events.list_targets_by_rule(Rule=name, **bus)["Targets"]:
        events.remove_targets(Rule=name, Ids=[target["Id"] for target in targets], **bus)
    events.delete_rule(Name=name, **bus)


_LOG_GROUP = ("LogGroupName", "KmsKeyId", "RetentionInDays", "Tags", "LogGroupClass")


def _create_log_group(logs: Any, properties: Properties, context: Context) -> Physical:
    refuse_unknown("AWS::Logs::LogGroup", properties, _LOG_GROUP)
    name = properties.get("LogGroupName") or context.name
    more: dict[str, Any] = {"kmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}
    more |= {"tags": tags_by_key(properties)} if tags_by_key(properties) else {}
    logs.create_log_group(logGroupName=name, **more)
    if "RetentionInDays" in properties:
        logs.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
    return Physical(name, {"Arn": f"arn:aws:logs:{context.region}:{context.account}:log-group:{name}:*"})


def _update_log_group(logs: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    refuse_unknown("AWS::Logs::LogGroup", properties, _LOG_GROUP)
    name, before = physical.identifier, context.before
    if "RetentionInDays" in properties:
        logs.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
    elif "RetentionInDays" in before:
        logs.delete_retention_policy(logGroupName=name)
    if properties.get("KmsKeyId") != before.get("KmsKeyId"):
        if "KmsKeyId" in properties:
            logs.associate_kms_key(logGroupName=name, kmsKeyId=properties["KmsKeyId"])
        else:
            logs.disassociate_kms_key(logGroupName=name)
    if gone := sorted(tags_by_key(before).keys() - tags_by_key(properties).keys()):
        logs.untag_log_group(logGroupName=name, tags=gone)
    if tags_by_key(properties):
        logs.tag_log_group(logGroupName=name, tags=tags_by_key(properties))
    return physical


TYPES = [
    ResourceType(
        "AWS::Events::Rule",
        "events",
        _create_rule,
        _delete_rule,
        _update_rule,
        "Name",
        lambda events, name: found(events.describe_rule, Name=name),
    ),
    ResourceType(
        "AWS::Logs::LogGroup",
        "logs",
        _create_log_group,
        lambda logs, physical: logs.delete_log_group(logGroupName=physical.identifier),
        _update_log_group,
        "LogGroupName",
    ),
]
