"""`model-factory lineage`: every link of a version, and those that are missing or were altered."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from model_factory.functions.shared.chain import digest, evidence_key, lineage_key
from model_factory.jobs.preparation import ingest
from ops.explanation import traffic
from ops.explanation.captures import Captured
from ops.lineage import objects
from ops.lineage.endpoint import endpoint
from ops.lineage.forward import forward, split_reference, to_reject, to_train_again
from ops.lineage.prediction import prediction
from ops.lineage.recorded import Recorded
from ops.lineage.version import version
from ops.project import Project, UsageError
from ops.records import chain

from .chains import MemoryObjects, write

TIME = datetime(2026, 11, 26, tzinfo=UTC)
DATA, ARTIFACTS, RECORDS = (f"acme-prod-{name}-123456789012-eu-west-1" for name in ("data", "artifacts", "records"))
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


@pytest.fixture
def session(aws, project, monkeypatch):
    """Environment prod with version 7, trained on two objects."""
    # S3's clock is not that of the records.
    monkeypatch.setattr(chain, "time_problems", lambda *_: [])
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


def kinds(link):
    return [each.kind for each in link.walk()]


def test_endpoint_is_followed_to_every_object(session):
    link = endpoint(session, "churn")
    assert not link.problems()
    assert kinds(link) == [
        "endpoint", "configuration", "model", "version", "artifact", "image", "approval", "record",
        "execution", "job", "code", "job", "code", "libraries", "data", "object", "object",
    ]  # fmt: skip
    by_kind = {each.kind: each for each in link.walk()}
    assert by_kind["execution"].facts["reason"] == "the data moved"
    assert by_kind["execution"].facts["requested by"] == "AROA:ada"
    assert by_kind["code"].facts["commit"] == "4f5e"
    assert by_kind["libraries"].facts == FACTS["libraries"]
    assert by_kind["data"].facts["rows"] == "10"
    assert by_kind["approval"].facts["by"] == "the environment's approval policy"
    assert by_kind["approval"].facts["recorded by"] == "AROA:ada"


def test_deleted_version_of_object_is_named(session):
    s3 = session.client("s3")
    first = json.loads(s3.get_object(Bucket=ARTIFACTS, Key="churn/manifest.json")["Body"].read())["objects"][0]
    s3.delete_object(Bucket=DATA, Key=first["key"], VersionId=first["version_id"])
    (problem,) = version(session, "churn", 7).problems()
    assert (problem.name, problem.problem) == (first["key"], "this version of the object does not exist any more")


def test_object_that_was_forgotten_on_record_is_no_problem(session, monkeypatch):
    s3 = session.client("s3")
    first, second = json.loads(s3.get_object(Bucket=ARTIFACTS, Key="churn/manifest.json")["Body"].read())["objects"]
    for each in (first, second):
        s3.delete_object(Bucket=DATA, Key=each["key"], VersionId=each["version_id"])
    facts = {"sha256": digest(f"s3://{DATA}/{first['key']}".encode())}
    entry = chain.Entry("churn", 9, "churn/chain/9", {"time": "2026-11-26", "facts": facts})
    monkeypatch.setattr("ops.lineage.recorded.of_kind", lambda *_: [entry])
    link = version(session, "churn", 7)
    assert [each.name for each in link.problems()] == [second["key"]]
    assert [each.facts["record"] for each in link.walk() if "forgotten" in each.facts] == ["churn/chain/9"]


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


def test_manifest_that_lacks_a_field_is_named(session):
    """Of a version that has no evidence, whose manifest would be read instead."""
    s3 = session.client("s3")
    s3.put_object(Bucket=ARTIFACTS, Key="churn/old.json", Body=json.dumps({"objects": [{"key": "churn/raw/a"}]}))
    metadata = {"data_manifest": f"s3://{ARTIFACTS}/churn/old.json", "data_digest": "d"}
    assert objects.data(s3, metadata, Recorded.of(session, "churn", 99)).problem == (
        "the manifest is altered: KeyError 'version_id'"
    )


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


@pytest.mark.parametrize("field", ["sha256", "rows", "bucket"])
def test_manifest_with_same_digest_is_compared_with_evidence(session, field):
    """`data_digest` has neither of the fields; the evidence has the whole file."""
    s3 = session.client("s3")
    manifest = json.loads(s3.get_object(Bucket=ARTIFACTS, Key="churn/manifest.json")["Body"].read())
    manifest["objects"][0] |= {field: {"sha256": "0", "rows": 7, "bucket": "other"}[field]}
    s3.put_object(Bucket=ARTIFACTS, Key="churn/manifest.json", Body=json.dumps(manifest))
    (problem,) = version(session, "churn", 7).problems()
    assert problem.problem.endswith("the objects below are those of the manifest in the evidence")


def test_objects_of_lost_manifest_are_those_of_evidence(session):
    session.client("s3").delete_object(Bucket=ARTIFACTS, Key="churn/manifest.json")
    link = version(session, "churn", 7)
    assert [each.kind for each in link.problems()] == ["data"]
    assert kinds(link)[-2:] == ["object", "object"]


def test_metadata_that_was_changed_is_named(session):
    session.client("sagemaker").metadata["git_commit"] = "0ther"
    (problem,) = version(session, "churn", 7).problems()
    assert (problem.kind, problem.problem) == ("record", "the registry has another git_commit than was registered")


def test_version_that_the_registry_lost_is_known_by_its_record(session):
    session.client("sagemaker").missing.add("describe_model_package")
    link = version(session, "churn", 7)
    assert [each.kind for each in link.problems()] == ["version"]
    assert kinds(link).count("object") == 2


def test_jobs_of_lost_execution_are_those_of_its_record(session):
    session.client("sagemaker").missing.add("describe_pipeline_execution")
    link = version(session, "churn", 7)
    (problem,) = link.problems()
    assert problem.problem.endswith("but its record is there")
    assert [each.name for each in problem.below] == ["Train"]


@pytest.mark.parametrize(("name", "content"), [("code", b"other"), ("train_facts", None)])
def test_evidence_that_is_lost_or_altered_is_named(session, name, content):
    s3 = session.client("s3")
    key = evidence_key("churn", digest({"code": b"zip", "train_facts": json.dumps(FACTS).encode()}[name]))
    s3.delete_object(Bucket=RECORDS, Key=key)
    if content:
        s3.put_object(Bucket=RECORDS, Key=key, Body=content)
    assert name in {each.name for each in version(session, "churn", 7).problems() if each.kind == "evidence"}


@pytest.mark.parametrize(("named", "numbers"), [("; model-version=7", [7]), ("", [6, 7])])
def test_prediction_is_followed_to_version(session, monkeypatch, named, numbers):
    answered = Captured(
        "id-1", "churn/captured/x.jsonl", TIME, "1", "text/csv", "0.5", f"text/csv{named}", 7 if named else None
    )
    monkeypatch.setattr(traffic, "intervals", lambda *_: [])
    monkeypatch.setattr(traffic, "candidates", lambda *_: [6, 7])
    link = prediction(session, "churn", answered)
    assert [each.name for each in link.below] == [f"churn v{number} in prod" for number in numbers]
    assert bool(link.problem) == (not named)


def test_origin_outside_of_factory_is_named(session):
    session.client("sagemaker").metadata["origin"] = PACKAGE.replace("123456789012", "999999999999")
    (problem,) = version(session, "churn", 7).problems()
    assert "factory.yaml does not have" in problem.problem


@pytest.fixture
def marked(session):
    """Object rows.csv, which version 7, version 6 and a rejected training read."""
    records, uri = RECORDS, f"s3://{DATA}/churn/raw/rows.csv"
    s3 = session.client("s3")
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
    assert to_reject([link]) == []
    assert link.below[2].facts["deployments"] == "1"
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
