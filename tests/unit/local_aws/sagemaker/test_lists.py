"""SageMaker's List operations: filters, default order, pages."""

from datetime import UTC, datetime, timedelta

import pytest

from local_aws.sagemaker.lists import page

START = datetime(2026, 11, 24, tzinfo=UTC)
STATUSES = ["InService", "Failed", "Creating"]
ENDPOINTS = [
    {
        "EndpointName": f"{name}-{number}",
        "EndpointArn": f"arn:{number}",
        "CreationTime": START + timedelta(hours=number),
        "LastModifiedTime": START + timedelta(hours=20 - number),
        "EndpointStatus": STATUSES[number % 3],
    }
    for number, name in enumerate(["churn", "fraud", "churn-v2"] * 4)
]


def names(request=None, **more):
    return [found["EndpointName"] for found in page(ENDPOINTS, request or {}, "Endpoints", **more)["Endpoints"]]


def numbers(request=None, **more):
    return [int(name.rpartition("-")[2]) for name in names(request, **more)]


def hour(number):
    return (START + timedelta(hours=number)).timestamp()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]),
        ({"SortOrder": "Ascending", "MaxResults": 3}, [0, 1, 2]),
        ({"NameContains": "fraud"}, [10, 7, 4, 1]),
        ({"NameContains": "Fraud"}, []),
        ({"StatusEquals": "Failed", "NameContains": "fraud", "MaxResults": 2}, [10, 7]),
        ({"CreationTimeAfter": hour(9)}, [11, 10, 9]),
        ({"CreationTimeBefore": hour(2)}, [1, 0]),
        ({"LastModifiedTimeAfter": hour(19)}, [1, 0]),
        ({"LastModifiedTimeBefore": hour(10)}, [11]),
        ({"SortBy": "Name", "SortOrder": "Ascending", "MaxResults": 3}, [0, 3, 6]),
        ({"SortBy": "Status", "SortOrder": "Ascending", "MaxResults": 4}, [2, 5, 8, 11]),
    ],
)
def test_list_is_filtered_and_sorted_as_documented(request_, expected):
    assert numbers(request_) == expected


def test_default_order_is_that_of_operation():
    assert numbers({"MaxResults": 2}, order="Ascending") == [0, 1]


def test_pages_follow_tokens_to_the_end():
    first = page(ENDPOINTS, {}, "Endpoints")
    second = page(ENDPOINTS, {"NextToken": first["NextToken"]}, "Endpoints")
    assert (len(first["Endpoints"]), len(second["Endpoints"])) == (10, 2)
    assert "NextToken" not in second


def test_packages_without_group_are_listed_by_type_only(aws):
    group = aws.name("group")
    aws.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    image = {"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz"}
    for _ in range(2):
        aws.sagemaker.create_model_package(
            ModelPackageGroupName=group,
            InferenceSpecification={
                "Containers": [image],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )

    def listed(**request):
        found = aws.sagemaker.list_model_packages(**request)["ModelPackageSummaryList"]
        return [package["ModelPackageVersion"] for package in found if package["ModelPackageGroupName"] == group]

    assert listed() == []
    assert listed(ModelPackageType="Versioned", NameContains=group) == [1, 2]
    assert listed(ModelPackageGroupName=group) == [1, 2]
    assert listed(ModelPackageGroupName=group, SortOrder="Descending", MaxResults=1) == [2]
