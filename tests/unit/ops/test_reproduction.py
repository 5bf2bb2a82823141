"""`model-factory reproduce`: what is kept of a version, and what the command refuses."""

import hashlib
import json
import shutil
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError

from model_factory.functions.shared import chain
from ops.commands.reproduction import _train
from ops.project import Project, UsageError
from ops.reproduction import recorded
from ops.reproduction.definition import with_hyperparameters
from ops.reproduction.failures import CannotRebuild
from ops.reproduction.local import interpreter
from ops.reproduction.rebuild import home_of
from ops.reproduction.recorded import find
from ops.reproduction.verdict import recorder

RECORDS, ARTIFACTS = (f"acme-prod-{each}-123456789012-eu-west-1" for each in ("records", "artifacts"))
FOLDER = f"s3://{ARTIFACTS}/churn/executions/abc"
PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/acme-prod-churn/7"
DEFINITION = {
    "Version": "2020-12-01",
    "Steps": [
        {
            "Name": "Prepare",
            "Type": "Processing",
            "Arguments": {"Environment": {"DATA_URI": "s3://acme-prod-data-123456789012-eu-west-1/churn"}},
        },
        {
            "Name": "Train",
            "Type": "Training",
            "Arguments": {
                "InputDataConfig": [
                    {"ChannelName": "code", "DataSource": {"S3DataSource": {"S3Uri": f"s3://{ARTIFACTS}/code.zip"}}}
                ]
            },
        },
    ],
}
REPORT = {"rows": 10}
FILES = {
    "manifest": b"{}",
    "report": json.dumps(REPORT).encode(),
    "definition": json.dumps(DEFINITION).encode(),
    "code": b"zip",
    "artifact": b"model",
    "test/part-0.parquet": b"rows",
    "prepare_facts": b'{"libraries": {"numpy": "1", "scipy": "1.18"}}',
    "train_facts": b'{"threads": 2, "libraries": {"numpy": "2"}}',
}


def missing(operation, code="ValidationException"):
    return ClientError({"Error": {"Code": code, "Message": "does not exist"}}, operation)


class SageMaker:
    """Versions 5 and 7 of churn, or none; the pipeline's execution, or not."""

    packages, execution = True, True

    def describe_model_package(self, ModelPackageName):
        if not self.packages or ModelPackageName != PACKAGE:
            raise missing("DescribeModelPackage")
        metadata = {
            "data_manifest": f"{FOLDER}/prepare/report/manifest.json",
            "pipeline_execution": "arn:execution",
            "artifact_digest": hashlib.sha256(FILES["artifact"]).hexdigest(),
            "code_digest": hashlib.sha256(FILES["code"]).hexdigest(),
        }
        container = {"ModelDataUrl": f"{FOLDER}/train/model.tar.gz"}
        return {
            "ModelPackageArn": PACKAGE,
            "InferenceSpecification": {"Containers": [container]},
            "CustomerMetadataProperties": metadata,
        }

    def describe_pipeline_definition_for_execution(self, PipelineExecutionArn):
        if not self.execution:
            raise missing("DescribePipelineDefinitionForExecution", "ResourceNotFound")
        return {"PipelineDefinition": json.dumps(DEFINITION)}

    def list_model_packages(self, **_):
        return {"ModelPackageSummaryList": [{"ModelPackageVersion": number} for number in (7, 5)]}


@pytest.fixture
def session(aws, project, monkeypatch):
    session = Project(project).environment("prod")
    for bucket in (RECORDS, ARTIFACTS):
        where = {"LocationConstraint": "eu-west-1"}
        session.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        session.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    session._clients["sagemaker"] = SageMaker()
    return session


def put(session, bucket, key, content):
    session.client("s3").put_object(Bucket=bucket, Key=key, Body=content)


@pytest.fixture
def left_behind(session):
    """The files of version 7 where its training wrote them."""
    for name, key in {
        "manifest": "prepare/report/manifest.json",
        "report": "prepare/report/report.json",
        "artifact": "train/model.tar.gz",
        "test/part-0.parquet": "prepare/test/part-0.parquet",
    }.items():
        put(session, ARTIFACTS, f"churn/executions/abc/{key}", FILES[name])
    put(session, ARTIFACTS, "code.zip", FILES["code"])


@pytest.fixture
def kept(session):
    """Keep evidence of version 7; `without` leaves out a file."""

    def keep(without=(), sequence=1, rows=None):
        evidence = {}
        for name, content in FILES.items():
            if name not in without:
                digest = hashlib.sha256(content).hexdigest()
                put(session, RECORDS, chain.evidence_key("churn", digest), content)
                evidence[name] = {"sha256": digest, "size": len(content), "source": "s3://gone", "version_id": "1"}
        time = datetime.now(UTC).isoformat()
        record = {
            "schema": chain.SCHEMA,
            "sequence": sequence,
            "previous": None,
            "id": "one",
            "kind": "registration",
            "time": time,
            "recorded": time,
            "factory": "acme",
            "environment": "prod",
            "model": "churn",
            "version": 7,
            "subject": PACKAGE,
            "by": {"identity": None, "source": "eventbridge", "claimed": None},
            "facts": {"rows": rows or {}},
            "evidence": evidence,
        }
        put(session, RECORDS, chain.record_key("churn", sequence), chain.encode(record))
        put(session, RECORDS, chain.index_key(record), b"")

    return keep


def test_evidence_is_enough_when_all_else_is_gone(session, kept):
    session.client("sagemaker").packages = False
    kept()
    found = find(session, "churn", 7)
    assert (found.definition, found.report, found.facts["threads"]) == (DEFINITION, REPORT, 2)
    assert found.libraries == {"numpy": "2", "scipy": "1.18"}, "those of all jobs"
    assert found.subject == PACKAGE
    files = (found.code, found.manifest, found.artifact, *found.test)
    assert len(files) == 4
    assert all(each.evidence and each.uri.startswith(f"s3://{RECORDS}/churn/evidence/") for each in files)


def tuned():
    """The definition of a training with a tuned and a fixed hyperparameter."""
    definition = json.loads(json.dumps(DEFINITION))
    best = {"Get": "Steps.Tune.BestTrainingJob.TunedHyperParameters['rate']"}
    definition["Steps"].insert(1, {"Name": "Tune", "Type": "Tuning", "Arguments": {}})
    definition["Steps"][2]["Arguments"]["HyperParameters"] = {"rate": best, "kind": best, "depth": "3"}
    return definition


def test_chosen_hyperparameters_stand_in_for_a_tuning_job():
    facts = {"hyperparameters": {"rate": 0.1, "kind": "10", "depth": 3}}
    found = with_hyperparameters(tuned(), facts)
    assert found["Steps"][2]["Arguments"]["HyperParameters"] == {"rate": "0.1", "kind": '"10"', "depth": "3"}
    assert with_hyperparameters(DEFINITION, None) == DEFINITION


def test_chosen_hyperparameters_that_are_gone_are_named():
    with pytest.raises(CannotRebuild, match="a tuning job chose kind, rate, and the facts of the training job"):
        with_hyperparameters(tuned(), {"threads": 2})


def test_recorded_rows_are_used_unless_they_were_forgotten(session, kept, left_behind):
    source = {"sha256": hashlib.sha256(b"rows").hexdigest(), "size": 4, "version_id": "1"}
    there, gone = (f"{FOLDER}/prepare/test/part-{number}.parquet" for number in (0, 1))
    rows = {f"test/part-{n}.parquet": source | {"source": uri} for n, uri in enumerate((there, gone))}
    kept(without=("test/part-0.parquet",), rows=rows)
    (found,) = find(session, "churn", 7).test
    assert (found.uri, found.evidence) == (there, False)
    assert recorded.read(found) == b"rows"


def test_version_from_before_evidence_is_found_where_it_was_trained(session, left_behind):
    found = find(session, "churn", 7)
    assert found.artifact.uri == f"{FOLDER}/train/model.tar.gz"
    assert found.code.uri == f"s3://{ARTIFACTS}/code.zip"
    assert [each.uri for each in found.test] == [f"{FOLDER}/prepare/test/part-0.parquet"]
    assert (found.report, found.facts) == (REPORT, None)
    assert recorded.read(found.code) == b"zip"


def test_files_that_are_gone_are_named(session, left_behind):
    session.client("sagemaker").execution = False
    with pytest.raises(CannotRebuild, match=r"code and definition .* are gone, and it was registered before evidence"):
        find(session, "churn", 7)


def test_evidence_that_was_deleted_is_named(session, kept):
    kept()
    key = chain.evidence_key("churn", hashlib.sha256(FILES["definition"]).hexdigest())
    session.client("s3").delete_object(Bucket=RECORDS, Key=key)
    with pytest.raises(CannotRebuild, match=f"s3://{RECORDS}/{key} is gone"):
        find(session, "churn", 7)


def test_evidence_that_was_altered_is_named(session, kept):
    kept()
    key = chain.evidence_key("churn", hashlib.sha256(FILES["code"]).hexdigest())
    put(session, RECORDS, key, b"other code")
    with pytest.raises(CannotRebuild, match="was altered: its SHA-256 is"):
        recorded.read(find(session, "churn", 7).code)


def test_altered_record_is_not_used(session, kept):
    kept()
    key = chain.record_key("churn", 1)
    put(session, RECORDS, key, b"{}")
    with pytest.raises(CannotRebuild, match=f"the record of its registration, {key}, is not what was written"):
        find(session, "churn", 7)


def test_unknown_version_lists_nearest_versions(session):
    with pytest.raises(UsageError, match="prod has no version 6 of churn; the nearest are 5, 7"):
        find(session, "churn", 6)


def test_model_that_repository_no_longer_has_is_found_by_records(kept, run, project):
    kept()
    shutil.rmtree(project / "models" / "churn")
    boto3.client("sqs", "eu-west-1").create_queue(QueueName="acme-prod-recorder.fifo", Attributes={"FifoQueue": "true"})
    code, _, err = run("reproduce", "churn@6", "--project", str(project))
    assert (code, "prod has no version 6 of churn; the nearest are 7" in err) == (2, True), err
    assert "there is no model 'chrun'" in run("reproduce", "chrun@6", "--project", str(project))[2]


def test_version_that_cannot_be_trained_again_is_recorded(kept, run, project):
    kept(without=["code"])
    sqs = boto3.client("sqs", "eu-west-1")
    url = sqs.create_queue(QueueName="acme-prod-recorder.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    code, _, err = run("reproduce", "churn@7", "--project", str(project))
    assert (code, "code of its training are gone" in err, "recorded as reproduction" in err) == (2, True, True), err
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    sent = json.loads(message["Body"])
    assert (sent["kind"], sent["version"], sent["facts"]["verdict"]) == ("reproduction", 7, "cannot")


def test_data_of_an_unknown_environment_is_named(session, kept):
    kept()
    found = find(session, "churn", 7)
    assert home_of(session, found) is session
    found.definition["Steps"][0]["Arguments"]["Environment"]["DATA_URI"] = "s3://other/churn"
    with pytest.raises(CannotRebuild, match="its data is in the bucket other, which is of no environment"):
        home_of(session, found)


def test_promoted_version_is_not_trained_on_this_machine(session, kept):
    kept()
    dev = session.project.environment("dev")
    message = "version 7 of churn in prod was promoted and its data is in dev: leave out --l"
    with pytest.raises(UsageError, match=message):
        _train(session, dev, find(session, "churn", 7), print, local=True)


def test_environment_without_recorder_is_refused_first(session):
    with pytest.raises(UsageError, match=r"environment 'prod' has no queue 'acme-prod-recorder.fifo'"):
        recorder(session)


def test_command_without_version_exits_with_two(run, aws, project):
    code, _, err = run("reproduce", "chrun@7", "--env", "prod", "--project", str(project))
    assert (code, "there is no model 'chrun'" in err, "did you mean 'churn'?" in err) == (2, True, True)


def test_mistake_in_configuration_exits_with_two(run, project):
    (project / "factory.yaml").write_text("name: acme\nenvironmnts: []\n")
    code, _, err = run("reproduce", "churn@7", "--project", str(project))
    assert (code, "unknown key 'environmnts'" in err) == (2, True)


def test_python_of_pyenv_is_used_for_its_version(monkeypatch, tmp_path):
    python = tmp_path / "versions" / "3.11.7" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert (interpreter("3.11"), interpreter("3.1")) == (str(python), "3.1")
