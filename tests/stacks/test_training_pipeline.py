"""The deployed definition of the training pipeline."""

import hashlib
import json
import re
import zipfile

import pytest


@pytest.fixture(scope="session")
def steps(training):
    gate = training["Steps"][-1]["Arguments"]
    return {step["Name"]: step for step in [*training["Steps"], *gate["IfSteps"], *gate["ElseSteps"]]}


@pytest.fixture(scope="session")
def code(assembly, steps):
    """The path of the zip that the jobs run."""
    entrypoint = steps["Prepare"]["Arguments"]["AppSpecification"]["ContainerEntrypoint"]
    return assembly / f"asset.{entrypoint[1].split('/')[-1]}"


def test_a_version_is_made_in_four_steps_and_then_registered_or_rejected(training):
    assert training["Version"] == "2020-12-01"
    assert [step["Name"] for step in training["Steps"]] == ["Prepare", "Train", "Evaluate", "Gate"]
    gate = training["Steps"][-1]["Arguments"]
    assert [step["Name"] for step in gate["IfSteps"]] == ["Register"]
    assert [step["Name"] for step in gate["ElseSteps"]] == ["Reject"]


def test_whoever_starts_it_may_say_why_and_on_which_data(training):
    assert {p["Name"]: p["DefaultValue"] for p in training["Parameters"]} == {
        "Trigger": "manual",
        "Reason": "",
        "DataManifest": "",
    }


def test_the_gate_asks_for_the_metric_and_not_to_be_worse_than_the_champion(steps):
    metric, champion = steps["Gate"]["Arguments"]["Conditions"]
    assert (metric["Type"], metric["RightValue"]) == ("GreaterThanOrEqualTo", 0.8)
    assert (champion["Type"], champion["RightValue"]) == ("GreaterThanOrEqualTo", -0.01)
    assert metric["LeftValue"]["Std:JsonGet"] == {
        "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Evaluation"},
        "Path": "gate.value",
    }


def test_a_rejection_carries_its_reason(steps):
    assert steps["Reject"]["Arguments"]["ErrorMessage"]["Std:JsonGet"]["Path"] == "gate.reason"


def test_jobs_run_the_zip_that_is_deployed(steps, code):
    name = code.name.removeprefix("asset.")
    prepare = steps["Prepare"]["Arguments"]
    assert prepare["AppSpecification"]["ContainerEntrypoint"] == [
        "python3",
        f"/opt/ml/processing/input/code/{name}",
        "prepare",
    ]
    train = steps["Train"]["Arguments"]["AlgorithmSpecification"]
    assert train["ContainerEntrypoint"] == ["python3", f"/opt/ml/input/data/code/{name}"]
    assert train["ContainerArguments"] == ["train"]
    with zipfile.ZipFile(code) as archive:
        assert {"__main__.py", "project/model.py", "project/settings.json"} <= set(archive.namelist())


def test_lineage_names_the_very_bytes_of_the_code(steps, code):
    digest = hashlib.sha256(code.read_bytes()).hexdigest()
    assert steps["Train"]["Arguments"]["Environment"]["CODE_DIGEST"] == digest
    assert steps["Register"]["Arguments"]["CustomerMetadataProperties"]["code_digest"] == digest


def test_raw_data_is_no_input_channel(steps):
    inputs = steps["Prepare"]["Arguments"]["ProcessingInputs"]
    assert [i["InputName"] for i in inputs] == ["code"]


def test_every_execution_writes_to_its_own_place(steps):
    outputs = steps["Prepare"]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    train = next(o for o in outputs if o["OutputName"] == "train")
    assert train["S3Output"]["S3Uri"] == {
        "Std:Join": {
            "On": "/",
            "Values": [
                "s3://acme-prod-artifacts-333333333333-us-east-1/churn/executions",
                {"Get": "Execution.PipelineExecutionId"},
                "prepare",
                "train",
            ],
        }
    }
    assert [o["OutputName"] for o in outputs] == ["train", "validation", "test", "baseline", "report"]


def test_training_sees_its_channels_and_no_network(steps):
    train = steps["Train"]["Arguments"]
    assert [c["ChannelName"] for c in train["InputDataConfig"]] == ["code", "train", "validation", "schema"]
    assert train["EnableNetworkIsolation"] is True
    assert train["HyperParameters"] == {"depth": "4", "rate": "0.1", "loss": "log_loss", "early": "true"}
    assert train["StoppingCondition"] == {"MaxRuntimeInSeconds": 45 * 60}


@pytest.mark.parametrize("name", ["Prepare", "Train", "Evaluate"])
def test_disks_and_outputs_are_encrypted_with_the_environments_key(steps, name):
    arguments = steps[name]["Arguments"]
    cluster = arguments.get("ResourceConfig") or arguments["ProcessingResources"]["ClusterConfig"]
    outputs = arguments.get("OutputDataConfig") or arguments["ProcessingOutputConfig"]
    assert cluster["VolumeKmsKeyId"] == outputs["KmsKeyId"] == "${token}"
    assert (cluster["InstanceType"], cluster["VolumeSizeInGB"]) == ("ml.m5.2xlarge", 50)


def test_jobs_are_repeated_when_aws_is_short_of_machines(steps):
    for name in ("Prepare", "Train", "Evaluate"):
        retried = {kind for policy in steps[name]["RetryPolicies"] for kind in policy["ExceptionType"]}
        assert {"Step.THROTTLING", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"} <= retried


def test_lineage_fits_what_sagemaker_takes(steps):
    lineage = steps["Register"]["Arguments"]["CustomerMetadataProperties"]
    assert {"data_manifest", "data_digest", "git_commit", "image", "hyperparameters_digest", "seed"} <= set(lineage)
    for value in lineage.values():
        if isinstance(value, str):
            assert re.fullmatch(r"[\w\s.:/=+@-]{1,256}", value)


def test_a_version_carries_what_it_needs_to_be_served_offline(steps):
    (container,) = steps["Register"]["Arguments"]["InferenceSpecification"]["Containers"]
    assert container["Environment"] == {
        "SAGEMAKER_PROGRAM": "serve.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
    }
    assert container["Image"].startswith("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0")


@pytest.mark.parametrize(("stack", "status"), [("model", "Approved"), ("dev_model", "PendingManualApproval")])
def test_the_environment_decides_who_approves(request, stack, status):
    template = request.getfixturevalue(stack)
    environment = "prod" if stack == "model" else "dev"
    gate = template.definition(f"acme-{environment}-churn-train")["Steps"][-1]
    assert gate["Arguments"]["IfSteps"][0]["Arguments"]["ModelApprovalStatus"] == status


def test_definitions_are_small_enough_to_be_deployed_inline(training):
    assert len(json.dumps(training)) < 100_000


def test_the_pipelines_role_passes_only_the_jobs_role(model):
    (passing,) = [s for s in model.statements("acme-prod-churn-train") if "iam:PassRole" in s["Action"]]
    assert passing["Condition"]["StringEquals"]["iam:PassedToService"] == "sagemaker.amazonaws.com"
    assert len(passing["Resource"]) == 1
