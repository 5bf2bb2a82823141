"""`model-factory lineage --data`: from an object forward to everything that was made from it."""

from types import SimpleNamespace

import boto3
import pytest

from model_factory.core.names import EnvironmentNames
from model_factory.functions.shared.chain import lineage_key
from ops.lineage.forward import NotDeployedError, forward, split_reference, to_reject, to_train_again
from ops.project import UsageError

from .traced import ANSWERS, DATA, PACKAGE, RECORDS


@pytest.fixture
def marked(traced):
    """Object rows.csv, which version 7, version 6 and a rejected training read."""
    records, uri = RECORDS, f"s3://{DATA}/churn/raw/rows.csv"
    s3 = traced.client("s3")
    for object_version, execution, number in (("a", "e6", 6), ("b", "e7", 7), ("b", "e8", None)):
        s3.put_object(Bucket=records, Key=lineage_key(uri, object_version, "churn", execution, number), Body=b"")
    s3.put_object(Bucket=records, Key=lineage_key(f"{uri}.gz", "a", "churn", "e1", 1), Body=b"")
    return uri


def summaries(*versions):
    """ListModelPackages of these numbers and statuses."""
    listed = [
        {"ModelPackageVersion": number, "ModelPackageArn": f"{PACKAGE[:-1]}{number}", "ModelApprovalStatus": status}
        for number, status in versions
    ]
    return lambda _: {"ModelPackageSummaryList": listed}


@pytest.fixture
def registry(traced, monkeypatch):
    """Versions 6 and 7 in the registry, 7 live."""
    monkeypatch.setitem(ANSWERS, "list_model_packages", summaries((6, "Rejected"), (7, "Approved")))
    settings = {"Parameters": [{"Name": "/acme/prod/models/churn", "Value": "{}"}]}
    ssm = type("Ssm", (), {"get_paginator": lambda *_: type("P", (), {"paginate": lambda *_, **__: [settings]})()})()
    traced._clients["ssm"] = ssm


def test_object_is_followed_to_all_trainings(traced, marked, registry):
    (link,) = forward([traced], marked)
    assert [(each.kind, each.name) for each in link.below] == [
        ("training", "churn: no version"),
        ("version", "churn v6 in prod"),
        ("version", "churn v7 in prod"),
    ]
    assert to_train_again([link]) == ["churn v7 in prod"]
    assert to_reject([link]) == []
    assert link.below[2].facts["deployments"] == "1"
    assert not link.problems()


def test_version_of_object_is_followed_alone(traced, marked, registry):
    (link,) = forward([traced], marked, "a")
    assert [each.name for each in link.below] == ["churn v6 in prod"]
    assert forward([traced], marked, "c") == []


def test_version_that_the_registry_lost_is_named(traced, marked, registry, monkeypatch):
    monkeypatch.setitem(ANSWERS, "list_model_packages", summaries((7, "Approved")))
    (problem,) = forward([traced], marked)[0].problems()
    assert problem.name == "churn v6 in prod"


@pytest.mark.parametrize("reference", ["data/key", "s3://bucket", "s3:///key"])
def test_other_references_to_objects_are_refused(reference):
    with pytest.raises(UsageError, match="is no object"):
        split_reference(reference)


S3_ID = "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY"
"""A version id as S3's user guide has it."""


@pytest.mark.parametrize(
    ("reference", "split"),
    [
        ("s3://b/raw/ada@example.com/rows.csv", ("s3://b/raw/ada@example.com/rows.csv", "")),
        ("s3://b/raw/ada@example.com", ("s3://b/raw/ada@example.com", "")),
        (f"s3://b/raw/ada@example.com@{S3_ID}", ("s3://b/raw/ada@example.com", S3_ID)),
        ("s3://b/raw/ada@example.com@null", ("s3://b/raw/ada@example.com", "null")),
        (f"s3://b/raw/rows.csv?versionId={S3_ID}", ("s3://b/raw/rows.csv", S3_ID)),
    ],
)
def test_key_may_have_an_at_sign(reference, split):
    assert split_reference(reference) == split


@pytest.fixture
def nowhere():
    """An environment of factory.yaml that is not deployed."""
    names = EnvironmentNames("acme", "staging", "123456789012", "eu-west-1")
    s3 = boto3.client("s3", region_name="eu-west-1")
    return SimpleNamespace(names=names, environment=SimpleNamespace(name="staging"), client=lambda _: s3)


def test_environment_that_is_not_deployed_is_named(traced, marked, registry, nowhere):
    missing, link = forward([nowhere, traced], marked)
    assert (missing.kind, missing.name, missing.facts) == ("environment", "staging", {"state": "not deployed"})
    assert len(link.below) == 3
    assert not missing.problems()


def test_factory_that_is_not_deployed_is_refused(aws, nowhere):
    with pytest.raises(NotDeployedError, match="staging is not deployed: there is no bucket acme-staging-records"):
        forward([nowhere], f"s3://{DATA}/churn/raw/rows.csv")
