"""An environment with one version, its records and manifest, and the descriptions of its training, for tests of lineage."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
from botocore.exceptions import ClientError

from model_factory.functions.shared.chain import digest
from model_factory.jobs.preparation import ingest
from ops.project import Project

from .chains import MemoryObjects, write

TIME = datetime(2026, 11, 26, tzinfo=UTC)
DATA, ARTIFACTS, RECORDS = (f"acme-prod-{name}-123456789012-eu-west-1" for name in ("data", "artifacts", "records"))
PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/acme-prod-churn/7"
EXECUTION = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/acme-prod-churn-train/execution/abc"
JOB = "arn:aws:sagemaker:eu-west-1:123456789012:{}/pipelines-abc-{}"
IMAGE = "246618743249.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
CODE = "s3://assets/0a1b.zip"


def pages(answer):
    """The two pages of a list; the second one has the last item."""
    ((key, items),) = answer.items()
    yield {key: items[:-1], "NextToken": "2"}
    yield {key: items[-1:]}


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
            answer = ANSWERS[operation](self)
            return next(pages(answer)) if operation.startswith("list_") else answer

        return call

    def get_paginator(self, operation):
        def paginate(**_):
            getattr(self, operation)()
            return pages(ANSWERS[operation](self))

        return SimpleNamespace(paginate=paginate)


STEPS = [{"name": "Train", "arn": JOB.format("training-job", "Train")}, {"name": "Gate", "arn": None}]
TRAINING = {"outcome": "succeeded", "started": TIME.isoformat(), "steps": STEPS, "parameters": {"Trigger": "drift"}}
FACTS = {"python": "3.12.1", "threads": 2, "libraries": {"numpy": "2.5.1", "typing_extensions": "4.15.0"}}


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
    "describe_pipeline_execution": lambda _: {
        "PipelineExecutionStatus": "Succeeded",
        "CreationTime": TIME,
        "PipelineExecutionDisplayName": "drift-retrain-m1",
    },
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


def in_records(s3, metadata, manifest):
    """Write the chain of the model with the records of version 7, as the recorder does."""
    objects = MemoryObjects()
    objects.now = TIME
    registered = {
        "CreationTime": TIME.isoformat(),
        "ModelApprovalStatus": "Approved",
        "CustomerMetadataProperties": dict(metadata),
        "InferenceSpecification": ANSWERS["describe_model_package"](SageMaker({}))["InferenceSpecification"],
    }
    request = {"decision": "started", "requests": ["m1"], "asked_by": "ADA"}
    ada = {"identity": "AROA:ada", "source": "sqs-sender", "claimed": None}
    write(
        objects,
        "churn",
        {"kind": "retrain", "version": None, "facts": request, "by": ada},
        {"kind": "retrain", "version": None, "facts": request | {"requests": ["m0"]}},
        {
            "kind": "registration",
            "version": 7,
            "facts": registered,
            "evidence": {"manifest": manifest, "train_facts": json.dumps(FACTS).encode(), "code": b"zip"},
        },
        {"kind": "approval", "version": 7, "facts": {"decision": "Approved", "reason": "good"}, "by": ada},
        {"kind": "deployment", "version": 7},
        {"kind": "training", "version": None, "subject": EXECUTION, "facts": TRAINING},
        step=timedelta(0),
    )
    s3.create_bucket(Bucket=RECORDS, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket=RECORDS, VersioningConfiguration={"Status": "Enabled"})
    for key in objects.objects:
        s3.put_object(Bucket=RECORDS, Key=key, Body=objects.read(key))


def traced(project):
    """Environment prod of a project, with version 7, trained on two objects. Needs moto."""
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
            | {"sha256": digest(day.encode())}
        )
    data_digest = ingest.digest_of((each["key"], each["version_id"], each["etag"]) for each in entries)
    manifest = json.dumps({"data_digest": data_digest, "objects": entries}).encode()
    s3.put_object(Bucket=ARTIFACTS, Key="churn/manifest.json", Body=manifest)
    metadata = {
        "data_manifest": f"s3://{ARTIFACTS}/churn/manifest.json",
        "data_digest": data_digest,
        "content_digest": ingest.content_digest(each["sha256"] for each in entries),
        "artifact_digest": "a1",
        "code_digest": "c0de",
        "git_commit": "4f5e",
        "image": IMAGE,
        "pipeline_execution": EXECUTION,
        "trigger": "drift",
    }
    in_records(s3, metadata, manifest)
    session = Project(project).environment("prod")
    session._clients["sagemaker"] = SageMaker(metadata)
    session._clients["s3"] = s3
    return session
