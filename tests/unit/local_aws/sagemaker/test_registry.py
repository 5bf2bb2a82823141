"""Model package groups: versions, approval, lists, events."""

import re
from datetime import datetime

import boto3
import pytest
from botocore.exceptions import ClientError

from .conftest import ACCOUNT, REGION
from .endpoint import wait


@pytest.fixture
def group(aws):
    name = aws.name("group")
    aws.sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


def register(aws, group, **more):
    specification = {
        "Containers": [{"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    request = {"ModelPackageGroupName": group, "InferenceSpecification": specification, **more}
    return aws.sagemaker.create_model_package(**request)["ModelPackageArn"]


def test_deleted_version_numbers_are_not_reused(aws, group):
    first, second = register(aws, group), register(aws, group)
    aws.sagemaker.delete_model_package(ModelPackageName=second)
    third = register(aws, group)

    assert [arn.rsplit("/", 1)[-1] for arn in (first, second, third)] == ["1", "2", "3"]
    listed = aws.sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert [package["ModelPackageVersion"] for package in listed] == [1, 3]


def test_registered_version_is_described(aws, group):
    given = {
        "CustomerMetadataProperties": {"data_digest": "abc"},
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://bucket/evaluation.json"}}
        },
        "DriftCheckBaselines": {
            "ModelDataQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://bucket/s.json"}}
        },
    }
    described = aws.sagemaker.describe_model_package(ModelPackageName=register(aws, group, **given))

    assert {key: described[key] for key in given} == given
    assert described["ModelPackageStatus"] == "Completed"
    assert described["ModelApprovalStatus"] == "PendingManualApproval"


def test_described_version_has_digest_of_image(aws, group):
    digests = []
    for region in ("eu-west-1", "us-east-1"):
        image = f"111111111111.dkr.ecr.{region}.amazonaws.com/scikit:1"
        specification = {
            "Containers": [{"Image": image, "ModelDataUrl": "s3://bucket/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
        arn = register(aws, group, InferenceSpecification=specification)
        described = aws.sagemaker.describe_model_package(ModelPackageName=arn)
        digests.append(described["InferenceSpecification"]["Containers"][0]["ImageDigest"])
    assert digests[0] == digests[1]
    assert re.fullmatch("sha256:[0-9a-f]{64}", digests[0])


def test_approval_status_filters_model_package_list(aws, group):
    waiting, wanted = register(aws, group), register(aws, group)

    aws.sagemaker.update_model_package(
        ModelPackageArn=wanted, ModelApprovalStatus="Approved", ApprovalDescription="looks right"
    )

    described = aws.sagemaker.describe_model_package(ModelPackageName=wanted)
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Approved", "looks right")
    for status, arn in (("Approved", wanted), ("PendingManualApproval", waiting)):
        found = aws.sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus=status)
        assert [package["ModelPackageArn"] for package in found["ModelPackageSummaryList"]] == [arn]


def test_lists_are_sorted_and_paged(aws, group):
    arns = [register(aws, group) for _ in range(3)]
    pages = aws.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    )
    assert [[p["ModelPackageArn"] for p in page["ModelPackageSummaryList"]] for page in pages] == [arns[:2], arns[2:]]


def test_registering_and_approving_are_events(aws, group):
    events = aws.listen("SageMaker Model Package State Change")
    arn = register(aws, group)
    aws.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")

    def received():
        mine = [event["detail"] for event in events() if event["resources"] == [arn]]
        return mine if len(mine) == 2 else None

    details = wait(received)
    assert [detail["ModelApprovalStatus"] for detail in details] == ["PendingManualApproval", "Approved"]
    assert all(detail["ModelPackageGroupName"] == group and detail["ModelPackageVersion"] == 1 for detail in details)


def test_group_with_versions_cannot_be_deleted(aws, group):
    arn = register(aws, group)
    with pytest.raises(ClientError, match=group):
        aws.sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    aws.sagemaker.delete_model_package(ModelPackageName=arn)
    aws.sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    with pytest.raises(ClientError, match=group):
        aws.sagemaker.describe_model_package_group(ModelPackageGroupName=group)


def test_update_of_metadata_is_event_with_updated_fields(aws, group):
    arn = register(aws, group, ModelApprovalStatus="Approved")
    events = aws.listen("SageMaker Model Package State Change")
    for change in ({"CustomerMetadataProperties": {"seed": "1"}}, {"ModelApprovalStatus": "Rejected"}):
        aws.sagemaker.update_model_package(ModelPackageArn=arn, **change)

    def received():
        mine = [event["detail"] for event in events() if event["resources"] == [arn]]
        mine = [detail for detail in mine if "UpdatedModelPackageFields" in detail]
        return mine if len(mine) == 2 else None

    first, second = wait(received)
    assert (first["ModelApprovalStatus"], first["UpdatedModelPackageFields"]) == (
        "Approved",
        ["CustomerMetadataProperties"],
    )
    assert (second["ModelApprovalStatus"], second["UpdatedModelPackageFields"]) == ("Rejected", ["ModelApprovalStatus"])
    assert datetime.fromisoformat(second["LastModifiedTime"]).tzinfo
    assert "LastModifiedBy" not in second


def test_last_modified_by_is_caller(aws, group):
    arn = register(aws, group)
    assert "LastModifiedBy" not in aws.sagemaker.describe_model_package(ModelPackageName=arn)
    credentials = aws.local.accounts.assume(f"arn:aws:iam::{ACCOUNT}:role/approver", "ada")
    names = {"aws_access_key_id", "aws_secret_access_key", "aws_session_token"}
    keys = {name: credentials[name.upper()] for name in names}
    approver = boto3.client("sagemaker", endpoint_url=aws.local.endpoint_url, region_name=REGION, **keys)
    approver.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    identity = aws.sagemaker.describe_model_package(ModelPackageName=arn)["LastModifiedBy"]["IamIdentity"]
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/approver/ada"
    assert identity["PrincipalId"].endswith(":ada")
