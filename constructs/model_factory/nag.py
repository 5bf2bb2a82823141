"""Accepted findings of cdk-nag, each on one resource and with its reason."""

from collections.abc import Mapping

from aws_cdk import CfnResource
from constructs import IConstruct


def accept(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Write `reasons` (by rule id) where cdk-nag and reviewers look: in the resource's metadata.

    The format is cdk-nag's own; importing cdk-nag for it would slow every synth down.
    """
    resource = construct if isinstance(construct, CfnResource) else construct.node.default_child
    if not isinstance(resource, CfnResource):
        raise TypeError(f"{construct.node.path} has no CloudFormation resource of its own")
    rules = [{"id": rule, "reason": reason} for rule, reason in reasons.items()]
    resource.add_metadata("cdk_nag", {"rules_to_suppress": rules})
