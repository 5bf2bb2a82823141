"""The commands for a first deployment, in the deployed environment dev, each with its own policy alone."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model_factory.ops.cli import app

from .role_actions import assert_no_check_starts

pytestmark = pytest.mark.e2e
MODEL_FACTORY = Path(sys.executable).with_name("model-factory")


@pytest.fixture(scope="module")
def run(deployed, tmp_path_factory):
    """Runs a command in dev (the other tests use prod) as a role that has the policy of the command only."""
    dev = deployed.session.project.environment("dev")
    config = tmp_path_factory.mktemp("profiles") / "config"

    def run(command: str, *arguments: str, model: str | None = None) -> tuple[int, list[dict] | dict, str]:
        of_model = ["--model", model] if model else []
        base = [command, "--env", "dev", "--project", str(deployed.root), *of_model]
        printed = CliRunner().invoke(app, [*base, "--policy"])
        assert printed.exit_code == 0, printed.output
        iam, role = dev.client("iam"), f"person-{command}"
        trust = {"Effect": "Allow", "Principal": {"AWS": dev.environment.account}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
        iam.put_role_policy(RoleName=role, PolicyName="command", PolicyDocument=printed.stdout)
        credentials = deployed.local.accounts.assume(dev.names.iam_arn(f"role/{role}"), "person")
        lines = [f"{key.lower()} = {value}" for key, value in credentials.items()]
        config.write_text("\n".join([f"[profile {role}]", *lines]))
        done = subprocess.run(
            [MODEL_FACTORY, *base, *arguments, "--json", "--profile", role],
            env=os.environ | {"AWS_CONFIG_FILE": str(config)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout), done.stderr

    return run


def test_doctor_finds_no_problem_in_deployed_environment(deployed, run):
    code, findings, _ = run("doctor", "--app", str(deployed.root / "cdk.out"))
    assert [each for each in findings if each["status"] in ("problem", "not checked")] == []
    assert code == 0
    checked = {each["check"] for each in findings}
    assert checked >= {
        "credentials",
        "bootstrap",
        "services",
        "parameters",
        "images",
        "zones",
        "instances",
        "quotas",
        "stacks",
    }


def test_model_without_endpoint_and_version_starts_no_check(deployed):
    assert_no_check_starts(replace(deployed, session=deployed.session.project.environment("dev")))


def test_acceptance_passes_and_leaves_nothing(deployed, run):
    code, result, log = run("acceptance", "--yes", model=deployed.model)
    assert [step for step in result["steps"] if step["status"] != "passed"] == [], log
    assert (code, result["passed"]) == (0, True)
    dev = deployed.session.project.environment("dev")
    names, sagemaker = dev.names.model(deployed.model), dev.client("sagemaker")
    assert sagemaker.list_endpoints(NameContains=names.endpoint)["Endpoints"] == []
    assert sagemaker.list_models(NameContains=names.endpoint)["Models"] == []
    versions = sagemaker.list_model_packages(ModelPackageGroupName=names.model_package_group)
    assert versions["ModelPackageSummaryList"] == []
    for purpose in ("data", "artifacts"):
        objects = dev.client("s3").list_objects_v2(Bucket=dev.names.bucket(purpose), Prefix=f"{deployed.model}/")
        assert objects["KeyCount"] == 0
    assert dev.client("sqs").list_queues(QueueNamePrefix=f"{dev.names.prefix}-acceptance").get("QueueUrls", []) == []
    assert dev.client("sns").list_subscriptions()["Subscriptions"] == []
