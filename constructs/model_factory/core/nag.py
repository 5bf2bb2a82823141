"""Suppressions of findings of cdk-nag, checkov and cfn-lint, each on one resource and with its reason.

They are in the metadata of the resource, where the tools read them. docs/reference/suppressions.md lists them all.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnResource
from constructs import IConstruct

ONE_ROLE = "The policy belongs to this one role and lives and dies with it; nobody else can attach it."
NO_SOURCE_OF_ITS_OWN = "The pipeline hands the source over; the project logs in to no repository."
DEPENDS_TWICE = "CDK's own construct writes the dependency on the role, though its ARN implies it; twice does no harm."


def suppress(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Suppress findings on one resource. Further calls for the same resource add to the earlier ones.

    Args:
        construct: The resource, or a construct whose default child it is.
        reasons: Reason by rule: `CKV…` is a rule of checkov, another rule without a hyphen one of cfn-lint, and the rest
            are rules of cdk-nag.

    Raises:
        TypeError: The construct has no CloudFormation resource of its own.
    """
    resource = construct if isinstance(construct, CfnResource) else construct.node.default_child
    if not isinstance(resource, CfnResource):
        raise TypeError(
            f"{construct.node.path}: construct is {type(construct).__name__}, which has no CloudFormation resource of its own"
        )
    # The format is cdk-nag's own; importing cdk-nag for it would slow every synth down.
    _extend(
        resource,
        "cdk_nag",
        "rules_to_suppress",
        [{"id": rule, "reason": reason} for rule, reason in reasons.items() if "-" in rule],
    )
    _extend(
        resource,
        "checkov",
        "skip",
        [{"id": rule, "comment": reason} for rule, reason in reasons.items() if rule.startswith("CKV")],
    )
    linted = {rule: reason for rule, reason in reasons.items() if "-" not in rule and not rule.startswith("CKV")}
    if linted:
        # cfn-lint has no place for reasons; they stand beside its own key, where it does not look.
        resource.add_metadata("cfn-lint", {"config": {"ignore_checks": list(linted)}, "reasons": linted})


def in_both_packs(rule: str, reason: str) -> dict[str, str]:
    """The rule by its names in the packs NIST 800-53 R5 and PCI DSS 3.2.1."""
    return {f"{pack}-{rule}": reason for pack in ("NIST.800.53.R5", "PCI.DSS.321")}


def _extend(resource: CfnResource, tool: str, key: str, entries: list[dict[str, str]]) -> None:
    if entries:
        before: dict[str, Any] = resource.get_metadata(tool) or {}
        resource.add_metadata(tool, {**before, key: [*before.get(key, []), *entries]})
