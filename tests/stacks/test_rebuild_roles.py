"""Roles and parameter of an environment's rebuilds."""

import json

import pytest

PROD = "333333333333-us-east-1"
REGISTERS = ("CreateModelPackage", "CreateModel", "CreateEndpoint", "UpdateEndpoint", "UpdateModelPackage")


@pytest.mark.parametrize("role", ["acme-prod-rebuild", "acme-prod-rebuild-job"])
def test_rebuild_roles_cannot_register_or_deploy(foundation, role):
    allowed = {action for statement in foundation.statements(role) for action in statement["Action"]}
    assert not allowed & {f"sagemaker:{action}" for action in REGISTERS}
    assert allowed, "the role has no permission at all"


def test_rebuild_jobs_write_below_rebuilds_only(foundation):
    statements = foundation.statements("acme-prod-rebuild-job")
    writes = [resource for s in statements if "s3:PutObject" in s["Action"] for resource in s["Resource"]]
    assert writes == [f"arn:aws:s3:::acme-prod-artifacts-{PROD}/_rebuilds/*"]
    versions = [s for s in statements if "s3:GetObjectVersion" in s["Action"]]
    assert [s["Resource"] for s in versions] == [[f"arn:aws:s3:::acme-prod-data-{PROD}/*/raw/*"]]
    assert not any("s3:ListBucketVersions" in s["Action"] for s in statements)


def test_rebuild_parameter_names_roles_and_key(foundation):
    value = json.dumps(foundation.one("SSM::Parameter", Name="/acme/prod/rebuild")["Value"])
    assert all(name in value for name in ("role_arn", "job_role_arn", "kms_key_arn"))
