"""The templates in the life of a deployment: upgrades, removed environments, networks switched on and off."""

import json
import zipfile
from pathlib import Path

import pytest

from local_aws.server import LocalAws
from tests.stacks.deployments import Deployments

HERE = Path(__file__).parent
# Templates of commit 982c9f2, before the first release (tools/deployed_templates.py). Descriptions of models were then
# descriptions of their groups, which CloudFormation would have to replace: models without one are updated. Functions in networks
# could not be created then, because Lambda refused their roles.
DEPLOYED = HERE / "deployed.zip"


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with LocalAws(tmp_path_factory.mktemp("state")) as local:
        yield local


@pytest.fixture
def accounts(local):
    """Deployments by account and region. Roles have no region in their names, so each test has an account of its own."""
    made = {}

    def of(account, region):
        if (account, region) not in made:
            made[account, region] = Deployments(local, account, region)
        return made[account, region]

    return of


@pytest.mark.parametrize(
    ("account", "region", "stacks"),
    [
        (
            "111111111111",
            "eu-west-1",
            {"acme-dev-foundation": "factory/acme-dev-foundation", "acme-dev-price": "factory/acme-dev-price"},
        ),
        ("999999999999", "eu-west-1", {"acme-delivery": "delivered/acme-delivery"}),
    ],
)
def test_deployed_templates_are_updated_to_these(accounts, synthesized, account, region, stacks):
    deployments = accounts(account, region)
    with zipfile.ZipFile(DEPLOYED) as deployed:
        for name, path in stacks.items():
            template = deployed.read(f"{path}.template.json").decode()
            assert deployments.put(name, template) == ("CREATE_COMPLETE", [])
    for name, path in stacks.items():
        assert deployments.put(name, (synthesized / f"{path}.template.json").read_text()) == ("UPDATE_COMPLETE", [])
        assert drifted(deployments, name) == []


def drifted(deployments, stack):
    """What differs from the template of a stack that nobody has changed."""
    found = deployments.client("cloudformation").describe_stack_resource_drifts(StackName=stack)
    drifts = found["StackResourceDrifts"]
    assert drifts
    return [each for each in drifts if each["StackResourceDriftStatus"] != "IN_SYNC"]


@pytest.fixture(scope="module")
def vault(tmp_path_factory):
    """Templates of an isolated environment, by its further keys in factory.yaml."""
    from aws_cdk import App

    from model_factory.stacks.factory import add_factory

    def synthesize(**keys):
        out = tmp_path_factory.mktemp("vault")
        environment = {"name": "vault", "account": "888888888888", "region": "eu-west-1", **keys}
        factory = out / "factory.yaml"
        factory.write_text(json.dumps({"name": "acme", "environments": [environment]}))
        app = App(outdir=str(out / "out"))
        add_factory(app, factory=factory, models=HERE / "models")
        app.synth()
        return [(out / "out" / f"acme-vault-{stack}.template.json").read_text() for stack in ("foundation", "churn")]

    return synthesize


def test_isolated_network_is_switched_off_in_two_deployments(accounts, vault, monkeypatch):
    monkeypatch.setenv("CDK_VALIDATION", "false")
    deployments = accounts("888888888888", "eu-west-1")
    isolated, left, off = (
        vault(network="isolated", availability_zones=["eu-west-1a", "eu-west-1c"]),
        vault(keep_isolated_network=True, availability_zones=["eu-west-1a", "eu-west-1c"]),
        vault(),
    )

    def put(template, stack="foundation"):
        return deployments.put(f"acme-vault-{stack}", template)

    assert put(isolated[0]) == ("CREATE_COMPLETE", [])
    assert put(isolated[1], "churn") == ("CREATE_COMPLETE", [])
    status, reasons = put(off[0])
    assert status == "UPDATE_ROLLBACK_COMPLETE", reasons
    assert any("as it is in use by acme-vault-churn." in reason for reason in reasons)
    assert put(left[0]) == ("UPDATE_COMPLETE", [])
    assert put(left[1], "churn") == ("UPDATE_COMPLETE", [])
    assert put(off[0]) == ("UPDATE_COMPLETE", [])
    assert put(off[1], "churn") == ("UPDATE_COMPLETE", [])
    subnets = deployments.client("ec2").describe_subnets(Filters=[{"Name": "cidr-block", "Values": ["10.0.0.0/20"]}])
    assert subnets["Subnets"] == []
    assert put(isolated[0]) == ("UPDATE_COMPLETE", [])
    assert put(isolated[1], "churn") == ("UPDATE_COMPLETE", [])
    assert drifted(deployments, "acme-vault-foundation") == drifted(deployments, "acme-vault-churn") == []
