"""Two environments of which one trains a model and the other gets its versions, for tests of promotion."""

import hashlib
import json
import uuid

from .cloud import ROLE

REGION = "eu-west-1"
ACCOUNTS = {"dev": "111111111111", "prod": "222222222222"}
ARTIFACT = b"the bytes of the model"
IMAGES = {name: f"{account}.dkr.ecr.{REGION}.amazonaws.com/sklearn:1" for name, account in ACCOUNTS.items()}


class Account:
    """One environment with the model of a test, as its stacks deploy it."""

    def __init__(self, world, name: str, promoted_from: str | None) -> None:
        self.name, self.model, self._account = name, world.model, ACCOUNTS[name]
        self._accounts = world.accounts
        self.group = f"acme-{name}-{self.model}"
        self.sagemaker, self.s3 = self.client("sagemaker"), self.client("s3")
        self.buckets = {purpose: f"{self.group}-{purpose}" for purpose in ("artifacts", "records")}
        for bucket in self.buckets.values():
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.sagemaker.create_model_package_group(ModelPackageGroupName=self.group)
        self.client("sqs").create_queue(
            QueueName=f"{world.prefix(name)}-recorder.fifo",
            Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"},
        )
        self.settings = {
            "model": self.model,
            "model_package_group": self.group,
            "training_pipeline": f"{self.group}-train",
            "endpoint": self.group,
            "promoted_from": promoted_from,
            "artifacts_uri": f"s3://{self.buckets['artifacts']}/{self.model}/",
            "records_uri": f"s3://{self.buckets['records']}/{self.model}/",
        }
        self.client("ssm").put_parameter(
            Name=f"/{world.factory}/{name}/models/{self.model}", Value=json.dumps(self.settings), Type="String"
        )
        self.deploy("code 1")

    def client(self, service):
        return self._accounts.role_client(service, f"arn:aws:iam::{self._account}:role/administrator", REGION)

    def deploy(self, code: str) -> None:
        """Deploy a training pipeline of this code."""
        variables = {"CODE_DIGEST": code, "IMAGE": IMAGES[self.name]}
        step = {"Name": "Prepare", "Type": "Processing", "Arguments": {"Environment": variables}}
        pipeline = {"PipelineName": self.settings["training_pipeline"], "RoleArn": ROLE}
        definition = {"Version": "2020-12-01", "Steps": [step]}
        listed = self.sagemaker.list_pipelines(PipelineNamePrefix=pipeline["PipelineName"])["PipelineSummaries"]
        known = [one["PipelineName"] for one in listed]
        call = self.sagemaker.update_pipeline
        if pipeline["PipelineName"] not in known:
            call, pipeline["ClientRequestToken"] = self.sagemaker.create_pipeline, "0" * 32
        call(**pipeline, PipelineDefinition=json.dumps(definition))

    def train(self, code: str = "code 1", status: str = "Approved", artifact: bytes = ARTIFACT, **facts) -> str:
        """Register a version as a training does, with two reports of which the version names one; its ARN."""
        folder = f"{self.model}/executions/{uuid.uuid4().hex[:8]}"
        bucket = self.buckets["artifacts"]
        self.s3.put_object(Bucket=bucket, Key=f"{folder}/train/model.tar.gz", Body=artifact)
        for name in ("statistics.json", "profile.json"):
            self.s3.put_object(Bucket=bucket, Key=f"{folder}/prepare/baseline/{name}", Body=name.encode())
        uri = f"s3://{bucket}/{folder}"
        baseline = {"ContentType": "application/json", "S3Uri": f"{uri}/prepare/baseline/statistics.json"}
        return self.sagemaker.create_model_package(
            ModelPackageGroupName=self.group,
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [{"Image": IMAGES[self.name], "ModelDataUrl": f"{uri}/train/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            DriftCheckBaselines={"ModelDataQuality": {"Statistics": baseline}},
            CustomerMetadataProperties={
                "code_digest": code,
                "image": IMAGES[self.name],
                "artifact_digest": hashlib.sha256(artifact).hexdigest(),
                **facts,
            },
        )["ModelPackageArn"]

    def serve(self, arn: str) -> None:
        """Create an endpoint with this version."""
        name = f"{self.group}-{arn.rpartition('/')[2]}"
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": arn})
        variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large"}
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant | {"InitialInstanceCount": 1}]
        )
        self.sagemaker.create_endpoint(EndpointName=self.group, EndpointConfigName=name)

    def versions(self) -> list[dict]:
        """Newest first."""
        found = self.sagemaker.list_model_packages(ModelPackageGroupName=self.group, SortOrder="Descending")
        arns = [one["ModelPackageArn"] for one in found["ModelPackageSummaryList"]]
        return [self.sagemaker.describe_model_package(ModelPackageName=arn) for arn in arns]

    def read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


class World:
    """dev, which trains, prod, which receives versions, and the delivery function."""

    def __init__(self, accounts, delivery, approval: str = "automatic") -> None:
        self.accounts, self.delivery, self.model = accounts, delivery, f"m{uuid.uuid4().hex[:8]}"
        self.factory = f"f{uuid.uuid4().hex[:6]}"
        self.dev, self.prod = Account(self, "dev", None), Account(self, "prod", "dev")
        self.approval = approval
        self.stacks = {f"{self.prefix(name)}-{self.model}" for name in ACCOUNTS}

    def prefix(self, name: str) -> str:
        return f"{self.factory}-{name}"

    def step(self, execution: str = "e1", task: str = "retrain"):
        """Run one step of a task of the delivery function in prod; its outcome."""
        module = self.delivery["environment"]
        configs = {
            name: module.EnvironmentConfig(
                prefix=self.prefix(name),
                factory=self.factory,
                account=account,
                region=REGION,
                approval=self.approval,
                role=f"arn:aws:iam::{account}:role/{self.factory}",
            )
            for name, account in ACCOUNTS.items()
        }
        settings = module.Settings("acme-delivery", "reports", 4, 3600, configs)
        job = self.delivery["outcome"].Job("j", task, "prod", execution, {"since": 4102444800}, [], {})
        module_of = {"retrain": "training", "smoke": "smoke"}
        return getattr(self.delivery[module_of[task]], task)(job, module.Environment(settings, "prod"))

    def trained(self, **more) -> str:
        """Train and serve a version in dev; its ARN."""
        arn = self.dev.train(**more)
        self.dev.serve(arn)
        return arn


class Pipeline:
    """Stub of CodePipeline with the delivered commit."""

    def get_pipeline_execution(self, **_):
        return {"pipelineExecution": {"artifactRevisions": [{"revisionId": "abcdef0123456789"}]}}
