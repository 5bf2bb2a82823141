"""Templates: what CloudFormation refuses before it creates anything. Their entries have the type of stacks."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..rule import CLOUDFORMATION, Entry, Rule
from . import template_checks as checks

TEMPLATE = "AWS::CloudFormation::Stack"


"""Rules under this name judge a template: its sections are the request's parameters."""


_QUOTAS = "CloudFormation user guide, Understand CloudFormation quotas"
_FORMAT = "CloudFormation user guide, Template format"
_FUNCTIONS = "CloudFormation template reference, Intrinsic functions"
_template = partial(Rule, CLOUDFORMATION, TEMPLATE, code="ValidationError")


def _queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def _made(*extra: dict[str, Any], **resources: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"Resources": {"Queue": _queue()} | resources}
    for each in extra:
        made |= each
    return made


def _several(count: int, value: Any) -> dict[str, Any]:
    return {f"N{number}": value for number in range(count)}


_OUT = {"Value": "1"}
_GIVEN: Mapping[str, Mapping[str, Any]] = {
    "type/AWS::SQS::Queue": {"properties": {"QueueName": {}}, "readOnlyProperties": ["/properties/Arn"]}
}


def _counted(section: str, noun: str, limit: int, value: Any) -> Rule:
    few, many = ({section: _several(count, value)} for count in (limit, limit + 1))
    return _template(
        says=f"A template has up to {limit} {noun}.",
        source=_QUOTAS,
        message=f"Template format error: Number of {noun}, {{count}}, is greater than maximum allowed, {limit}",
        check=checks.too_many(section, limit),
        accepted=few if section == "Resources" else _made(few),
        refused=many if section == "Resources" else _made(many),
        given=_GIVEN,
    )


# The documentation does not give the words of these errors.
_INFERRED = (checks.default, checks.same_export, checks.unknown_condition)

ENTRIES: tuple[Entry, ...] = (
    _counted("Resources", "resources", 500, _queue()),
    _counted("Parameters", "parameters", 200, {"Type": "String"}),
    _counted("Outputs", "outputs", 200, _OUT),
    _counted("Mappings", "mappings", 200, {}),
    *(
        _template(
            says=says,
            source=source,
            message=message,
            check=check,
            accepted=accepted,
            refused=refused,
            given=_GIVEN,
            inferred=check in _INFERRED,
        )
        for says, source, message, check, accepted, refused in (
            (
                "A template has up to 1 MB.",
                _QUOTAS,
                "Template may not exceed 1000000 bytes in size.",
                checks.size,
                _made(),
                _made({"Metadata": {"a": "a" * 1_000_000}}),
            ),
            (
                "A description has up to 1,024 bytes.",
                _QUOTAS,
                "Template format error: 'Description' length is greater than 1024.",
                checks.long_description,
                _made({"Description": "a" * 1024}),
                _made({"Description": "a" * 1025}),
            ),
            (
                "The format version is 2010-09-09.",
                _FORMAT,
                "Template format error: unsupported value for AWSTemplateFormatVersion: {version}.",
                checks.version,
                _made({"AWSTemplateFormatVersion": "2010-09-09"}),
                _made({"AWSTemplateFormatVersion": "2026-01-01"}),
            ),
            (
                "A template has the documented sections only.",
                _FORMAT,
                "Invalid template property or properties [{names}]",
                checks.unknown_section,
                _made({"Metadata": {}}),
                _made({"Ressources": {}}),
            ),
            (
                "A resource has the documented attributes only.",
                "CloudFormation template reference, Resource attributes",
                "Invalid template resource property '{names}'",
                checks.unknown_attribute,
                _made(Other=_queue() | {"Metadata": {}}),
                _made(Other=_queue() | {"Depends": "Queue"}),
            ),
            (
                "Logical ids have letters and digits only.",
                "CloudFormation template reference, Resources syntax",
                "Template format error: Resource name {name} is non alphanumeric.",
                checks.named("Resources"),
                _made(),
                _made(**{"my-queue": _queue()}),
            ),
            (
                "Names of outputs have letters and digits only.",
                "CloudFormation template reference, Outputs syntax",
                "Template format error: Output {name} is non alphanumeric.",
                checks.named("Outputs"),
                _made({"Outputs": {"Name": _OUT}}),
                _made({"Outputs": {"my-name": _OUT}}),
            ),
            (
                "Every resource has a type.",
                "CloudFormation template reference, Resources syntax",
                "Template format error: [/Resources/{name}] Every Resources object must contain a Type member.",
                checks.no_type,
                _made(),
                _made(Other={"Properties": {}}),
            ),
            (
                "Every type exists in the region.",
                "CloudFormation template reference, AWS resource and property types reference",
                "Template format error: Unrecognized resource types: [{types}]",
                checks.unknown_type,
                _made(Own={"Type": "Custom::Own"}),
                _made(Other={"Type": "AWS::SQS::Cue"}),
            ),
            (
                "A deletion policy is Delete, Retain, RetainExceptOnCreate or Snapshot; an update-replace policy has no third.",
                "CloudFormation template reference, DeletionPolicy attribute",
                "Template format error: Unrecognized {attribute} {value} for resource {name}",
                checks.policy,
                _made(Other=_queue() | {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}),
                _made(Other=_queue() | {"UpdateReplacePolicy": "RetainExceptOnCreate"}),
            ),
            (
                "Resources refer to resources and parameters of the template.",
                _FUNCTIONS,
                "Template format error: Unresolved resource dependencies [{names}] in the Resources block of the template",
                checks.unresolved("Resources"),
                _made(Other=_queue(QueueName={"Fn::Sub": "${AWS::StackName}-${Queue}"})),
                _made(Other=_queue(QueueName={"Ref": "Name"})),
            ),
            (
                "Outputs refer to resources and parameters of the template.",
                _FUNCTIONS,
                "Unresolved resource dependencies [{names}] in the Outputs block of the template",
                checks.unresolved("Outputs"),
                _made({"Outputs": {"Url": {"Value": {"Ref": "Queue"}}}}),
                _made({"Outputs": {"Url": {"Value": {"Ref": "Cue"}}}}),
            ),
            (
                "Fn::GetAtt names a resource of the template.",
                _FUNCTIONS,
                "Template error: instance of Fn::GetAtt references undefined resource {name}",
                checks.undefined,
                _made({"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}}}}),
                _made({"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Cue", "Arn"]}}}}),
            ),
            (
                "Fn::GetAtt names an attribute of the resource's type.",
                _FUNCTIONS,
                "Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt",
                checks.no_attribute,
                _made({"Outputs": {"Arn": {"Value": {"Fn::Sub": "${Queue.Arn}"}}}}),
                _made({"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Queue", "Address"]}}}}),
            ),
            (
                "Resources do not wait for each other.",
                "CloudFormation user guide, Troubleshooting CloudFormation, Dependency error",
                "Circular dependency between resources: [{names}]",
                checks.circle,
                _made(Other=_queue() | {"DependsOn": "Queue"}),
                _made(Queue=_queue() | {"DependsOn": "Other"}, Other=_queue(QueueName={"Ref": "Queue"})),
            ),
            (
                "Conditions of resources and outputs are defined.",
                "CloudFormation template reference, Conditions syntax",
                "Template format error: Unresolved condition dependency {name} in the Resources block of the template",
                checks.unknown_condition,
                _made({"Conditions": {"Prod": {}}}, Other=_queue() | {"Condition": "Prod"}),
                _made(Other=_queue() | {"Condition": "Prod"}),
            ),
            (
                "Every output has a value.",
                "CloudFormation template reference, Outputs syntax",
                "Template format error: Every Outputs member must contain a Value object",
                checks.no_value,
                _made({"Outputs": {"Name": _OUT}}),
                _made({"Outputs": {"Name": {"Description": "a"}}}),
            ),
            (
                "Names of exports are unique.",
                "CloudFormation template reference, Outputs syntax",
                "Template format error: Duplicate export name {name}",
                checks.same_export,
                _made({"Outputs": {"A": _OUT | {"Export": {"Name": "a"}}}}),
                _made({"Outputs": {"A": _OUT | {"Export": {"Name": "a"}}, "B": _OUT | {"Export": {"Name": "a"}}}}),
            ),
            (
                "Every parameter has a type.",
                "CloudFormation template reference, Parameters syntax",
                "Template format error: Every Parameters object must contain a Type member.",
                checks.no_parameter_type,
                _made({"Parameters": {"A": {"Type": "String"}}}),
                _made({"Parameters": {"A": {"Default": "a"}}}),
            ),
            (
                "A parameter's default is one of its allowed values.",
                "CloudFormation template reference, Parameters syntax",
                "Template format error: Parameter '{name}' must be one of AllowedValues",
                checks.default,
                _made({"Parameters": {"A": {"Type": "String", "Default": "a", "AllowedValues": ["a"]}}}),
                _made({"Parameters": {"A": {"Type": "String", "Default": "b", "AllowedValues": ["a"]}}}),
            ),
        )
    ),
)
