"""Trust policies of roles: what moto refuses and IAM does not.

Source: IAM user guide, "IAM JSON policy elements: Version": the element is optional, and its default is 2008-10-17. The roles of
CDK's bootstrap template have none, and a second `cdk bootstrap` updates them.
"""

from typing import Any

from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator

from .interfaces import EmbeddedAws


def install(local: EmbeddedAws) -> None:
    """Let UpdateAssumeRolePolicy take a trust policy without `Version`, as CreateRole does."""
    validate = IAMTrustPolicyDocumentValidator._validate_version

    def validate_if_present(self: Any) -> None:
        if self._policy_json.get("Version") not in (None, "2008-10-17"):
            validate(self)

    local.replace(IAMTrustPolicyDocumentValidator, "_validate_version", validate_if_present)
