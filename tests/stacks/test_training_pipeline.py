"""The deployed definition of the training pipeline."""

import hashlib
import json
import re
import zipfile

import pytest

from .conftest import Template


@pytest.fixture(scope="session")
def steps(training):
    gate = training["Steps"][-1]["Arguments"]
    return {step["Name"]: step for step in [*training["Steps"], *gate["IfSteps"], *gate["ElseSteps"]]}


@pytest.fixture(scope="session")
def kept_alive(tuned_model):
    """The step Train of a model that keeps its instance."""
    steps = tuned_model.definition("acme-test-offers-train")["Steps"]
    return next(step for step in steps if step["Name"] == "Train")


@pytest.fixture(scope="session")
def code(assembly, steps):
    """The path of the zip that the jobs run."""
    entrypoint = steps["Prepare"]["Arguments"]["AppSpecification"]["ContainerEntrypoint"]
    return assembly / f"asset.{entrypoint[1].split('/')[-1]}"


def test_pipeline_has_four_steps_then_register_or_reject(training):
    assert training["Version"] == "2020-12-01"
    assert [step["Name"] for step in training["Steps"]] == ["Prepare", "Train", "Evaluate", "Gate"]
    gate = training["Steps"][-1]["Arguments"]
    assert [step["Name"] for step in gate["IfSteps"]] == ["Register"]
    assert [step["Name"] for step in gate["ElseSteps"]] == ["Reject"]


def test_pipeline_that_registers_takes_no_manifest(training):
    assert {p["Name"]: p["DefaultValue"] for p in training["Parameters"]} == {"Trigger": "manual", "Reason": ""}
    assert "DATA_MANIFEST" not in json.dumps(training)


def test_gate_compares_metric_and_champion_advantage(steps):
    metric, champion = steps["Gate"]["Arguments"]["Conditions"]
    assert (metric["Type"], metric["RightValue"]) == ("GreaterThanOrEqualTo", 0.8)
    assert (champion["Type"], champion["RightValue"]) == ("GreaterThanOrEqualTo", -0.01)
    assert metric["LeftValue"]["Std:JsonGet"] == {
        "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Evaluation"},
        "Path": "gate.value",
    }


def test_reject_step_has_reason_of_evaluation(steps):
    assert steps["Reject"]["Arguments"]["ErrorMessage"]["Std:JsonGet"]["Path"] == "gate.reason"


def test_jobs_run_deployed_zip(steps, code):
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


def test_lineage_has_digest_of_deployed_zip(steps, code):
    digest = hashlib.sha256(code.read_bytes()).hexdigest()
    assert steps["Train"]["Arguments"]["Environment"]["CODE_DIGEST"] == digest
    assert steps["Register"]["Arguments"]["CustomerMetadataProperties"]["code_digest"] == digest


@pytest.mark.parametrize("name", ["Prepare", "Train", "Evaluate"])
def test_jobs_get_region_for_boto3(steps, name):
    assert steps[name]["Arguments"]["Environment"]["AWS_DEFAULT_REGION"] == "us-east-1"


def test_raw_data_is_not_an_input_channel(steps):
    inputs = steps["Prepare"]["Arguments"]["ProcessingInputs"]
    assert [i["InputName"] for i in inputs] == ["code"]


@pytest.mark.parametrize(
    ("output", "folder", "parts"),
    [("test", "churn/executions", ["prepare", "test"]), ("train", "_rows/churn", ["train"])],
)
def test_outputs_are_below_execution_id(steps, output, folder, parts):
    outputs = steps["Prepare"]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    found = next(o for o in outputs if o["OutputName"] == output)
    uri = f"s3://acme-prod-artifacts-333333333333-us-east-1/{folder}"
    assert found["S3Output"]["S3Uri"] == {
        "Std:Join": {"On": "/", "Values": [uri, {"Get": "Execution.PipelineExecutionId"}, *parts]}
    }
    assert [o["OutputName"] for o in outputs] == ["train", "validation", "test", "baseline", "report"]


def test_training_job_has_channels_and_network_isolation(steps):
    train = steps["Train"]["Arguments"]
    assert [c["ChannelName"] for c in train["InputDataConfig"]] == ["code", "train", "validation", "schema"]
    assert train["EnableNetworkIsolation"] is True
    assert train["HyperParameters"] == {"depth": "4", "rate": "0.1", "loss": "log_loss", "early": "true"}
    assert train["StoppingCondition"]["MaxRuntimeInSeconds"] == 45 * 60


def test_spot_training_keeps_checkpoints_of_its_execution(steps, model):
    train = steps["Train"]["Arguments"]
    assert train["EnableManagedSpotTraining"] is True
    assert train["StoppingCondition"]["MaxWaitTimeInSeconds"] == 2 * 3600
    config, bucket = train["CheckpointConfig"], "acme-prod-artifacts-333333333333-us-east-1"
    assert config["LocalPath"] == "/opt/ml/checkpoints"
    uri = [f"s3://{bucket}/_rows/churn", {"Get": "Execution.PipelineExecutionId"}, "checkpoints"]
    assert config["S3Uri"]["Std:Join"]["Values"] == uri
    deleted = [s for s in model.statements("acme-prod-churn-train-job") if "s3:DeleteObject" in s["Action"]]
    assert [s["Resource"] for s in deleted] == [[f"arn:aws:s3:::{bucket}/_rows/churn/*/checkpoints/*"]]


def test_training_of_several_instances_has_all_rows_on_each(assembly):
    path = assembly / "acme-prod-price.template.json"
    (train,) = (s for s in Template(path).definition("acme-prod-price-train")["Steps"] if s["Name"] == "Train")
    cluster, channels = train["Arguments"]["ResourceConfig"], train["Arguments"]["InputDataConfig"]
    assert (cluster["InstanceCount"], cluster["InstanceType"]) == (3, "ml.m5.2xlarge")
    assert train["Arguments"]["EnableInterContainerTrafficEncryption"]
    assert {c["DataSource"]["S3DataSource"]["S3DataDistributionType"] for c in channels} == {"FullyReplicated"}


def test_warm_pool_keeps_instance_of_on_demand_training(kept_alive):
    train = kept_alive["Arguments"]
    assert train["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 20 * 60
    assert not {"CheckpointConfig", "EnableManagedSpotTraining"} & train.keys()
    assert "MaxWaitTimeInSeconds" not in train["StoppingCondition"]


@pytest.mark.parametrize("name", ["Prepare", "Train", "Evaluate"])
def test_volumes_and_outputs_are_encrypted_with_environment_key(steps, name):
    arguments = steps[name]["Arguments"]
    cluster = arguments.get("ResourceConfig") or arguments["ProcessingResources"]["ClusterConfig"]
    outputs = arguments.get("OutputDataConfig") or arguments["ProcessingOutputConfig"]
    assert cluster["VolumeKmsKeyId"] == outputs["KmsKeyId"] == "${token}"
    assert (cluster["InstanceType"], cluster["VolumeSizeInGB"]) == ("ml.m5.2xlarge", 50)


def test_jobs_are_retried_on_throttling_and_capacity_errors(steps):
    for name in ("Prepare", "Train", "Evaluate"):
        retried = {kind for policy in steps[name]["RetryPolicies"] for kind in policy["ExceptionType"]}
        assert {"Step.THROTTLING", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"} <= retried


def test_lineage_values_are_valid_metadata_properties(steps):
    lineage = steps["Register"]["Arguments"]["CustomerMetadataProperties"]
    assert {"data_manifest", "data_digest", "git_commit", "image", "hyperparameters_digest", "seed"} <= set(lineage)
    for value in lineage.values():
        if isinstance(value, str):
            assert re.fullmatch(r"[\w\s.:/=+@-]{1,256}", value)


def test_registered_container_has_environment_for_offline_serving(steps):
    (container,) = steps["Register"]["Arguments"]["InferenceSpecification"]["Containers"]
    assert container["Environment"] == {
        "SAGEMAKER_PROGRAM": "serve.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
    }
    assert container["Image"].startswith("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0")


@pytest.mark.parametrize(("stack", "status"), [("model", "Approved"), ("dev_model", "PendingManualApproval")])
def test_approval_status_depends_on_environment(request, stack, status):
    template = request.getfixturevalue(stack)
    environment = "prod" if stack == "model" else "dev"
    gate = template.definition(f"acme-{environment}-churn-train")["Steps"][-1]
    assert gate["Arguments"]["IfSteps"][0]["Arguments"]["ModelApprovalStatus"] == status


def test_definition_is_below_inline_limit(training):
    assert len(json.dumps(training)) < 100_000


def test_pipeline_role_passes_job_role_only(model):
    (passing,) = [s for s in model.statements("acme-prod-churn-train") if "iam:PassRole" in s["Action"]]
    assert passing["Condition"]["StringEquals"]["iam:PassedToService"] == "sagemaker.amazonaws.com"
    assert len(passing["Resource"]) == 1
