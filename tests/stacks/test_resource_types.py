"""Every resource type in the templates can be created, updated, replaced and deleted in the embedded AWS."""

import json
import shutil
from pathlib import Path

import pytest

from local_aws.cloudformation.changes import changes
from local_aws.cloudformation.drift_readers import READERS
from local_aws.cloudformation.registry import resource_schema
from local_aws.cloudformation.replacement import schema

# Changed properties that replace a resource, by type, and why it is right.
REPLACES = {
    "AWS::EC2::Subnet": "availability_zones: the reference says so, and CloudFormation refuses while models use them",
}
# Names that cannot be changed by an edit: another name is another stack.
IDENTITY = {"name", "account", "region"}


@pytest.fixture(scope="module")
def handlers():
    from local_aws.cloudformation.tables import TABLES

    return {resource_type.name: resource_type for table in TABLES for resource_type in table.TYPES}


def test_every_type_has_create_update_and_delete(templates, handlers):
    found = {}
    for path in templates:
        for resource in json.loads(path.read_text())["Resources"].values():
            found.setdefault(resource["Type"], set()).update(resource.get("Properties", {}))
    kinds = {kind for kind in found if not kind.startswith("Custom::")} - {"AWS::CDK::Metadata"}
    assert len(kinds) >= 30
    assert not kinds - handlers.keys()
    for kind in kinds:
        updatable = {name for name in found[kind] if name not in schema(kind).create_only}
        assert handlers[kind].update or not updatable, f"{kind}: {updatable} cannot be updated"


def test_drift_is_read_for_every_type_that_cloudformation_reads(templates):
    found = {each["Type"] for path in templates for each in json.loads(path.read_text())["Resources"].values()}
    schemas = {kind: resource_schema(kind) for kind in found}
    readable = {kind for kind, each in schemas.items() if each and "read" in each.get("handlers", {})}
    assert readable - READERS.keys() == set()
    assert {kind for kind in READERS if "read" not in (resource_schema(kind) or {}).get("handlers", {})} == set()


def test_drift_compares_properties_that_exist():
    for kind, reader in READERS.items():
        assert set(reader.names) <= set((resource_schema(kind) or {})["properties"]), kind


def test_named_types_name_their_property(templates, handlers):
    """A type without it would be replaced under the same name, which CloudFormation refuses."""
    for path in templates:
        for resource in json.loads(path.read_text())["Resources"].values():
            kind = resource["Type"]
            named = {n for n in resource.get("Properties", {}) if n in schema(kind).create_only and n.endswith("Name")}
            named -= {"LogGroupName", "ServiceName"} if kind.startswith("AWS::EC2::") else set()
            named -= {"FunctionName"} if kind == "AWS::Lambda::Permission" else set()  # of which a function has several
            if kind in handlers and named:
                assert handlers[kind].name_property in named, kind


EDITED_FACTORY = """
name: acme
environments:
  - name: vault
    account: "444444444444"
    region: eu-central-1
    network: isolated
    availability_zones: [eu-central-1a, eu-central-1c]
    approval: automatic
    removal: destroy
    records_lock: governance
alerts: {emails: [others@example.com]}
"""
EDITED_MODEL = """
name: churn
problem: regression
description: Something else
promote: model
data:
  label: lost
  format: csv
  schema: {age: {type: number}, lost: {type: number}}
training: {instance: ml.m5.xlarge, volume_gb: 20, max_runtime: 30m, hyperparameters: {depth: 9}, seed: 8}
gate: {metric: rmse, maximum: 0.4}
retrain: {schedule: "cron(0 4 * * ? *)", timezone: UTC, cooldown: 4h, on_drift: false}
serving: {instance: ml.m5.xlarge, max_latency: 5s, max_errors_per_minute: 9, scaling: {minimum: 2, maximum: 4}}
monitoring: {schedule: rate(12 hours), alarm_periods: 3, evaluation_periods: 4, max_data_violations: 20}
"""


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    """The templates of tests/stacks/networked.yaml's isolated environment after edits of nearly every key."""
    from aws_cdk import App

    from model_factory.stacks.factory import add_factory

    out = tmp_path_factory.mktemp("edited")
    (out / "churn").mkdir()
    (out / "churn" / "model.yaml").write_text(EDITED_MODEL)
    shutil.copy(Path(__file__).parent / "models" / "churn" / "model.py", out / "churn")
    (out / "factory.yaml").write_text(EDITED_FACTORY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_VALIDATION", "false")
        app = App(outdir=str(out / "cdk.out"))
        add_factory(app, factory=out / "factory.yaml", models=out)
        app.synth()
    return out / "cdk.out"


@pytest.mark.parametrize("stack", ["foundation", "churn"])
def test_edits_replace_no_named_or_stateful_resource(synthesized, edited, stack):
    name = f"acme-vault-{stack}.template.json"
    old, new = (json.loads((folder / name).read_text())["Resources"] for folder in (synthesized / "networked", edited))
    found = changes(old, new, {}, set())
    assert [change for change in found if change.action == "Modify"]
    # What refers to a replaced subnet may have to be replaced only if its own create-only property refers to it.
    replaced = {change.logical_resource_id: change for change in found if change.replacement == "True"}
    assert {change.resource_type for change in replaced.values()} <= REPLACES.keys(), replaced
    may = [
        c
        for c in found
        if c.replacement == "Conditional" and c.resource_type != "AWS::EC2::SubnetRouteTableAssociation"
    ]
    assert may == []
