"""Deployed models that are not in models/, and `model-factory remove-model`, on moto's account."""

import json

import boto3
import pytest

from model_factory.ops.operations.leftovers import find_leftovers
from model_factory.ops.project import Project

# Moto alone cannot create the group; nothing here needs it.
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS..SageMaker..ModelPackageGroup")
REGION = "eu-west-1"
TEMPLATE = {
    "Resources": {
        "Settings": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/acme/prod/models/old", "Type": "String", "Value": "{}"},
        },
        "Group": {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "Properties": {"ModelPackageGroupName": "acme-prod-old"},
            "DeletionPolicy": "RetainExceptOnCreate",
        },
    }
}


@pytest.fixture
def cloudformation(aws):
    """The stack of the model `old`, which is not in models/, and the settings of `churn`, which is."""
    client = boto3.client("cloudformation", region_name=REGION)
    client.create_stack(StackName="acme-prod-old", TemplateBody=json.dumps(TEMPLATE))
    boto3.client("ssm", region_name=REGION).put_parameter(Name="/acme/prod/models/churn", Type="String", Value="{}")
    return client


@pytest.fixture
def no_pipelines(monkeypatch):
    from model_factory.ops.delivery import removal

    monkeypatch.setattr(removal, "_running", lambda *_: None)


def test_leftovers_are_deployed_models_without_folder(project, cloudformation):
    (leftover,) = find_leftovers(Project(project).environment("prod"))
    assert leftover.model == "old"
    assert str(leftover) == (
        "prod/old is deployed, but there is no models/old: model-factory remove-model old --env prod"
    )


def test_removal_deletes_stack_and_names_what_stays(project, cloudformation, no_pipelines, run):
    code, output, error = run("remove-model", "old", "--env", "prod", "--yes", "--project", str(project))
    assert (code, error) == (0, "")
    assert "the model package group acme-prod-old with its versions" in output
    assert "s3://acme-prod-records-123456789012-eu-west-1/old/" in output
    assert output.rstrip().endswith("deleted acme-prod-old")
    assert find_leftovers(Project(project).environment("prod")) == []
    assert cloudformation.describe_stacks()["Stacks"] == []


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            "churn",
            "churn is in models/, so the next deployment would create its stack again: delete models/churn first",
        ),
        ("odl", "prod has no model 'odl'; deployed there and not in models/: old"),
        ("foundation", "prod has no model 'foundation'"),
    ],
)
def test_other_models_are_not_removed(project, cloudformation, run, model, message):
    code, _, error = run("remove-model", model, "--env", "prod", "--yes", "--project", str(project))
    assert code == 1
    assert message in error


def test_protected_stack_names_command_that_ends_protection(project, cloudformation, run):
    cloudformation.create_stack(
        StackName="acme-prod-safe", TemplateBody=json.dumps({"Resources": {}}), EnableTerminationProtection=True
    )
    code, _, error = run("remove-model", "safe", "--env", "prod", "--yes", "--project", str(project))
    assert code == 1
    assert "--no-enable-termination-protection --stack-name acme-prod-safe --region eu-west-1" in error


def test_running_pipeline_is_waited_for(project, cloudformation, monkeypatch, run):
    from model_factory.ops.delivery import removal

    monkeypatch.setattr(removal, "_running", lambda _, pipeline: f"arn:{pipeline}")
    code, _, error = run("remove-model", "old", "--env", "prod", "--yes", "--project", str(project))
    assert code == 1
    assert "stop-pipeline-execution --pipeline-execution-arn arn:acme-prod-old-train" in error


def test_failed_deletion_names_resource_and_reason(project, cloudformation, no_pipelines, monkeypatch):
    from model_factory.ops.delivery import removal
    from model_factory.ops.project import UsageError

    session = Project(project).environment("prod")
    plan = removal.plan_removal(session, "old")
    event = {
        "LogicalResourceId": "Endpoint",
        "ResourceType": "Custom::EndpointCleanup",
        "ResourceStatus": "DELETE_FAILED",
    }
    begin = {"ResourceType": "AWS::CloudFormation::Stack", "ResourceStatus": "DELETE_IN_PROGRESS"}
    events = [event | {"ResourceStatusReason": "still Updating"}, begin, event | {"ResourceStatusReason": "long ago"}]
    client = session.client("cloudformation")
    monkeypatch.setattr(client, "delete_stack", lambda **_: None)
    monkeypatch.setattr(client, "describe_stacks", lambda **_: {"Stacks": [{"StackStatus": "DELETE_FAILED"}]})
    monkeypatch.setattr(client, "describe_stack_events", lambda **_: {"StackEvents": events})
    with pytest.raises(UsageError, match=r"Endpoint \(Custom::EndpointCleanup\): still Updating\. Remove the cause"):
        removal.remove(session, plan, lambda _: None)
