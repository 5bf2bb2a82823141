"""What an environment fills in to the definition of an own pipeline, and the permissions that its steps get."""

import json
from types import SimpleNamespace

import pytest

from model_factory.config.pipeline import OwnPipeline
from model_factory.core.names import EnvironmentNames
from model_factory.model.own_definition import deployed_definition
from model_factory.model.own_permissions import job_role_statements, pipeline_role_statements
from model_factory.model.own_uris import place_uris
from model_factory.own_pipeline.code_files import CodeFiles
from model_factory.own_pipeline.placeholders import BUCKET, GROUP, PIPELINE, role_arn
from model_factory.own_pipeline.synthesis import Synthesized

IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
ROLE = "arn:aws:iam::123456789012:role/jobs"
EXECUTIONS = "s3://acme-dev-artifacts-123456789012-eu-west-1/orders/executions"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"


@pytest.fixture
def props():
    names = EnvironmentNames("acme", "dev", "123456789012", "eu-west-1")
    buckets = {
        purpose: SimpleNamespace(bucket_name=names.bucket(purpose), bucket_arn=names.bucket_arn(purpose))
        for purpose in ("data", "artifacts")
    }
    return SimpleNamespace(
        config=SimpleNamespace(
            name="orders", pipeline=OwnPipeline(parameters={"Data": "{raw_uri}/all.csv", "Rows": 5})
        ),
        names=names.model("orders"),
        environment_names=names,
        approval="manual",
        key_arn=KEY,
        bucket_key_arns=[],
        vpc=SimpleNamespace(vpc_config={"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}),
        tags=[{"Key": "model-factory:model", "Value": "orders"}],
        code=SimpleNamespace(digest="d", git_commit="c"),
        code_uri="s3://assets/d.zip",
        bucket=buckets.__getitem__,
        uri=lambda purpose, path="": f"s3://{buckets[purpose].bucket_name}/orders" + (f"/{path}" if path else ""),
    )


def own(*steps: dict) -> Synthesized:
    parameters = [
        {"Name": "Data", "Type": "String", "DefaultValue": "s3://public/abalone.csv"},
        {"Name": "Rows", "Type": "Integer"},
        {"Name": "Instance", "Type": "String", "DefaultValue": "ml.m5d.xlarge"},
    ]
    definition = {
        "Version": "2020-12-01",
        "Parameters": parameters,
        "PipelineExperimentConfig": {},
        "Steps": list(steps),
    }
    return Synthesized(definition, CodeFiles({}), "3")


def training(instance, image=IMAGE) -> dict:
    return {
        "Name": "Train",
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": image},
            "RoleArn": role_arn("eu-west-1"),
            "HyperParameters": {"sagemaker_submit_directory": json.dumps(f"s3://{BUCKET}/model-factory-code/001/source.tar.gz")},
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": {"Get": "Parameters.Data"}}}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/{PIPELINE}/train"},
            "ResourceConfig": {"InstanceType": instance},
        },
    }  # fmt: skip


def register(**arguments) -> dict:
    return {"Name": "Register", "Type": "RegisterModel", "Arguments": {"ModelPackageGroupName": GROUP, **arguments}}


def deployed(props, *steps: dict) -> dict:
    return deployed_definition(own(*steps), props, ROLE, "s3://assets/orders-digest")


def test_names_of_the_environment_replace_placeholders(props):
    (step,) = deployed(props, training("ml.m5.xlarge"))["Steps"]
    arguments = step["Arguments"]
    assert arguments["RoleArn"] == ROLE
    assert arguments["HyperParameters"]["sagemaker_submit_directory"] == '"s3://assets/orders-digest/001/source.tar.gz"'
    output = {
        "Std:Join": {
            "On": "/",
            "Values": [EXECUTIONS, {"Get": "Execution.PipelineExecutionId"}, "acme-dev-orders-train/train"],
        }
    }
    assert arguments["OutputDataConfig"] == {"S3OutputPath": output, "KmsKeyId": KEY}
    assert BUCKET not in json.dumps(step)


def test_network_encryption_and_tags_are_filled_in_where_steps_are_silent(props):
    first, second, third = deployed(
        props,
        training("ml.m5.xlarge"),
        training({"Get": "Parameters.Instance"}),
        training("ml.m5.xlarge") | {"Name": "Own"},
    )["Steps"]
    assert first["Arguments"]["ResourceConfig"]["VolumeKmsKeyId"] == KEY
    assert "VolumeKmsKeyId" not in second["Arguments"]["ResourceConfig"]  # ml.m5d has disks of its own
    assert third["Arguments"]["VpcConfig"] == props.vpc.vpc_config
    assert third["Arguments"]["Tags"] == props.tags


def test_parameters_have_values_of_model_yaml_and_the_trigger(props):
    defaults = {each["Name"]: each.get("DefaultValue") for each in deployed(props, register())["Parameters"]}
    assert defaults == {
        "Data": "s3://acme-dev-data-123456789012-eu-west-1/orders/raw/all.csv",
        "Rows": 5,
        "Instance": "ml.m5d.xlarge",
        "Trigger": "manual",
        "Reason": "",
        "ModelFactoryCode": "s3://assets/d.zip",
    }


def test_environment_decides_the_approval_and_version_says_its_code(props):
    own_lineage = {"CustomerMetadataProperties": {"trigger": "mine", "team": "x"}}
    (step,) = deployed(props, register(ModelApprovalStatus="Approved", **own_lineage))["Steps"]
    arguments = step["Arguments"]
    assert arguments["ModelPackageGroupName"] == "acme-dev-orders"
    assert arguments["ModelApprovalStatus"] == "PendingManualApproval"
    metadata = arguments["CustomerMetadataProperties"]
    assert metadata["pipeline_execution"] == {"Get": "Execution.PipelineExecutionArn"}
    assert (metadata["code_digest"], metadata["trigger"], metadata["team"]) == ("d", "mine", "x")
    (rejected,) = deployed(props, register(ModelApprovalStatus="Rejected"))["Steps"]
    assert rejected["Arguments"]["ModelApprovalStatus"] == "Rejected"


def test_uris_are_below_the_execution_that_writes_them():
    def placed(*values):
        steps = [{"OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/trained"}, "values": list(values)}]
        definition = {"Parameters": [{"Name": "Data", "DefaultValue": f"s3://{BUCKET}/data.csv"}], "Steps": steps}
        done = place_uris(definition, executions="s3://a/m/executions", code="s3://code/d")
        assert done["Parameters"] == [{"Name": "Data", "DefaultValue": "s3://a/m/executions/data.csv"}]
        return done["Steps"][0]["values"]

    def join(*parts):
        return {"Std:Join": {"On": "/", "Values": list(parts)}}

    execution = {"Get": "Execution.PipelineExecutionId"}
    assert placed(
        f"s3://{BUCKET}/trained/model",
        f"s3://{BUCKET}/trainedelsewhere",
        f"s3://{BUCKET}/model-factory-code/001/a.py",
        join("s3:/", BUCKET, "x", execution, "y"),
        join(f"s3://{BUCKET}/model-factory-code/001", "b"),
        f"--to=s3://{BUCKET}/trained",
    ) == [
        join("s3://a/m/executions", execution, "trained/model"),
        "s3://a/m/executions/trainedelsewhere",
        "s3://code/d/001/a.py",
        join("s3://a/m/executions", execution, "x", execution, "y"),
        join("s3://code/d/001/b"),
        "--to=s3://a/m/executions/trained",
    ]


def permissions(statements) -> dict[str, set[str]]:
    """Resources by action."""
    found: dict[str, set[str]] = {}
    for statement in statements:
        for action in statement.actions:
            found.setdefault(action, set()).update(statement.resources)
    return found


def test_pipeline_role_has_the_permissions_of_its_steps_only(props):
    queue = "https://sqs.eu-west-1.amazonaws.com/123456789012/ask"
    function = "arn:aws:lambda:eu-west-1:123456789012:function:f"
    steps = [
        register(),
        {"Name": "F", "Type": "Lambda", "FunctionArn": function},
        {"Name": "C", "Type": "Callback", "SqsQueueUrl": queue},
        {"Name": "Tune", "Type": "Tuning", "Arguments": {}},
    ]
    found = permissions(pipeline_role_statements(deployed(props, *steps), props, ROLE))
    assert found["lambda:InvokeFunction"] == {function}
    assert found["sqs:SendMessage"] == {"arn:aws:sqs:eu-west-1:123456789012:ask"}
    jobs = "arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/*"
    assert found["sagemaker:CreateHyperParameterTuningJob"] == {jobs}
    assert not {"sagemaker:CreateTrainingJob", "sagemaker:CreateModel", "s3:GetObject"} & set(found)


def test_pipeline_role_runs_jobs_of_the_kinds_of_its_steps(props):
    found = permissions(pipeline_role_statements(deployed(props, training("ml.m5.xlarge")), props, ROLE))
    jobs = "arn:aws:sagemaker:eu-west-1:123456789012:training-job/pipelines-*"
    assert found["sagemaker:CreateTrainingJob"] == found["sagemaker:AddTags"] == {jobs}
    assert not {"sagemaker:CreateProcessingJob", "sagemaker:CreateTransformJob"} & set(found)
    assert found["iam:PassRole"] == {ROLE}


def test_job_role_reads_what_the_pipeline_names(props):
    props.vpc = None
    step = training("ml.m5.xlarge")
    step["Arguments"]["CheckpointConfig"] = {"S3Uri": "s3://public/start"}
    found = permissions(job_role_statements(own(step), props, "assets", "orders-digest"))
    assert found["s3:GetObject"] == {
        "arn:aws:s3:::assets/orders-digest/*",
        "arn:aws:s3:::acme-dev-artifacts-123456789012-eu-west-1/orders/executions/*",
        "arn:aws:s3:::acme-dev-data-123456789012-eu-west-1/orders/raw/*",
        "arn:aws:s3:::public/start*",
    }
    assert found["s3:PutObject"] == {"arn:aws:s3:::acme-dev-artifacts-123456789012-eu-west-1/orders/executions/*"}
    assert found["ecr:BatchGetImage"] == {"arn:aws:ecr:eu-west-1:141502667606:repository/sagemaker-scikit-learn"}
