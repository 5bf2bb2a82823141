"""What `model-factory doctor` computes from the synthesized templates of every feature."""

import gzip
import json
import shutil
from collections import Counter
from pathlib import Path

import moto.ssm
import pytest

from model_factory.ops.doctor.assembly import stacks_of
from model_factory.ops.doctor.needs import needs_of
from model_factory.ops.project import Project

STACKS = Path(__file__).parent
ENVIRONMENTS = {
    "dev": "factory",
    "prod": "factory",
    "vault": "networked",
    "shared": "networked",
    "test": "delivered",
    "live": "delivered",
}


@pytest.fixture
def read(synthesized, tmp_path):
    """Session, stacks and needs of an environment."""

    def read(name: str):
        shutil.copy(STACKS / f"{ENVIRONMENTS[name]}.yaml", tmp_path / "factory.yaml")
        session = Project(tmp_path).environment(name)
        stacks = stacks_of(session, synthesized / ENVIRONMENTS[name])
        return session, stacks, needs_of(stacks, {})

    return read


@pytest.fixture(scope="module")
def public_services():
    """The services of eu-west-1 in AWS's public parameters, as moto has them."""
    path = Path(moto.ssm.__file__).parent / "resources" / "regions.json.gz"
    regions = json.loads(gzip.decompress(path.read_bytes()))["aws"]["service"]["global-infrastructure"]["regions"]
    return set(regions["eu-west-1"]["services"])


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_needs_have_every_resource_of_environment(name, read, public_services):
    session, stacks, needs = read(name)
    assert all(stack.name.startswith(f"acme-{name}-") for stack in stacks)
    assert {stack.bootstrap_parameter for stack in stacks} == {"/cdk-bootstrap/hnb659fds/version"}
    counted = Counter(each["Type"] for stack in stacks for each in stack.template["Resources"].values())
    assert needs.resources == counted
    assert set(needs.services) <= public_services
    assert any(parameter.startswith("/aws/service/powertools/") for parameter in needs.parameters)
    assert all(f".dkr.ecr.{session.environment.region}." in image for image in needs.images)
    assert {each.usage for each in needs.instances} >= {"processing job"}
    named = [name for resources in needs.named.values() for kind, name in resources if kind == "AWS::S3::Bucket"]
    assert len(named) == counted["AWS::S3::Bucket"] == 4


def test_needs_of_networks_and_boundaries(read):
    _, _, vault = read("vault")
    assert len(vault.zones) == 2
    assert all(service.startswith("com.amazonaws.eu-central-1.") for service in vault.interface_services)
    assert len(vault.interface_services) == vault.resources["AWS::EC2::VPCEndpoint"] - 1
    assert vault.boundaries == {"arn:aws:iam::444444444444:policy/Bounds"}
    _, _, shared = read("shared")
    assert (shared.zones, shared.interface_services) == ([], set())
