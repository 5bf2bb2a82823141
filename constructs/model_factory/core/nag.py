"""Suppressions of findings of cdk-nag, checkov and cfn-lint, each on one resource and with its reason.

cdk-nag reads what the CDK's own API writes beside the template, checkov and cfn-lint read the resource's metadata.
docs/reference/suppressions.md lists them all.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from aws_cdk import Acknowledgment, CfnResource, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct

ONE_ROLE = (
    "An inline policy of this one role: it cannot be attached to another principal, and it is deleted with the role."
)
NO_SOURCE_OF_ITS_OWN = "The source comes from the pipeline; the project has no credentials of a repository."
DEPENDS_TWICE = "The CDK adds the dependency on the role, which the reference to its ARN implies; it has no effect."

_WILDCARDS = "AwsSolutions-IAM5"
_acknowledged: dict[str, set[str]] = {}
"""Names of the findings that `suppress` acknowledged, by the jsii reference of their resource.

They are in the resource's metadata too, but each entry costs four calls of the CDK's process: a fifth of all calls of a synth.
"""


def suppress(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Suppress findings on one resource. Further calls for the same resource add to the earlier ones.

    Args:
        construct: The resource, or a construct whose default child it is.
        reasons: Reason by rule: `CKV…` is a rule of checkov, another rule without a hyphen one of cfn-lint, and the rest
            are rules of cdk-nag. AwsSolutions-IAM5 suppresses the wildcards that the policy has by now, each by name, except
            those that an earlier call suppressed.

    Raises:
        TypeError: The construct has no CloudFormation resource of its own.
    """
    resource = construct if isinstance(construct, CfnResource) else construct.node.default_child
    if not isinstance(resource, CfnResource):
        raise TypeError(
            f"{construct.node.path}: construct is {type(construct).__name__}, which has no CloudFormation resource of its own"
        )
    known = _acknowledged.setdefault(cast(Any, resource).__jsii_ref__.ref, set())
    # The CDK's name of a rule of a plugin is `plugin::rule`; cdk-nag's packs are called what their rules begin with.
    nagged = [
        Acknowledgment(id=name, reason=reason)
        for rule, reason in reasons.items()
        if "-" in rule
        for finding in (_wildcards(resource) if rule == _WILDCARDS else [rule])
        if (name := f"{rule.partition('-')[0]}::{finding}") not in known
    ]
    if nagged:
        Validations.of(resource).acknowledge(*nagged)
        known.update(each.id for each in nagged)
    skipped = [{"id": rule, "comment": reason} for rule, reason in reasons.items() if rule.startswith("CKV")]
    if skipped:
        before: dict[str, Any] = resource.get_metadata("checkov") or {}
        resource.add_metadata("checkov", {"skip": [*before.get("skip", []), *skipped]})
    linted = {rule: reason for rule, reason in reasons.items() if "-" not in rule and not rule.startswith("CKV")}
    if linted:
        # cfn-lint has no place for reasons; they stand beside its own key, where it does not look.
        resource.add_metadata("cfn-lint", {"config": {"ignore_checks": list(linted)}, "reasons": linted})


def in_both_packs(rule: str, reason: str) -> dict[str, str]:
    """The rule by its names in the packs NIST 800-53 R5 and PCI DSS 3.2.1."""
    return {f"{pack}-{rule}": reason for pack in ("NIST.800.53.R5", "PCI.DSS.321")}


def _wildcards(resource: CfnResource) -> list[str]:
    """IAM5's findings as cdk-nag names them: it accepts them one by one only (cdklabs/cdk-nag#2357)."""
    found: dict[str, None] = {}
    for document in _documents(resource):
        for statement in document["Statement"]:
            if statement["Effect"] == "Allow":
                for kind in ("Action", "Resource"):
                    values: Any = statement.get(kind, [])
                    for value in map(_flat, cast(list[Any], values) if isinstance(values, list) else [values]):
                        if "*" in value:
                            found[f"{_WILDCARDS}[{kind}::{value}]"] = None
    return list(found)


def _documents(resource: CfnResource) -> Iterator[dict[str, Any]]:
    stack = Stack.of(resource)
    if isinstance(resource, iam.CfnRole):
        policies: list[dict[str, Any]] = stack.resolve(resource.policies) or []
        for policy in policies:
            yield policy["policyDocument"]
    elif isinstance(resource, iam.CfnPolicy):
        yield stack.resolve(resource.policy_document)
    else:
        raise TypeError(f"{resource.node.path} has no policy")


def _flat(value: Any) -> str:
    """A reference as cdk-nag writes it in a finding's name."""
    match value:
        case str():
            return value.replace("${", "<").replace("}", ">")
        case {"Fn::Join": [delimiter, parts]}:
            return delimiter.join(map(_flat, parts))
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Ref": name}:
            return f"<{name}>"
        case _:
            return json.dumps(value, separators=(",", ":"))
