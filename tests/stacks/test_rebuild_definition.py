"""The definition that trains a version again, made from the deployed definition of the training pipeline."""

import json
from dataclasses import replace

import pytest

from model_factory.definition.functions import Get
from model_factory.definition.service_model import request_mistakes
from model_factory.ops.reproduction.definition import Place, rebuild_definition
from model_factory.ops.reproduction.failures import CannotRebuild

OPERATIONS = {"Processing": "CreateProcessingJob", "Training": "CreateTrainingJob"}
PLACE = Place(
    "us-east-1",
    "s3://acme-prod-artifacts-333333333333-us-east-1/_rebuilds/churn",
    "s3://acme-prod-artifacts-333333333333-us-east-1/_rebuilds/churn/staged/1",
    "s3://acme-prod-records-333333333333-us-east-1/churn/evidence/0a",
    "arn:aws:iam::333333333333:role/acme-prod-rebuild-job-ue1",
    "arn:aws:kms:us-east-1:333333333333:key/new",
)
VPC = {"Subnets": ["subnet-new"], "SecurityGroupIds": ["sg-new"]}


@pytest.fixture(scope="module")
def steps(training):
    return {step["Name"]: step for step in rebuild_definition(training, PLACE)["Steps"]}


def outputs(step):
    arguments = step["Arguments"]
    if step["Type"] == "Training":
        return [arguments["OutputDataConfig"]["S3OutputPath"]]
    return [each["S3Output"]["S3Uri"] for each in arguments["ProcessingOutputConfig"]["Outputs"]]


def opened(value):
    """The same arguments with references as objects, which the check of requests takes for values that it cannot know."""
    if isinstance(value, dict):
        if value.keys() & {"Get", "Std:Join"}:
            return Get("Execution.PipelineExecutionId")
        return {name: opened(each) for name, each in value.items()}
    return [opened(each) for each in value] if isinstance(value, list) else value


def test_steps_train_and_compare_and_none_registers(training, steps):
    assert list(steps) == ["Prepare", "Train", "Compare"]
    assert "RegisterModel" in json.dumps(training)
    assert not {"RegisterModel", "Condition"} & {step["Type"] for step in steps.values()}


def test_training_is_on_demand_and_from_the_start(steps):
    train = steps["Train"]["Arguments"]
    assert not {"CheckpointConfig", "EnableManagedSpotTraining"} & train.keys()
    assert train["StoppingCondition"] == {"MaxRuntimeInSeconds": 45 * 60}


def test_every_output_is_below_rebuilds_and_execution(steps):
    found = [uri["Std:Join"]["Values"][:2] for step in steps.values() for uri in outputs(step)]
    assert len(found) == 7
    assert all(each == [PLACE.rebuilds_uri, {"Get": "Execution.PipelineExecutionId"}] for each in found)
    assert "/executions" not in json.dumps(steps)


def test_requests_are_those_that_sagemaker_accepts(steps):
    for step in steps.values():
        generated = frozenset({f"{step['Type']}JobName"})
        assert list(request_mistakes(OPERATIONS[step["Type"]], opened(step["Arguments"]), generated)) == []


def test_what_decides_the_result_is_as_recorded(training, steps):
    before = {step["Name"]: step["Arguments"] for step in training["Steps"]}
    prepare, train = steps["Prepare"]["Arguments"], steps["Train"]["Arguments"]
    for name in ("HyperParameters", "AlgorithmSpecification", "Environment"):
        assert train.get(name) == before["Train"].get(name)
    assert train["ResourceConfig"]["InstanceType"] == before["Train"]["ResourceConfig"]["InstanceType"]
    assert prepare["AppSpecification"] == before["Prepare"]["AppSpecification"]
    assert prepare["Environment"] == before["Prepare"]["Environment"] | {"DATA_MANIFEST": PLACE.manifest_uri}


def test_roles_and_keys_are_those_of_rebuilds(training, steps):
    assert {step["Arguments"]["RoleArn"] for step in steps.values()} == {PLACE.job_role_arn}
    keys = {steps["Train"]["Arguments"]["OutputDataConfig"]["KmsKeyId"]}
    keys |= {steps[name]["Arguments"]["ProcessingOutputConfig"]["KmsKeyId"] for name in ("Prepare", "Compare")}
    assert keys == {PLACE.kms_key_arn}
    assert steps["Train"]["Arguments"] != training["Steps"][1]["Arguments"]  # the original is as it was


def test_code_is_the_staged_zip_under_its_recorded_name(steps):
    train = steps["Train"]["Arguments"]
    name = train["AlgorithmSpecification"]["ContainerEntrypoint"][1].rpartition("/")[2]
    channel = next(each for each in train["InputDataConfig"] if each["ChannelName"] == "code")
    assert channel["DataSource"]["S3DataSource"]["S3Uri"] == f"{PLACE.staged_uri}/code/{name}"


@pytest.mark.parametrize("vpc", [None, VPC])
def test_jobs_are_in_the_network_that_the_environment_has_now(isolated_model, vpc):
    definition = isolated_model.definition("acme-vault-churn-train")
    prepare, train, compare = rebuild_definition(definition, replace(PLACE, vpc_config=vpc))["Steps"]
    configs = [
        train["Arguments"].get("VpcConfig"),
        *(step["Arguments"]["NetworkConfig"].get("VpcConfig") for step in (prepare, compare)),
    ]
    assert configs == [vpc] * 3


def test_image_is_that_of_digest_and_not_of_tag(training):
    digest = f"sha256:{'a' * 64}"
    prepare, train, compare = rebuild_definition(training, replace(PLACE, image_digest=digest))["Steps"]
    images = [each["Arguments"]["AppSpecification"]["ImageUri"] for each in (prepare, compare)]
    images.append(train["Arguments"]["AlgorithmSpecification"]["TrainingImage"])
    before = training["Steps"][1]["Arguments"]["AlgorithmSpecification"]["TrainingImage"]
    assert images == [f"{before.rpartition(':')[0]}@{digest}"] * 3


def test_pipeline_of_another_library_is_named(training):
    other = training | {"Steps": [{"Name": "Fit", "Type": "Training", "Arguments": {}}]}
    with pytest.raises(CannotRebuild, match=r"has no steps Prepare and Train of Model Factory \(its steps: Fit\)"):
        rebuild_definition(other, PLACE)
