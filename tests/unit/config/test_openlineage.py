"""Section openlineage of factory.yaml: what is refused."""

import pytest

from model_factory.config import ConfigError, load_factory

FACTORY = """\
name: acme
environments:
  - {name: prod, account: "333333333333", region: eu-west-1, network: NETWORK}
openlineage:
"""
URL = "https://lineage.example.com/api/v1/lineage"


def load(tmp_path, section, network="none"):
    path = tmp_path / "factory.yaml"
    path.write_text(f"{FACTORY.replace('NETWORK', network)}  {section}\n")
    return load_factory(path)


@pytest.mark.parametrize(
    ("section", "network", "message"),
    [
        (
            "url: http://lineage.example.com/",
            "none",
            "5: openlineage.url: 'http://lineage.example.com/' is not a URL",
        ),
        ("url: https://ada:secret@example.com/", "none", "write one with https:// and without a password"),
        (f"url: {URL}", "isolated", "'prod' has `network: isolated`, a VPC without internet access"),
        (f"{{url: {URL}, api_key_parameter: key}}", "none", "'key' is not the name of a parameter of Systems Manager"),
        ("api_key_parameter: /acme/key", "none", "is for the endpoint in openlineage.url; add it"),
        ("repository: git@example.com:acme", "none", "is not a URL"),
    ],
)
def test_invalid_endpoint_is_refused_with_advice(tmp_path, section, network, message):
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, section, network)
    assert message in str(refused.value)


def test_isolated_network_needs_no_section(tmp_path):
    assert load(tmp_path, "repository: https://example.com/acme/models", "isolated").openlineage.url is None


def test_endpoint_has_url_and_parameter(tmp_path):
    found = load(tmp_path, f"{{url: {URL}, api_key_parameter: /acme/openlineage-key}}").openlineage
    assert (found.url, found.api_key_parameter) == (URL, "/acme/openlineage-key")
