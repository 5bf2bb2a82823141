"""The end-to-end tests' look at a finished factory: which versions lack a record or a piece of evidence."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from model_factory.ops.records.chain import Entry
from tests.e2e.completeness import version_gaps

TIME = datetime(2026, 11, 26, 12, tzinfo=UTC)
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/orders/1"


@pytest.fixture
def session(tmp_path):
    """A session with one approved version of a model with a pipeline.py."""
    folder = tmp_path / "models" / "orders"
    folder.mkdir(parents=True)
    (folder / "pipeline.py").touch()
    package = {
        "ModelPackageVersion": 1,
        "ModelApprovalStatus": "Approved",
        "CreationTime": TIME,
        "CustomerMetadataProperties": {"trigger": "manual"},
    }
    listed = {"ModelPackageSummaryList": [{"ModelPackageArn": ARN}]}
    pages = SimpleNamespace(paginate=lambda **_: [listed])
    client = SimpleNamespace(get_paginator=lambda _: pages, describe_model_package=lambda **_: package)
    names = SimpleNamespace(model=lambda name: SimpleNamespace(model_package_group=name))
    return SimpleNamespace(client=lambda _: client, names=names, project=SimpleNamespace(root=tmp_path))


def record(kind, **facts):
    content = {"kind": kind, "version": 1, "time": TIME.isoformat(), "facts": facts}
    return Entry("orders", 1, "key", content)


def registration(*missing, status="Approved"):
    return record("registration", missing=dict.fromkeys(missing, "it is not there"), ModelApprovalStatus=status)


def found(session, *records):
    return list(version_gaps(session, "orders", list(records)))


def test_own_pipeline_needs_no_evidence_of_model_factorys_jobs(session):
    lacking = registration("manifest", "report", "evaluation", "sbom")
    assert found(session, lacking) == []
    (session.project.root / "models" / "orders" / "pipeline.py").unlink()
    assert found(session, lacking) == [f"{ARN}: its evidence lacks evaluation, manifest, report, sbom"]


def test_missing_evidence_of_own_pipeline_is_a_gap(session):
    assert found(session, registration("manifest", "code", "artifact")) == [f"{ARN}: its evidence lacks artifact, code"]


def test_missing_record_of_own_pipeline_is_a_gap(session):
    assert found(session) == [f"{ARN} has no record of its registration"]
    pending = registration(status="PendingManualApproval")
    assert found(session, pending) == [f"{ARN} is Approved, and no record says who decided it"]
    assert found(session, pending, record("approval", decision="Approved")) == []
