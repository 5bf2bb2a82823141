"""`model-factory validate --env`: what a deployment would replace or leave behind, from `cdk diff` and the settings."""

import sys

import boto3
import pytest

from model_factory.ops.project import Project
from model_factory.ops.repository.stateful_changes import stacks_pattern

REPLACED = "Stack acme-prod-foundation\n[~] AWS::S3::Bucket DataLake/Data DataLakeDataDE92A33D replace\n"


@pytest.fixture
def cdk(monkeypatch, tmp_path_factory):
    """Replaces the CDK CLI by a script with this output and exit code, which writes its arguments to a file."""
    folder = tmp_path_factory.mktemp("bin")

    def replace(output, code=0):
        script = folder / "cdk"
        script.write_text(f"#!/bin/sh\necho \"$@\" > {folder}/arguments\ncat <<'END'\n{output}END\nexit {code}\n")
        script.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(folder / "python"))
        return folder / "arguments"

    return replace


@pytest.mark.parametrize(
    ("output", "code", "expected"),
    [
        (REPLACED, 1, "a deployment loses state: acme-prod-foundation: AWS::S3::Bucket DataLake/Data: replace"),
        ("There were no differences\n", 0, "prod: a deployment replaces and deletes no stateful resource"),
    ],
)
def test_validate_compares_with_deployed_templates(project, aws, run, cdk, output, code, expected):
    arguments = cdk(output)
    boto3.client("ssm", region_name="eu-west-1").put_parameter(Name="/acme/prod/models/old", Type="String", Value="{}")
    found, printed, _ = run("validate", "--project", str(project), "--env", "prod")
    assert (found, expected in printed) == (code, True), printed
    assert "there is no models/old: model-factory remove-model old --env prod" in printed
    assert arguments.read_text().split() == ["diff", "acme-prod-*", "--no-color", "--no-change-set"]


def test_validate_says_that_cdk_diff_failed(project, aws, run, cdk):
    cdk("Unable to resolve AWS account\n", 1)
    code, _, error = run("validate", "--project", str(project), "--env", "prod", "--profile", "")
    assert code != 0
    assert "what a deployment replaces is unknown" in error
    assert "Unable to resolve AWS account" in error


def test_pattern_of_delivered_environment_is_its_stage(project):
    path = project / "factory.yaml"
    delivery = 'delivery: {account: "999999999999", region: eu-west-1, source: codecommit, repository: models}\n'
    path.write_text(path.read_text() + delivery)
    assert stacks_pattern(Project(project).environment("prod")) == "prod/*"
