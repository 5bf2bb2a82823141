"""Limits that boto3 does not check before it sends a request, but SageMaker does."""

import pytest
from botocore.exceptions import ClientError


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"ModelPackageGroupDescription": "x" * 1025}, "ModelPackageGroupDescription.*less than or equal to 1024"),
        ({"ModelPackageGroupName": "under_score"}, "ModelPackageGroupName.*pattern"),
        ({"Tags": [{"Key": "k", "Value": "v"}] * 51}, "Tags.*less than or equal to 50"),
    ],
)
def test_value_beyond_service_limit_is_refused(aws, request_, words):
    with pytest.raises(ClientError, match=words) as caught:
        aws.sagemaker.create_model_package_group(**{"ModelPackageGroupName": aws.name("group")} | request_)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_value_outside_enumeration_is_refused(aws):
    with pytest.raises(ClientError, match="enum value set"):
        aws.sagemaker.list_model_packages(ModelApprovalStatus="Perhaps")
