"""`model-factory lineage`: every link of a version, and those that are missing or were altered."""

import json

import pytest

from model_factory.functions.shared.chain import digest, evidence_key
from ops.explanation import traffic
from ops.explanation.captures import Captured
from ops.lineage import objects
from ops.lineage.endpoint import endpoint
from ops.lineage.prediction import prediction
from ops.lineage.recorded import Recorded
from ops.lineage.version import version
from ops.records import chain

from .traced import ANSWERS, ARTIFACTS, DATA, FACTS, JOB, PACKAGE, RECORDS, TIME


def kinds(link):
    return [each.kind for each in link.walk()]


def test_endpoint_is_followed_to_every_object(traced):
    link = endpoint(traced, "churn")
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


def test_deleted_version_of_object_is_named(traced):
    s3 = traced.client("s3")
    first = json.loads(s3.get_object(Bucket=ARTIFACTS, Key="churn/manifest.json")["Body"].read())["objects"][0]
    s3.delete_object(Bucket=DATA, Key=first["key"], VersionId=first["version_id"])
    (problem,) = version(traced, "churn", 7).problems()
    assert (problem.name, problem.problem) == (first["key"], "this version of the object does not exist any more")


def test_object_that_was_forgotten_on_record_is_no_problem(traced, monkeypatch):
    s3 = traced.client("s3")
    first, second = json.loads(s3.get_object(Bucket=ARTIFACTS, Key="churn/manifest.json")["Body"].read())["objects"]
    for each in (first, second):
        s3.delete_object(Bucket=DATA, Key=each["key"], VersionId=each["version_id"])
    facts = {"sha256": digest(f"s3://{DATA}/{first['key']}".encode())}
    entry = chain.Entry("churn", 9, "churn/chain/9", {"time": "2026-11-26", "facts": facts})
    monkeypatch.setattr("ops.lineage.recorded.of_kind", lambda *_: [entry])
    link = version(traced, "churn", 7)
    assert [each.name for each in link.problems()] == [second["key"]]
    assert [each.facts["record"] for each in link.walk() if "forgotten" in each.facts] == ["churn/chain/9"]


def test_overwritten_object_is_found_by_its_version(traced):
    traced.client("s3").put_object(Bucket=DATA, Key="churn/raw/dt=2026-11-01/rows.csv", Body=b"other")
    assert not version(traced, "churn", 7).problems()


def test_altered_manifest_is_named(traced):
    s3 = traced.client("s3")
    manifest = json.loads(s3.get_object(Bucket=ARTIFACTS, Key="churn/manifest.json")["Body"].read())
    manifest["objects"].pop()
    s3.put_object(Bucket=ARTIFACTS, Key="churn/manifest.json", Body=json.dumps(manifest))
    (problem,) = version(traced, "churn", 7).problems()
    assert problem.kind == "data"
    assert "altered" in problem.problem


def test_manifest_that_lacks_a_field_is_named(traced):
    """Of a version that has no evidence, whose manifest would be read instead."""
    s3 = traced.client("s3")
    s3.put_object(Bucket=ARTIFACTS, Key="churn/old.json", Body=json.dumps({"objects": [{"key": "churn/raw/a"}]}))
    metadata = {"data_manifest": f"s3://{ARTIFACTS}/churn/old.json", "data_digest": "d"}
    assert objects.data(s3, metadata, Recorded.of(traced, "churn", 99)).problem == (
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
def test_resource_that_is_gone_is_named(traced, operation, kind):
    traced.client("sagemaker").missing.add(operation)
    (problem,) = endpoint(traced, "churn").problems()
    assert problem.kind == kind
    assert "any more" in problem.problem


def test_job_with_other_code_is_named(traced):
    traced.client("sagemaker").environment["CODE_DIGEST"] = "0ther"
    assert {each.kind for each in version(traced, "churn", 7).problems()} == {"code"}


@pytest.mark.parametrize("field", ["sha256", "rows", "bucket"])
def test_manifest_with_same_digest_is_compared_with_evidence(traced, field):
    """`data_digest` has neither of the fields; the evidence has the whole file."""
    s3 = traced.client("s3")
    manifest = json.loads(s3.get_object(Bucket=ARTIFACTS, Key="churn/manifest.json")["Body"].read())
    manifest["objects"][0] |= {field: {"sha256": "0", "rows": 7, "bucket": "other"}[field]}
    s3.put_object(Bucket=ARTIFACTS, Key="churn/manifest.json", Body=json.dumps(manifest))
    (problem,) = version(traced, "churn", 7).problems()
    assert problem.problem.endswith("the objects below are those of the manifest in the evidence")


def test_objects_of_lost_manifest_are_those_of_evidence(traced):
    traced.client("s3").delete_object(Bucket=ARTIFACTS, Key="churn/manifest.json")
    link = version(traced, "churn", 7)
    assert [each.kind for each in link.problems()] == ["data"]
    assert kinds(link)[-2:] == ["object", "object"]


def test_metadata_that_was_changed_is_named(traced):
    traced.client("sagemaker").metadata["git_commit"] = "0ther"
    (problem,) = version(traced, "churn", 7).problems()
    assert (problem.kind, problem.problem) == ("record", "the registry has another git_commit than was registered")


def test_version_that_the_registry_lost_is_known_by_its_record(traced):
    traced.client("sagemaker").missing.add("describe_model_package")
    link = version(traced, "churn", 7)
    assert [each.kind for each in link.problems()] == ["version"]
    assert kinds(link).count("object") == 2


def test_jobs_of_lost_execution_are_those_of_its_record(traced):
    traced.client("sagemaker").missing.add("describe_pipeline_execution")
    link = version(traced, "churn", 7)
    (problem,) = link.problems()
    assert problem.problem.endswith("but its record is there")
    assert [each.name for each in problem.below] == ["Train"]


@pytest.mark.parametrize(("name", "content"), [("code", b"other"), ("train_facts", None)])
def test_evidence_that_is_lost_or_altered_is_named(traced, name, content):
    s3 = traced.client("s3")
    key = evidence_key("churn", digest({"code": b"zip", "train_facts": json.dumps(FACTS).encode()}[name]))
    s3.delete_object(Bucket=RECORDS, Key=key)
    if content:
        s3.put_object(Bucket=RECORDS, Key=key, Body=content)
    assert name in {each.name for each in version(traced, "churn", 7).problems() if each.kind == "evidence"}


@pytest.mark.parametrize(("named", "numbers"), [("; model-version=7", [7]), ("", [6, 7])])
def test_prediction_is_followed_to_version(traced, monkeypatch, named, numbers):
    answered = Captured(
        "id-1", "churn/captured/x.jsonl", TIME, "1", "text/csv", "0.5", f"text/csv{named}", 7 if named else None
    )
    monkeypatch.setattr(traffic, "intervals", lambda *_: [])
    monkeypatch.setattr(traffic, "candidates", lambda *_: [6, 7])
    link = prediction(traced, "churn", answered)
    assert [each.name for each in link.below] == [f"churn v{number} in prod" for number in numbers]
    assert bool(link.problem) == (not named)


def test_origin_outside_of_factory_is_named(traced):
    traced.client("sagemaker").metadata["origin"] = PACKAGE.replace("123456789012", "999999999999")
    (problem,) = version(traced, "churn", 7).problems()
    assert "factory.yaml does not have" in problem.problem


def test_unknown_model_gets_nearest_name(run, project):
    code, _, error = run("lineage", "chur@7", "--project", str(project))
    assert (code, "did you mean 'churn'" in error) == (1, True)


def test_reference_without_number_is_refused(run, project):
    code, _, error = run("lineage", "churn@seven", "--project", str(project))
    assert (code, "MODEL@7" in error) == (1, True)


def test_jobs_beyond_the_first_page_are_named(traced):
    assert [each.name for each in version(traced, "churn", 7).walk() if each.kind == "job"] == ["Prepare", "Train"]


def test_jobs_of_own_pipeline_are_named(traced, monkeypatch):
    """A project's own pipeline has steps of any kind, and jobs without inputs, with algorithms and groups of instances."""
    made = {
        "Clean": {"ProcessingJob": {"Arn": JOB.format("processing-job", "Clean")}},
        "Fit": {"TrainingJob": {"Arn": JOB.format("training-job", "Fit")}},
        "Tune": {"TuningJob": {"Arn": JOB.format("hyper-parameter-tuning-job", "Tune")}},
        "Bias": {"ClarifyCheck": {"CheckType": "DATA_BIAS", "CheckJobArn": JOB.format("processing-job", "Bias")}},
        "Notify": {"Lambda": {"Arn": "arn:aws:lambda:eu-west-1:123456789012:function:n"}},
    }
    steps = [{"StepName": name, "Metadata": metadata} for name, metadata in made.items()]
    processing = {
        "ProcessingJobStatus": "Completed",
        "AppSpecification": {"ImageUri": "spark"},
        "ProcessingResources": {"ClusterConfig": {"SelectedInstanceCount": 2, "SelectedInstanceType": "ml.m5.large"}},
        "ProcessingInputs": [{"InputName": "code", "DatasetDefinition": {}}],
    }
    training = {
        "TrainingJobStatus": "Completed",
        "AlgorithmSpecification": {"AlgorithmName": "xgboost", "TrainingInputMode": "File"},
        "ResourceConfig": {"InstanceGroups": [{"InstanceCount": 2, "InstanceType": "ml.p4d.24xlarge"}]},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"FileSystemDataSource": {}}}],
    }
    tuning = {
        "HyperParameterTuningJobStatus": "Completed",
        "HyperParameterTuningJobConfig": {"Strategy": "Bayesian", "RandomSeed": 7},
        "TrainingJobDefinitions": [{"AlgorithmSpecification": {"TrainingImage": "own"}}],
        "TrainingJobStatusCounters": {"Completed": 8, "NonRetryableError": 1, "Stopped": 2},
        "BestTrainingJob": {
            "TrainingJobName": "t-003",
            "TunedHyperParameters": {"rate": "0.1", "depth": "3"},
            "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "auc", "Value": 0.81236},
        },
    }
    for operation, answer in {
        "list_pipeline_execution_steps": {"PipelineExecutionSteps": steps},
        "describe_hyper_parameter_tuning_job": tuning,
        "describe_processing_job": processing,
        "describe_training_job": training,
    }.items():
        monkeypatch.setitem(ANSWERS, operation, lambda _, answer=answer: answer)
    del traced.client("sagemaker").metadata["image"]
    jobs = {each.name: each.facts for each in version(traced, "churn", 7).walk() if each.kind == "job"}
    assert list(jobs) == ["Clean", "Fit", "Tune", "Bias"]
    assert (jobs["Clean"]["instance"], jobs["Fit"]["instance"]) == ("2 x ml.m5.large", "2 x ml.p4d.24xlarge")
    assert jobs["Fit"]["image"] == "xgboost"
    assert jobs["Tune"] == {
        "status": "Completed",
        "image": "own",
        "strategy": "bayesian",
        "trials": "11, 1 failed, 2 stopped early",
        "seed": "7",
        "best": "auc 0.8124 in t-003",
        "chosen": "depth=3 rate=0.1",
    }


@pytest.mark.parametrize("reference", ["churn@0", "churn@v0"])
def test_version_zero_is_refused(run, project, reference):
    code, _, error = run("lineage", reference, "--project", str(project))
    assert (code, "the first version of a model is 1" in error) == (1, True)
