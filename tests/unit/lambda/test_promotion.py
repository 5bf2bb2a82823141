"""lambda/delivery with `promote: model`: the version served in the previous environment is registered, once."""

import hashlib
import json
import uuid

import pytest

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


@pytest.fixture
def world(local, delivery, monkeypatch):
    monkeypatch.setattr(local._dispatcher.replaced["sagemaker"].hosting, "deploy", lambda *_: None)
    monkeypatch.setattr(delivery["commit"], "codepipeline", Pipeline)
    world = World(local.accounts, delivery)
    monkeypatch.setattr(delivery["commit"], "_deployed_stacks", lambda *_: world.stacks)
    return world


def test_served_version_is_registered_with_digest_origin_and_reports(world):
    origin = world.trained()
    assert world.step().variables == {"trained": "none", "promoted": world.model, "leftovers": "none"}
    (made,) = world.prod.versions()
    facts, container = made["CustomerMetadataProperties"], made["InferenceSpecification"]["Containers"][0]
    assert facts["origin"] == origin
    assert facts["artifact_digest"] == hashlib.sha256(ARTIFACT).hexdigest()
    assert (facts["code_digest"], facts["trigger"]) == ("code 1", "promotion")
    assert made["ModelApprovalStatus"] == "Approved"
    assert made["ModelPackageDescription"] == "promotion: pushed abcdef012345, delivery e1"
    # The image in the target's registry.
    assert container["Image"] == facts["image"] == IMAGES["prod"]
    folder = f"s3://{world.prod.buckets['artifacts']}/{world.model}/executions/promoted-dev-v1"
    assert container["ModelDataUrl"] == f"{folder}/train/model.tar.gz"
    assert world.prod.read(container["ModelDataUrl"]) == ARTIFACT
    statistics = made["DriftCheckBaselines"]["ModelDataQuality"]["Statistics"]["S3Uri"]
    assert statistics == f"{folder}/prepare/baseline/statistics.json"
    assert world.prod.read(statistics.replace("statistics", "profile")) == b"profile.json"


def test_lineage_of_promoted_version_outlives_its_source(world):
    origin = world.trained()
    bucket = world.dev.buckets["artifacts"]
    artifact = world.dev.sagemaker.describe_model_package(ModelPackageName=origin)["InferenceSpecification"]
    folder = artifact["Containers"][0]["ModelDataUrl"].partition(f"{bucket}/")[2].removesuffix("train/model.tar.gz")
    files = {
        "prepare/report/manifest.json": b"manifest",
        "prepare/report/facts.json": b"facts",
        "prepare/test/part-0.parquet": b"test rows",
        "evaluation/evaluation.json": b"evaluation",
        "train/job/output/output.tar.gz": b"facts of the training",
    }
    for path, body in {**files, "prepare/train/part-0.parquet": b"training rows"}.items():
        world.dev.s3.put_object(Bucket=bucket, Key=folder + path, Body=body)
    world.step()
    for entry in world.dev.s3.list_objects_v2(Bucket=bucket)["Contents"]:
        world.dev.s3.delete_object(Bucket=bucket, Key=entry["Key"])
    (made,) = world.prod.versions()
    copies = f"s3://{world.prod.buckets['artifacts']}/{world.model}/executions/promoted-dev-v1/"
    assert made["CustomerMetadataProperties"]["data_manifest"] == f"{copies}prepare/report/manifest.json"
    assert {path: world.prod.read(copies + path) for path in files} == files
    kept = world.prod.s3.list_objects_v2(Bucket=world.prod.buckets["artifacts"])["Contents"]
    assert not [entry["Key"] for entry in kept if "prepare/train/" in entry["Key"]]


def test_version_is_promoted_only_once(world):
    world.trained()
    world.step()
    assert world.step().variables == {"trained": "none", "promoted": world.model, "leftovers": "none"}
    assert world.step("e2").summary == "unchanged: 1"
    assert len(world.prod.versions()) == 1


def test_promoted_version_is_pending_where_approval_is_manual(world):
    world.approval = "manual"
    world.trained()
    world.step()
    assert world.prod.versions()[0]["ModelApprovalStatus"] == "PendingManualApproval"


def test_reverted_version_is_promoted_by_next_delivery_only(world):
    world.trained()
    world.step()
    (made,) = world.prod.versions()
    world.prod.sagemaker.update_model_package(
        ModelPackageArn=made["ModelPackageArn"], ModelApprovalStatus="Rejected", ApprovalDescription="it was too slow"
    )
    world.step()
    assert len(world.prod.versions()) == 1
    said = world.step(task="smoke").message
    assert f"model {world.model} v1: it was too slow; there is no version before it" in said
    world.step("e2")
    assert [one["ModelApprovalStatus"] for one in world.prod.versions()] == ["Approved", "Rejected"]


def test_model_without_version_is_not_promoted(world):
    assert world.step().summary == f"no data yet: {world.model}; unchanged: 0"


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ({"code": "code 0"}, "dev has no approved version of the code that this delivery brings, the newest is v1"),
        ({"artifact_digest": "0" * 64}, f"and the evaluation measured {'0' * 64}"),
    ],
)
def test_version_of_other_code_or_artifact_fails_delivery(world, made, why):
    world.trained(**made)
    failed = world.step().message
    assert failed.startswith(f"training in prod failed: model {world.model}: ")
    assert why in failed
    assert world.prod.versions() == []


def test_delivery_promotes_its_own_code_after_a_later_delivery(world):
    first = world.dev.train(code="code 1")
    world.dev.train(code="code 1", status="Rejected")
    world.trained(code="code 2")
    world.step()
    assert world.prod.versions()[0]["CustomerMetadataProperties"]["origin"] == first


def test_served_version_is_promoted_among_several_of_same_code(world):
    serving = world.trained()
    world.dev.train()  # a nightly training that is not deployed yet
    world.step()
    assert world.prod.versions()[0]["CustomerMetadataProperties"]["origin"] == serving


def test_failure_reverts_versions_promoted_before(world):
    """Another model of the same delivery cannot be promoted, so the whole stage is reverted.

    There is no deploy queue: the event about the rejection is enough.
    """
    world.trained()
    world.step()
    other = World(world.accounts, world.delivery)
    other.factory = world.factory
    settings = other.prod.settings
    world.stacks.add(f"{world.prefix('prod')}-{other.model}")
    other.prod.client("ssm").put_parameter(
        Name=f"/{world.factory}/prod/models/{other.model}", Value=json.dumps(settings), Type="String"
    )
    said = world.step().message
    assert f"model {other.model}: it is not deployed in dev, from where it is to be promoted" in said
    assert f"with it: {world.model} v1 rejected, there is no version before it" in said
    assert world.prod.versions()[0]["ModelApprovalStatus"] == "Rejected"


def test_large_artifact_is_copied_in_parts(world, monkeypatch):
    part = 5 * 2**20
    monkeypatch.setattr(world.delivery["shared.promotion"], "PART_BYTES", part)
    content = hashlib.sha256(b"seed").digest() * (13 * 2**15)
    world.trained(artifact=content)
    world.step()
    (made,) = world.prod.versions()
    assert made["CustomerMetadataProperties"]["artifact_digest"] == hashlib.sha256(content).hexdigest()
    uri = made["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert world.prod.read(uri) == content
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    assert world.prod.s3.head_object(Bucket=bucket, Key=key)["ETag"].endswith('-3"')
    assert len(content) // part == 2


@pytest.mark.parametrize("part_bytes", [32 * 2**20, 5 * 2**20])
def test_changed_artifact_does_not_replace_an_earlier_copy(world, monkeypatch, part_bytes):
    """The copy may be live already: SageMaker loads it again when an endpoint gets another instance."""
    monkeypatch.setattr(world.delivery["shared.promotion"], "PART_BYTES", part_bytes)
    content = hashlib.sha256(b"seed").digest() * (6 * 2**15)
    world.trained(artifact=content)
    world.step()
    (made,) = world.prod.versions()
    copied = made["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    (trained,) = world.dev.versions()
    bucket, _, key = (
        trained["InferenceSpecification"]["Containers"][0]["ModelDataUrl"].removeprefix("s3://").partition("/")
    )
    world.dev.s3.put_object(Bucket=bucket, Key=key, Body=b"x" + content[1:])
    world.prod.sagemaker.delete_model_package(ModelPackageName=made["ModelPackageArn"])
    failed = world.step("e2").message
    assert "is not the file that version 1 was evaluated with" in failed
    assert world.prod.versions() == []
    assert world.prod.read(copied) == content
