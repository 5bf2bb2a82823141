"""`model-factory lineage`: every link of a version, and those that are missing or were altered."""

import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError

from model_factory.functions.shared.chain import lineage_key
from ops.lineage import objects
from ops.lineage.endpoint import endpoint
from ops.lineage.forward import forward, split_reference, to_train_again
from ops.lineage.version import version
from ops.project import Project, UsageError

TIME = datetime(2026, 11, 26, tzinfo=UTC)
DATA, ARTIFACTS = "acme-prod-data-123456789012-eu-west-1", "acme-prod-artifacts-123456789012-eu-west-1"
PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/acme-prod-churn/7"
EXECUTION = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/acme-prod-churn-train/execution/abc"
JOB = "arn:aws:sagemaker:eu-west-1:123456789012:{}/pipelines-abc-{}"
IMAGE = "246618743249.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
CODE = "s3://assets/0a1b.zip"


class SageMaker:
    """The descriptions of one version; `missing`: operations that answer that there is no such resource."""

    def __init__(self, metadata):
        self.metadata, self.missing = metadata, set()
        self.environment = {"CODE_DIGEST": "c0de", "GIT_COMMIT": "4f5e"}

    def __getattr__(self, operation):
        def call(*_, **__):
            if operation in self.missing:
                error = {"Error": {"Code": "ValidationException", "Message": "does not exist"}}
                raise ClientError(error, operation)
            return ANSWERS[operation](self)

        return call


ANSWERS = {
    "describe_endpoint": lambda _: {
        "EndpointStatus": "InService",
        "LastModifiedTime": TIME,
        "EndpointConfigName": "acme-prod-churn-v7-0a",
    },
    "describe_endpoint_config": lambda _: {
        "EndpointConfigArn": "arn:config",
        "ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": "ml.m5.large"}],
    },
    "describe_model": lambda _: {"ModelArn": "arn:model", "PrimaryContainer": {"ModelPackageName": PACKAGE}},
    "describe_model_package": lambda self: {
        "CreationTime": TIME,
        "ModelApprovalStatus": "Approved",
        "ModelPackageDescription": "drift: the data moved",
        "InferenceSpecification": {
            "Containers": [
                {"Image": IMAGE, "ModelDataUrl": f"s3://{ARTIFACTS}/churn/executions/abc/train/model.tar.gz"}
            ]
        },
        "CustomerMetadataProperties": self.metadata,
    },
    "describe_pipeline_execution": lambda _: {"PipelineExecutionStatus": "Succeeded", "CreationTime": TIME},
    "list_pipeline_parameters_for_execution": lambda _: {
        "PipelineParameters": [{"Name": "Trigger", "Value": "drift"}, {"Name": "Reason", "Value": "the data moved"}]
    },
    "list_pipeline_execution_steps": lambda _: {
        "PipelineExecutionSteps": [
            {"StepName": "Prepare", "Metadata": {"ProcessingJob": {"Arn": JOB.format("processing-job", "Prepare")}}},
            {"StepName": "Train", "Metadata": {"TrainingJob": {"Arn": JOB.format("training-job", "Train")}}},
            {"StepName": "Gate", "Metadata": {"Condition": {"Outcome": "True"}}},
        ]
    },
    "describe_processing_job": lambda self: {
        "ProcessingJobStatus": "Completed",
        "AppSpecification": {"ImageUri": IMAGE},
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large"}},
        "ProcessingInputs": [{"InputName": "code", "S3Input": {"S3Uri": CODE}}],
        "Environment": self.environment,
    },
    "describe_training_job": lambda self: {
        "TrainingJobStatus": "Completed",
        "AlgorithmSpecification": {"TrainingImage": IMAGE},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
        "HyperParameters": {"max_depth": "3"},
        "InputDataConfig": [{"ChannelName": "code", "DataSource": {"S3DataSource": {"S3Uri": CODE}}}],
        "Environment": self.environment,
    },
}


@pytest.fixture
def session(aws, project):
    """Environment prod with version 7, trained on two objects."""
    s3 = boto3.client("s3", region_name="eu-west-1")
    for bucket in (DATA, ARTIFACTS):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket=DATA, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=ARTIFACTS, Key="churn/executions/abc/train/model.tar.gz", Body=b"model")
    entries = []
    for day in ("01", "02"):
        key = f"churn/raw/dt=2026-11-{day}/rows.csv"
        put = s3.put_object(Bucket=DATA, Key=key, Body=day.encode())
        entries.append(
            {"bucket": DATA, "key": key, "version_id": put["VersionId"], "etag": put["ETag"], "rows": 5, "size": 2}
        )
    manifest = {"data_digest": (digest := objects._digest(entries)), "objects": entries}
    s3.put_object(Bucket=ARTIFACTS, Key="churn/manifest.json", Body=json.dumps(manifest))
    metadata = {
        "data_manifest": f"s3://{ARTIFACTS}/churn/manifest.json",
        "data_digest": digest,
        "artifact_digest": "a1",
        "code_digest": "c0de",
        "image": IMAGE,
        "pipeline_execution": EXECUTION,
        "trigger": "drift",
    }
    session = Project(project).environment("prod")
    session._clients["sagemaker"] = SageMaker(metadata)
    session._clients["s3"] = s3
    return session


def kinds(link):
    return [each.kind for each in link.walk()]


def test_endpoint_is_followed_to_every_object(session):
    link = endpoint(session, "churn")
    assert not link.problems()
    assert kinds(link) == [
        "endpoint", "configuration", "model", "version", "artifact", "image", "approval",
        "execution", "job", "code", "job", "code", "data", "object", "object",
    ]  # fmt: skip
    by_kind = {each.kind: each for each in link.walk()}
    assert by_kind["execution"].facts["reason"] == "the data moved"
    assert by_kind["code"].facts == {"commit": "4f5e"}
    assert by_kind["data"].facts["rows"] == "10"
    assert by_kind["approval"].facts["by"] == "the environment's approval policy"


def test_deleted_version_of_object_is_named(session):
    s3 = session.client("s3")
    first = json.loads(s3.get_object(Bucket=ARTIFACTS, Key="churn/manifest.json")["Body"].read())["objects"][0]
    s3.delete_object(Bucket=DATA, Key=first["key"], VersionId=first["version_id"])
    (problem,) = version(session, "churn", 7).problems()
    assert (problem.name, problem.problem) == (first["key"], "this version of the object does not exist any more")


def test_overwritten_object_is_found_by_its_version(session):
    session.client("s3").put_object(Bucket=DATA, Key="churn/raw/dt=2026-11-01/rows.csv", Body=b"other")
    assert not version(session, "churn", 7).problems()


def test_altered_manifest_is_named(session):
    s3 = session.client("s3")
    manifest = json.loads(s3.get_object(Bucket=ARTIFACTS, Key="churn/manifest.json")["Body"].read())
    manifest["objects"].pop()
    s3.put_object(Bucket=ARTIFACTS, Key="churn/manifest.json", Body=json.dumps(manifest))
    (problem,) = version(session, "churn", 7).problems()
    assert problem.kind == "data"
    assert "altered" in problem.problem


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("describe_model_package", "version"),
        ("describe_pipeline_execution", "execution"),
        ("describe_training_job", "job"),
        ("describe_model", "model"),
    ],
)
def test_resource_that_is_gone_is_named(session, operation, kind):
    session.client("sagemaker").missing.add(operation)
    (problem,) = endpoint(session, "churn").problems()
    assert problem.kind == kind
    assert "any more" in problem.problem


def test_job_with_other_code_is_named(session):
    session.client("sagemaker").environment["CODE_DIGEST"] = "0ther"
    assert {each.kind for each in version(session, "churn", 7).problems()} == {"code"}


def test_origin_outside_of_factory_is_named(session):
    session.client("sagemaker").metadata["origin"] = PACKAGE.replace("123456789012", "999999999999")
    (problem,) = version(session, "churn", 7).problems()
    assert "factory.yaml does not have" in problem.problem


@pytest.fixture
def marked(session):
    """Object rows.csv, which version 7, version 6 and a rejected training read."""
    records, uri = "acme-prod-records-123456789012-eu-west-1", f"s3://{DATA}/churn/raw/rows.csv"
    s3 = session.client("s3")
    s3.create_bucket(Bucket=records, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for object_version, execution, number in (("a", "e6", 6), ("b", "e7", 7), ("b", "e8", None)):
        s3.put_object(Bucket=records, Key=lineage_key(uri, object_version, "churn", execution, number), Body=b"")
    s3.put_object(Bucket=records, Key=lineage_key(f"{uri}.gz", "a", "churn", "e1", 1), Body=b"")
    return uri


class Pages:
    def __init__(self, *versions):
        self._versions = versions

    def paginate(self, **_):
        for number, status in self._versions:
            arn = f"{PACKAGE[:-1]}{number}"
            summary = {"ModelPackageVersion": number, "ModelPackageArn": arn, "ModelApprovalStatus": status}
            yield {"ModelPackageSummaryList": [summary]}


@pytest.fixture
def registry(session, monkeypatch):
    """Versions 6 and 7 in the registry, 7 live."""
    monkeypatch.setitem(ANSWERS, "get_paginator", lambda _: Pages((6, "Rejected"), (7, "Approved")))
    settings = {"Parameters": [{"Name": "/acme/prod/models/churn", "Value": "{}"}]}
    ssm = type("Ssm", (), {"get_paginator": lambda *_: type("P", (), {"paginate": lambda *_, **__: [settings]})()})()
    session._clients["ssm"] = ssm


def test_object_is_followed_to_all_trainings(session, marked, registry):
    (link,) = forward([session], marked)
    assert [(each.kind, each.name) for each in link.below] == [
        ("training", "churn: no version"),
        ("version", "churn v6 in prod"),
        ("version", "churn v7 in prod"),
    ]
    assert to_train_again([link]) == ["churn v7 in prod"]
    assert not link.problems()


def test_version_of_object_is_followed_alone(session, marked, registry):
    (link,) = forward([session], marked, "a")
    assert [each.name for each in link.below] == ["churn v6 in prod"]
    assert forward([session], marked, "c") == []


def test_version_that_the_registry_lost_is_named(session, marked, registry, monkeypatch):
    monkeypatch.setitem(ANSWERS, "get_paginator", lambda _: Pages((7, "Approved")))
    (problem,) = forward([session], marked)[0].problems()
    assert problem.name == "churn v6 in prod"


@pytest.mark.parametrize("reference", ["data/key", "s3://bucket", "s3:///key"])
def test_other_references_to_objects_are_refused(reference):
    with pytest.raises(UsageError, match="is no object"):
        split_reference(reference)


def test_unknown_model_gets_nearest_name(run, project):
    code, _, error = run("lineage", "chur@7", "--project", str(project))
    assert (code, "did you mean 'churn'" in error) == (1, True)


def test_reference_without_number_is_refused(run, project):
    code, _, error = run("lineage", "churn@seven", "--project", str(project))
    assert (code, "MODEL@7" in error) == (1, True)
