"""Regions in which a deployment would fail are found from data."""

import json

import pytest

from model_factory.core.regions import RegionError, check_layer, region_mistakes
from tools import regions


@pytest.mark.slow  # it reads the service models and schemas of every region
def test_data_is_that_of_installed_packages():
    assert json.loads(regions.TARGET.read_text()) == regions.from_packages()


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1", "ap-northeast-1"])
def test_region_with_everything_is_accepted(region):
    assert [*region_mistakes(region), *region_mistakes(region, delivery=True)] == []
    check_layer(region, "App/Function")


@pytest.mark.parametrize(
    ("region", "delivery", "reason"),
    [
        ("me-central-1", False, "has no layer of Powertools for AWS Lambda"),
        ("us-gov-west-1", False, "has no layer of Powertools for AWS Lambda"),
        ("ap-south-2", False, "has no AWS::SageMaker::ModelPackageGroup"),
        ("ca-west-1", True, "has no AWS::CodePipeline::Pipeline and no AWS::CodeBuild::Project"),
    ],
)
def test_region_without_something_is_refused_with_reason(region, delivery, reason):
    (mistake,) = region_mistakes(region, delivery=delivery)
    assert mistake.startswith(f"region {region!r} {reason}")


def test_environment_needs_nothing_of_delivery():
    assert list(region_mistakes("ca-west-1")) == []


def test_function_without_layer_in_region_is_refused():
    with pytest.raises(RegionError, match="App/Function: AWS publishes no layer of Powertools"):
        check_layer("me-central-1", "App/Function")
    check_layer("${Token[AWS.Region.4]}", "App/Function")
