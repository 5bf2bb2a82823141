"""Keys of `network: isolated` in factory.yaml: zones, and the deployment in between that keeps the network."""

import pytest

from model_factory.config import Environment

WHERE = {"name": "dev", "account": "111111111111", "region": "eu-west-1"}
ZONES = ["eu-west-1a", "eu-west-1c"]


@pytest.mark.parametrize(
    "keys",
    [
        {"network": "isolated", "availability_zones": ZONES},
        {"keep_isolated_network": True},
        {"keep_isolated_network": True, "availability_zones": ZONES},
    ],
)
def test_zones_and_kept_network_are_accepted(keys):
    assert Environment(**WHERE, **keys)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"availability_zones": ZONES}, "availability_zones are those of `network: isolated`; remove them"),
        ({"network": "isolated", "availability_zones": ["eu-west-1a", "eu-west-2b"]}, "eu-west-2b is not in eu-west-1"),
        ({"network": "isolated", "availability_zones": ["eu-west-1a"] * 2}, "has eu-west-1a twice; name two zones"),
        ({"network": "isolated", "availability_zones": ["eu-west-1a"]}, "at least 2 items"),
        ({"network": "isolated", "availability_zones": ["euw1-az1", "euw1-az2"]}, "should match pattern"),
        ({"network": "isolated", "keep_isolated_network": True}, "is for the deployment after `network: isolated`"),
    ],
)
def test_wrong_zones_are_refused(keys, message):
    with pytest.raises(ValueError, match=message):
        Environment(**WHERE, **keys)
