"""Every resource type in the templates can be created, updated, replaced and deleted in the embedded AWS."""

import json
import shutil
from pathlib import Path

import pytest

from local_aws.cloudformation.changes import changes
from local_aws.cloudformation.drift_readers import READERS
from local_aws.cloudformation.registry import resource_schema
from local_aws.cloudformation.replacement import schema
from model_factory.config.loading import load_factory, load_model

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
    records_retention: 400d
    captured_retention: 200d
    report_retention: 100d
    training_rows_retention: 50d
alerts: {emails: [others@example.com], window: 2h}
anchor: {account: "777777777777", region: eu-central-1, retention: 4000d}
openlineage: {repository: https://git.example.com/models}
"""
EDITED_MODEL = """
name: churn
problem: regression
description: Something else
promote: model
data:
  label: lost
  format: parquet
  time_column: day
  ignore: [remark]
  schema: {age: {type: number}, lost: {type: number}, day: {type: timestamp}}
training:
  image: 141502667606.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3
  instance: ml.m5.xlarge
  processing_instance: ml.m5.4xlarge
  volume_gb: 20
  max_runtime: 30m
  keep_alive: 20m
  hyperparameters: {depth: 9}
  tuning: {ranges: {width: {type: integer, minimum: 1, maximum: 9}}, metric: mae, trials: 4, seed: 8}
  seed: 8
  validation_fraction: 0.1
  test_fraction: 0.2
gate: {metric: rmse, maximum: 0.4}
retrain:
  schedule: "cron(0 4 * * ? *)"
  timezone: UTC
  cooldown: 4h
  window: 30
  max_failures: 7
  on_drift: false
  on_quality: false
serving:
  instance: ml.m5.xlarge
  max_latency: 5s
  max_errors_per_minute: 9
  capture_percent: 50
  invalid_values: refuse
  scaling: {minimum: 2, maximum: 4, invocations_per_instance: 300}
  canary: {percent: 20, bake: 20m}
  serverless: {memory_mb: 4096, max_concurrency: 9}
  batch: {instance: ml.m5.2xlarge, format: csv, labels: true, id_column: remark, timezone: Europe/Berlin, on_data: false}
monitoring:
  schedule: rate(12 hours)
  timezone: Europe/Berlin
  instance: ml.m5.xlarge
  alarm_periods: 3
  evaluation_periods: 4
  max_data_violations: 20
  max_bad_lines: 0.2
  max_age: 30d
  drift: {effect: 0.3, false_alarm_rate: 0.02, minimum_rows: 300}
  quality: {window: 20d, minimum_labels: 300, minimum_coverage: 0.1, margin: 0.2}
report: {groups: [age], intended_use: To know, limits_of_use: None}
"""
_ASYNC = "it is for mode `async`, which has an endpoint of another kind and the same resources"
# Keys that this edit does not change, and why.
NOT_EDITED = {
    "openlineage.url": "an isolated network, which is edited here, has no internet access",
    "openlineage.api_key_parameter": "it belongs to the URL",
    "network": "another network in two deployments: test_deployments.py",
    "keep_isolated_network": "another network in two deployments: test_deployments.py",
    "delivery": "a pipeline in another account, which holds no state of a model",
    "pipeline": "it replaces model.py, which this model has",
    "training.instance_count": "a model with checkpoints on spot capacity, or with tuning, has one",
    "training.framework": "an image, which is edited here, has the framework",
    "serving.challenger": "it needs capture_percent 100, which is edited here",
    "serving.batch.schedule": "it is for mode `batch`, which has no endpoint",
    "serving.async.minimum": _ASYNC,
    "serving.async.maximum": _ASYNC,
    "serving.async.backlog_per_instance": _ASYNC,
    "serving.async.concurrency": _ASYNC,
    "serving.async.retention": _ASYNC,
    "serving.mode": "a serverless endpoint has no instance and no scaling, which are edited here",
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A folder with the edited factory.yaml and churn/model.yaml."""
    out = tmp_path_factory.mktemp("edited")
    (out / "churn").mkdir()
    (out / "churn" / "model.yaml").write_text(EDITED_MODEL)
    shutil.copy(Path(__file__).parent / "models" / "churn" / "model.py", out / "churn")
    (out / "factory.yaml").write_text(EDITED_FACTORY)
    return out


def values(section, at=""):
    """Values by key, such as `serving.canary.bake`; what users name themselves is one value."""
    if not isinstance(section, dict) or at in ("data.schema", "training.hyperparameters"):
        yield at, section
        return
    for key, each in section.items():
        yield from values(each, f"{at}.{key}".lstrip("."))


def test_every_key_is_edited(repository):
    """So a new key of factory.yaml or model.yaml is in the edit below, or in NOT_EDITED with a reason."""
    here = Path(__file__).parent
    factories = load_factory(here / "networked.yaml"), load_factory(repository / "factory.yaml")
    models = load_model(here / "models" / "churn"), load_model(repository / "churn")
    same = set()
    for old, new in (factories, (factories[0].environments[0], factories[1].environments[0]), models):
        before, after = (dict(values(each.model_dump(by_alias=True, exclude={"environments"}))) for each in (old, new))
        same |= {key for key in before.keys() & after.keys() if before[key] == after[key]}
    assert same - IDENTITY == NOT_EDITED.keys()


@pytest.fixture(scope="module")
def edited(repository):
    """The templates of tests/stacks/networked.yaml's isolated environment after edits of every key."""
    from aws_cdk import App

    from model_factory.stacks.factory import add_factory

    out = repository
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
