"""app.py as users run it; what `FactoryApp` refuses, in this process."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


def run_app(**context):
    """`python app.py` with context, as the cdk CLI hands it over, and without any AWS credentials."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment |= {
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_VALIDATION": "false",
        "AWS_EC2_METADATA_DISABLED": "1",
    }
    command = [sys.executable, str(ROOT / "app.py")]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """What an app with a changed factory.yaml prints instead of making stacks: `refused(old, new, …)`."""
    from model_factory import FactoryApp

    monkeypatch.setenv("CDK_VALIDATION", "false")

    def refused(*changes):
        text = (HERE / "factory.yaml").read_text()
        for old, new in changes:
            text = text.replace(old, new)
        (tmp_path / "factory.yaml").write_text(text)
        (tmp_path / "models").symlink_to(HERE / "models")
        with pytest.raises(SystemExit) as left:
            FactoryApp(tmp_path)
        assert left.value.code == 1
        return capsys.readouterr().err

    return refused


def test_a_wrong_configuration_is_told_without_a_traceback(tmp_path):
    wrong = tmp_path / "factory.yaml"
    wrong.write_text((HERE / "factory.yaml").read_text().replace("environments:", "enviroments:"))
    done = run_app(factory=str(wrong), models=str(HERE / "models"))
    assert done.returncode == 1
    assert "unknown key 'enviroments'; did you mean 'environments'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_names_that_would_be_too_long_are_told_before_anything_is_deployed(refused):
    message = refused(("name: acme", "name: a-very-long-factory"), ("prod,", "pre-production-testx,"))
    assert "S3 allows 63; shorten `name` or the environment 'pre-production-testx'" in message


def test_a_region_without_the_image_is_told_with_the_model(refused):
    message = refused(("us-east-1", "ap-southeast-5"))
    assert "churn/model.yaml: in prod: AWS has no image sagemaker-scikit-learn:1.9-0" in message


def test_region_without_layer_is_refused_with_line(refused):
    message = refused(("us-east-1", "me-central-1"))
    assert "factory.yaml:4: region 'me-central-1' has no layer of Powertools for AWS Lambda" in message


def test_it_needs_no_credentials(tmp_path):
    done = run_app(factory=str(HERE / "factory.yaml"), models=str(HERE / "models"))
    assert (done.returncode, done.stderr) == (0, "")


def test_own_constructs_use_the_resources_of_an_environment(tmp_path, monkeypatch):
    from aws_cdk import aws_iam as iam
    from aws_cdk.assertions import Match, Template

    from model_factory import FactoryApp

    monkeypatch.setenv("CDK_VALIDATION", "false")
    shutil.copy(HERE / "factory.yaml", tmp_path)
    shutil.copytree(HERE / "models", tmp_path / "models")
    app = FactoryApp(tmp_path)
    assert [stack.node.id for stack in app.foundation_stacks] == ["acme-dev-foundation", "acme-prod-foundation"]
    stack = app.foundation_stacks[1]
    auditor = iam.Role(stack, "Auditor", assumed_by=iam.AccountRootPrincipal())
    stack.resources.records_bucket.grant_read(auditor)
    records = stack.resolve(stack.resources.records_bucket.bucket_arn)
    assert "Fn::GetAtt" in records
    statement = {"Action": Match.array_with(["s3:GetObject*"]), "Resource": Match.array_with([records])}
    Template.from_stack(stack).has_resource_properties(
        "AWS::IAM::Policy", {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(statement)])}}
    )
