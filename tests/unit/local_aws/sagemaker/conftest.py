"""An embedded AWS with a bucket and a role, called as users call it: boto3, unmodified."""

import io
import json
import tarfile
import uuid
import zipfile
from dataclasses import dataclass
from functools import cache

import boto3
import pytest
from botocore.config import Config

from local_aws.server import LocalAws

from .endpoint import Endpoint, wait

ACCOUNT, REGION = "123456789012", "us-east-1"


def policy(actions, resources=None, service=None):
    """A policy that allows, in JSON; with `service` a resource policy."""
    more = {"Resource": resources} if resources else {}
    principal = {"Principal": {"Service": service}} if service else {}
    statement = {"Effect": "Allow", "Action": actions, **more, **principal}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_role(iam, name):
    """A role for SageMaker and functions with all permissions, which are not the subject here."""
    trust = policy("sts:AssumeRole", service=["sagemaker.amazonaws.com", "lambda.amazonaws.com"])
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy("*", "*"))


@cache
def _client(endpoint_url, service):
    """One client for all tests: making one of SageMaker takes longer than a request."""
    return boto3.client(
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id="root",
        aws_secret_access_key="root",
        config=Config(retries={"total_max_attempts": 1}),
    )


@dataclass
class Aws:
    """The embedded AWS, and the few requests that all tests make."""

    local: LocalAws
    bucket: str
    role: str = f"arn:aws:iam::{ACCOUNT}:role/jobs"

    def client(self, service):
        return _client(self.local.endpoint_url, service)

    @property
    def sagemaker(self):
        return self.client("sagemaker")

    def name(self, stem):
        return f"{stem}-{uuid.uuid4().hex[:8]}"

    def put(self, key, body):
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def get(self, uri):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, prefix):
        found = self.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", [])]

    def code(self, script):
        """A zip that Python runs."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("__main__.py", script)
        return self.put(f"{self.name('code')}/code.zip", content.getvalue())

    def processing(self, script, *arguments, inputs=None, outputs=None, seconds=60, environment=None):
        """Arguments of a processing job that runs a script; inputs and outputs: name -> S3 URI."""
        given = {"code": self.code(script), **(inputs or {})}
        return {
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
            },
            "AppSpecification": {
                "ImageUri": "image",
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/code.zip", *arguments],
            },
            "RoleArn": self.role,
            "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
            "Environment": environment or {},
            "ProcessingInputs": [
                {
                    "InputName": name,
                    "S3Input": {
                        "S3Uri": uri,
                        "LocalPath": f"/opt/ml/processing/input/{name}",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
                for name, uri in given.items()
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": name,
                        "S3Output": {
                            "S3Uri": uri,
                            "LocalPath": f"/opt/ml/processing/output/{name}",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                    for name, uri in (outputs or {}).items()
                ]
            },
        }

    def training(self, script, channels=None, hyperparameters=None, seconds=60):
        """Arguments of a training job that runs a script; channels: name -> S3 URI."""
        return {
            "AlgorithmSpecification": {
                "TrainingImage": "image",
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/code.zip"],
            },
            "RoleArn": self.role,
            "HyperParameters": hyperparameters or {},
            "InputDataConfig": [
                {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
                for name, uri in {"code": self.code(script), **(channels or {})}.items()
            ],
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/trained"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
        }

    def run_job(self, kind, arguments):
        """Create a job and wait: the final Describe response."""
        name, sagemaker = self.name("job"), self.sagemaker
        getattr(sagemaker, f"create_{kind.lower()}_job")(**{f"{kind}JobName": name}, **arguments)
        return wait(lambda: self.ended(kind, name))

    def ended(self, kind, name):
        described = getattr(self.sagemaker, f"describe_{kind.lower()}_job")(**{f"{kind}JobName": name})
        return None if described[f"{kind}JobStatus"] in ("InProgress", "Stopping") else described

    def pipeline(self, steps, parameters=()):
        """Create a pipeline; its name."""
        name = self.name("pipeline")
        definition = {"Version": "2020-12-01", "Parameters": list(parameters), "Steps": steps}
        self.sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=json.dumps(definition),
            RoleArn=self.role,
            ClientRequestToken=uuid.uuid4().hex,
        )
        return name

    def start(self, pipeline, token=None, **parameters):
        return self.sagemaker.start_pipeline_execution(
            PipelineName=pipeline,
            ClientRequestToken=token or uuid.uuid4().hex,
            PipelineParameters=[{"Name": name, "Value": value} for name, value in parameters.items()],
        )["PipelineExecutionArn"]

    def finished(self, execution):
        """The final DescribePipelineExecution response, and the steps by name."""

        def look():
            found = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
            return None if found["PipelineExecutionStatus"] in ("Executing", "Stopping") else found

        return wait(look), self.steps(execution)

    def steps(self, execution):
        found = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)
        return {step["StepName"]: step for step in found["PipelineExecutionSteps"]}

    def listen(self, detail_type):
        """A queue for events of a type; a function that returns those received."""
        name, sqs, events = self.name("events"), self.client("sqs"), self.client("events")
        open_to_events = policy("sqs:SendMessage", "*", "events.amazonaws.com")
        url = sqs.create_queue(QueueName=name, Attributes={"Policy": open_to_events})["QueueUrl"]
        pattern = {"source": ["aws.sagemaker"], "detail-type": [detail_type]}
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"}])
        received = []

        def read():
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                received.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return received

        return read

    def archive(self, files):
        """A model.tar.gz in S3."""
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:gz") as tar:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text.encode())
                tar.addfile(entry, io.BytesIO(text.encode()))
        return self.put(f"{self.name('model')}/model.tar.gz", content.getvalue())


@pytest.fixture(scope="package")
def aws(tmp_path_factory):
    with LocalAws(tmp_path_factory.mktemp("state")) as local:
        made = Aws(local, f"bucket-{uuid.uuid4().hex[:8]}")
        made.client("s3").create_bucket(Bucket=made.bucket)
        make_role(made.client("iam"), "jobs")
        yield made


@pytest.fixture
def endpoint(aws):
    made = Endpoint(aws)
    yield made
    if made.name in [e["EndpointName"] for e in aws.sagemaker.list_endpoints(NameContains=made.name)["Endpoints"]]:
        aws.sagemaker.delete_endpoint(EndpointName=made.name)


@pytest.fixture(scope="package")
def serving(aws):
    """One endpoint for all tests that only invoke it."""
    made = Endpoint(aws)
    assert made.create(made.config("one"))["EndpointStatus"] == "InService"
    yield made
    aws.sagemaker.delete_endpoint(EndpointName=made.name)
