"""AWS's image by region."""

import json
from datetime import date

import pytest

from model_factory.core.image import ImageError, default_image_uri, image_content, images, patch_warning, repository
from tools.image_registries import TARGET, from_sdk


def test_every_region_has_its_own_registry():
    image = "sagemaker-scikit-learn:1.9-0-cpu-py3"
    assert default_image_uri("eu-west-1") == f"141502667606.dkr.ecr.eu-west-1.amazonaws.com/{image}"
    assert default_image_uri("cn-north-1") == f"450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/{image}"


def test_a_region_without_the_image_is_told_with_those_that_have_it():
    with pytest.raises(ImageError, match=r"region 'eu-west-9'; it is in .*eu-west-1.*Give `training.image`"):
        default_image_uri("eu-west-9")


def test_each_framework_has_an_image_whose_content_is_known():
    image = "sagemaker-xgboost:3.2-0"
    assert default_image_uri("eu-west-1", "xgboost") == f"141502667606.dkr.ecr.eu-west-1.amazonaws.com/{image}"
    contents = {framework: image_content(None, framework) for framework in images()}
    assert {framework: content.name for framework, content in contents.items()} == {
        "scikit-learn": "sagemaker-scikit-learn:1.9-0-cpu-py3",
        "xgboost": image,
    }
    assert contents["xgboost"] == image_content(default_image_uri("eu-west-1", "xgboost"))
    assert contents["xgboost"].modules["xgboost"] == "xgboost"


@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1"])
def test_the_default_image_is_in_a_repository(region):
    assert repository(default_image_uri(region))[1:] == (region, "sagemaker-scikit-learn")


@pytest.mark.parametrize("image", ["python:3.12", "111111111111.dkr.ecr.eu-west-1.amazonaws.com/mine"])
def test_an_image_that_sagemaker_cannot_pull_is_told(image):
    with pytest.raises(ImageError, match="push it to a repository and write <account>"):
        repository(image)


@pytest.mark.parametrize(
    ("today", "what"),
    [
        ("2027-05-17", None),
        ("2027-05-18", "until 2027-07-16, for 59 days more: upgrade the library"),
        ("2027-07-16", "until 2027-07-16, for 0 days more"),
        ("2027-07-17", "only until 2027-07-16: upgrade the library"),
    ],
)
def test_warning_begins_sixty_days_before_end_of_patch(today, what):
    warning = patch_warning(default_image_uri("eu-west-1"), date.fromisoformat(today))
    assert what in warning if what else warning is None


def test_own_image_has_no_end_of_patch():
    assert patch_warning("111111111111.dkr.ecr.eu-west-1.amazonaws.com/mine:1", date(2099, 1, 1)) is None


def test_shipped_registries_match_the_sdk():
    assert json.loads(TARGET.read_text()) == from_sdk(), "run python tools/image_registries.py"
