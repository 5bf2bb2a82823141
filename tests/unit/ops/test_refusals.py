"""The message of a refused call names the role and the permission that it lacks."""

import pytest
from botocore.exceptions import ClientError

from ops.refusals import explain

ROLE = "arn:aws:sts::123456789012:assumed-role/readers/ada"
VERSION = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/acme-prod-churn/7"
ADVICE = "; model-factory policy prints the policy that a command needs"


def error(message, code="AccessDeniedException"):
    return ClientError({"Error": {"Code": code, "Message": message}}, "UpdateModelPackage")


@pytest.mark.parametrize(
    ("message", "explained"),
    [
        (
            f"User: {ROLE} is not authorized to perform: sagemaker:UpdateModelPackage on resource: {VERSION} because no "
            "identity-based policy allows the sagemaker:UpdateModelPackage action",
            "the role readers of 123456789012 (session ada) needs sagemaker:UpdateModelPackage on "
            f"{VERSION} (because no identity-based policy allows the sagemaker:UpdateModelPackage action)",
        ),
        (
            "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: sqs:SendMessage",
            "arn:aws:iam::123456789012:user/ada needs sqs:SendMessage",
        ),
        ("Access Denied", "AWS refused UpdateModelPackage (Access Denied)"),
    ],
)
def test_refusal_names_role_and_permission(message, explained):
    assert explain(error(message)) == explained + ADVICE


def test_refusal_without_a_body_names_the_operation():
    """Of HeadObject: HTTP has no body in its response."""
    assert explain(error("Forbidden", "403")) == f"AWS refused UpdateModelPackage (Forbidden){ADVICE}"


def test_other_errors_keep_their_message():
    other = error("the version does not exist", "ValidationException")
    assert explain(other) == str(other)
