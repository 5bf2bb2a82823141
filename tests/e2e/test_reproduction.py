"""A version is trained again, by the command, on a pipeline that registers nothing."""

import json

import pytest
from typer.testing import CliRunner

from model_factory.ops.cli import app

pytestmark = pytest.mark.e2e


def reproduce(live, *arguments):
    done = CliRunner().invoke(app, ["reproduce", "sales@1", "--env", "prod", "--project", str(live.root), *arguments])
    return done.exit_code, done.stdout + done.stderr


@pytest.fixture
def versions(live):
    def numbers():
        listed = live.client("sagemaker").list_model_packages(ModelPackageGroupName=live.names.model_package_group)
        return sorted(each["ModelPackageVersion"] for each in listed["ModelPackageSummaryList"])

    return numbers


def test_version_is_identical_and_registers_nothing(live, versions):
    before = versions()
    code, text = reproduce(live)
    assert (code, "identical: model.tar.gz has the same bytes" in text) == (0, True), text
    assert versions() == before
    steps = live.client("sagemaker").describe_pipeline(PipelineName=live.names.rebuild_pipeline)["PipelineDefinition"]
    assert [step["Name"] for step in json.loads(steps)["Steps"]] == ["Prepare", "Train", "Compare"]


def test_version_is_identical_on_this_machine(live):
    code, text = reproduce(live, "--local")
    assert (code, "identical: model.tar.gz has the same bytes" in text) == (0, True), text
