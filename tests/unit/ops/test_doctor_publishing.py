"""`model-factory doctor`: the receiver of OpenLineage events, its key, and room for lineage entities."""

import ssl
from types import SimpleNamespace

import boto3
import pytest

from model_factory.config.factory import ExistingNetwork
from model_factory.config.openlineage import OpenLineage
from model_factory.core.names import EnvironmentNames
from model_factory.functions.shared.lineage_entities import QUOTAS, most
from model_factory.ops.doctor import publishing
from model_factory.ops.doctor.needs import Needs

NAMES = EnvironmentNames("acme", "prod", "123456789012", "eu-west-1")
URL = "https://lineage.example.com:8443/api/v1/lineage"
KEY = "/acme/openlineage-key"
VPC = ExistingNetwork(
    vpc="vpc-0a1b2c3d", subnets=["subnet-0a1b2c3d", "subnet-1a1b2c3d"], security_groups=["sg-0a1b2c3d"]
)


def session(network="default", **receiver):
    factory = SimpleNamespace(openlineage=OpenLineage(**receiver))
    return SimpleNamespace(
        project=SimpleNamespace(factory=factory), environment=SimpleNamespace(network=network), names=NAMES
    )


def client(service):
    return boto3.client(service, region_name="eu-west-1")


@pytest.mark.parametrize(
    ("network", "failure", "status", "said"),
    [
        ("default", None, "ok", "lineage.example.com:8443 takes connections"),
        ("default", ConnectionRefusedError("refused"), "warning", "no connection from this machine"),
        ("default", ssl.SSLCertVerificationError(1, "self-signed"), "problem", "certificate"),
        (VPC, None, "not checked", "connects from the subnets subnet-0a1b2c3d, subnet-1a1b2c3d"),
    ],
)
def test_receiver_is_connected_to(monkeypatch, network, failure, status, said):
    asked = []

    def connect(host, port):
        asked.append((host, port))
        if failure:
            raise failure

    monkeypatch.setattr(publishing, "connect", connect)
    ((found, what, _),) = publishing.publishing(session(network, url=URL), client, Needs())
    assert (found, said in what, asked) == (status, True, [("lineage.example.com", 8443)])


@pytest.mark.parametrize(
    ("parameter", "status", "said"),
    [
        (None, "problem", "there is no parameter"),
        ({"Type": "String"}, "problem", "is a String"),
        ({"Type": "SecureString"}, "ok", "is a SecureString"),
        ({"Type": "SecureString", "KeyId": "alias/other"}, "problem", "encrypted with"),
        ({"Type": "SecureString", "KeyId": NAMES.key_alias}, "ok", "is a SecureString"),
    ],
)
def test_key_of_receiver_is_a_secret_of_a_key_that_the_publisher_has(aws, monkeypatch, parameter, status, said):
    monkeypatch.setattr(publishing, "connect", lambda *_: None)
    for alias in (NAMES.key_alias, "alias/other"):
        key = client("kms").create_key()["KeyMetadata"]["KeyId"]
        client("kms").create_alias(AliasName=alias, TargetKeyId=key)
    if parameter:
        client("ssm").put_parameter(Name=KEY, Value="secret", **parameter)
    _, (found, what, _) = publishing.publishing(session(url=URL, api_key_parameter=KEY), client, Needs())
    assert (found, said in what) == (status, True)
    assert "secret" not in what


@pytest.mark.parametrize(("models", "status"), [(100, "ok"), (151, "warning")])
def test_lineage_entities_are_compared_with_their_quotas(models, status):
    needs = Needs()
    needs.resources["AWS::SageMaker::ModelPackageGroup"] = models
    found = list(publishing.publishing(session(), client, needs))
    assert found[0][0] == status
    assert all(kind in " ".join(what for _, what, _ in found) for kind in QUOTAS)
    assert most(models)["contexts"] == models
