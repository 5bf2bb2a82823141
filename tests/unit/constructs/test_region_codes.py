"""Names of roles in every region of AWS."""

import json
from pathlib import Path

import botocore
import pytest

from model_factory.core.names import EnvironmentNames
from model_factory.core.region_codes import region_code

PARTITIONS = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text())["partitions"]
REGIONS = [region for each in PARTITIONS for region in each["regions"] if not region.endswith("-global")]


def test_codes_of_all_regions_differ():
    assert len(REGIONS) > 35
    assert len({region_code(region) for region in REGIONS}) == len(REGIONS)


@pytest.mark.parametrize(
    ("region", "code"),
    [("eu-west-1", "euw1"), ("ap-southeast-2", "apse2"), ("us-gov-west-1", "usgovw1"), ("cn-northwest-1", "cnnw1")],
)
def test_code_has_first_letters_of_directions(region, code):
    assert region_code(region) == code


def test_token_of_region_stays_as_it_is():
    assert region_code("${Token[AWS.Region.4]}") == "${Token[AWS.Region.4]}"


@pytest.mark.parametrize("region", REGIONS)
def test_longest_role_name_fits_iam(region):
    names = EnvironmentNames("a" * 10, "b" * 10, "111111111111", region)
    model = names.model("c" * (names.longest_model_prefix - 22))
    roles = [model.role(purpose) for purpose in ("train", "train-job", "monitor", "monitor-job", "endpoint")]
    assert max(map(len, roles)) <= 64
    assert len(f"{model.endpoint}-v1234-12345678") <= 63


def test_roles_of_two_regions_differ():
    first, second = (EnvironmentNames("acme", "prod", "1", region) for region in ("eu-west-1", "eu-west-2"))
    assert first.role("deploy") != second.role("deploy")
    assert first.delivery_role != second.delivery_role
    assert first.model("churn").role("train") != second.model("churn").role("train")
