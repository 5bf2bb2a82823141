"""A version is trained again, by the command, on a pipeline that registers nothing.

The person has the permissions that `model-factory policy reproduce` prints, and no other.
"""

import json

import pytest
from typer.testing import CliRunner

from model_factory.ops.cli import app
from model_factory.ops.operations.policy import policy
from model_factory.ops.records.chain import newest
from model_factory.ops.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def reproduce(live, tmp_path, monkeypatch):
    """Runs the command for version 1 as a role with its policy; exit code, and what it printed."""
    names, iam = live.session.names, live.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": names.account}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    document = json.dumps(policy(names, ["reproduce"]))
    iam.put_role_policy(RoleName="auditor", PolicyName="commands", PolicyDocument=document)
    credentials = live.local.accounts.assume(names.iam_arn("role/auditor"), "ada")
    pairs = [f"{key.lower()} = {value}" for key, value in credentials.items()]
    (tmp_path / "config").write_text("\n".join(["[profile auditor]", f"region = {names.region}", *pairs, ""]))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", live.local.endpoint_url)

    def run(*arguments):
        options = ("--env", "prod", "--project", str(live.root), "--profile", "auditor")
        done = CliRunner().invoke(app, ["reproduce", "sales@1", *options, *arguments])
        return done.exit_code, done.stdout + done.stderr

    yield run
    iam.delete_role_policy(RoleName="auditor", PolicyName="commands")
    iam.delete_role(RoleName="auditor")


def versions(live):
    listed = live.client("sagemaker").list_model_packages(ModelPackageGroupName=live.names.model_package_group)
    return sorted(each["ModelPackageVersion"] for each in listed["ModelPackageSummaryList"])


def test_version_is_identical_recorded_and_not_registered(live, reproduce):
    before, bucket = versions(live), live.session.names.bucket("records")
    code, text = reproduce()
    assert (code, "identical: model.tar.gz has the same bytes" in text) == (0, True), text
    assert versions(live) == before
    recorded = wait_for("the record", lambda: newest(live.session, bucket, live.model, "reproduction", 1))
    assert recorded.problem is None
    assert recorded.record["facts"]["verdict"] == "identical"
    assert ":assumed-role/auditor/" in recorded.record["by"]["claimed"]


def test_version_is_identical_on_this_machine(reproduce):
    code, text = reproduce("--local")
    assert (code, "identical: model.tar.gz has the same bytes" in text) == (0, True), text
