"""What AWS provides to every account: quotas, public parameters, images."""

import pytest
from botocore.exceptions import ClientError


def test_quotas_of_instances_are_found_by_name(client):
    pages = client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
    quotas = {quota["QuotaName"]: quota for page in pages for quota in page["Quotas"]}
    assert quotas["ml.m5.xlarge for training job usage"]["Value"] == 20
    assert quotas["ml.p4d.24xlarge for training job usage"]["Value"] == 0
    assert "ml.m5.large for endpoint usage" in quotas
    code = quotas["ml.m5.xlarge for training job usage"]["QuotaCode"]
    quota = client("service-quotas").get_service_quota(ServiceCode="sagemaker", QuotaCode=code)["Quota"]
    assert quota["QuotaName"] == "ml.m5.xlarge for training job usage"


@pytest.mark.parametrize(("service", "code"), [("events", "L-00000000"), ("telepathy", "L-244521F2")])
def test_unknown_quota_is_no_such_resource(client, service, code):
    with pytest.raises(ClientError) as caught:
        client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)
    assert caught.value.response["Error"]["Code"] == "NoSuchResourceException"


def test_parameter_of_powertools_is_a_layer(client):
    name = "/aws/service/powertools/python/arm64/python3.14/latest"
    parameter = client("ssm").get_parameter(Name=name)["Parameter"]
    assert (
        parameter["Value"]
        == "arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python314-arm64:1"
    )
    answer = client("ssm").get_parameters(Names=[name, "/aws/service/powertools/cobol"])
    assert [each["Name"] for each in answer["Parameters"]] == [name]
    assert answer["InvalidParameters"] == ["/aws/service/powertools/cobol"]


def test_images_of_sagemaker_exist_in_registry_of_aws_only(client):
    request = {"repositoryName": "sagemaker-scikit-learn", "imageIds": [{"imageTag": "1.9-0-cpu-py3"}]}
    (image,) = client("ecr").batch_get_image(registryId="141502667606", **request)["images"]
    assert image["imageId"] == {"imageTag": "1.9-0-cpu-py3"}
    with pytest.raises(ClientError) as caught:
        client("ecr").batch_get_image(**request)
    assert caught.value.response["Error"]["Code"] == "RepositoryNotFoundException"
