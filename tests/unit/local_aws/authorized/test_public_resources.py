"""What AWS provides to every account: quotas, public parameters, images."""

import pytest
from botocore.exceptions import ClientError

from local_aws import server


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


def test_image_with_libraries_exists_in_registry(client, local, monkeypatch, tmp_path):
    monkeypatch.setitem(local.images, "team/mine:1", tmp_path)
    (image,) = client("ecr").batch_get_image(repositoryName="team/mine", imageIds=[{"imageTag": "1"}])["images"]
    assert (image["repositoryName"], image["imageId"]) == ("team/mine", {"imageTag": "1"})


def test_machine_images_are_made_at_first_request_for_them(local):
    from moto.ec2.models import ec2_backends

    ec2 = local.session(region="eu-west-2").client("ec2")
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    backend = ec2_backends[server.DEFAULT_ACCOUNT]["eu-west-2"]
    assert (vars(backend)["amis"], vars(backend)["snapshots"]) == ({}, {})
    images = ec2.describe_images(Owners=["amazon"])["Images"]
    snapshot = images[0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    backend.reset()
    assert vars(backend)["amis"] == {}
