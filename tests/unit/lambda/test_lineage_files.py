"""Promotion copies the definition and the code of the pipeline that made a version."""

import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

ZIP, EVIDENCE = "s3://assets/1.zip", "s3://records/sales/evidence"
EXECUTION = "arn:aws:sagemaker:eu-west-1:111111111111:pipeline/p/execution/abc"
STEP = {"Arguments": {"ProcessingInputs": [{"InputName": "code", "S3Input": {"S3Uri": ZIP}}]}}
PACKAGE = {
    "InferenceSpecification": {
        "Containers": [{"ModelDataUrl": "s3://artifacts/sales/executions/abc/train/model.tar.gz"}]
    },
    "CustomerMetadataProperties": {"pipeline_execution": EXECUTION},
}


def missing(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "ResourceNotFound" if operation == "Describe" else "404"}}, operation)


class Source:
    """An environment with one execution and no files."""

    def __init__(self, definition=None):
        self.definition = definition

    def client(self, service):
        pages = SimpleNamespace(paginate=lambda **_: [{}])
        return SimpleNamespace(get_paginator=lambda _: pages, describe_pipeline_definition_for_execution=self._describe)

    def _describe(self, **request):
        assert request == {"PipelineExecutionArn": EXECUTION}
        if self.definition is None:
            raise missing("Describe")
        return {"PipelineDefinition": json.dumps(self.definition)}


class Copy:
    """`gone`: URIs of objects that do not exist; `others`: of those that have another SHA-256."""

    def __init__(self, gone=(), others=(), digest_error=None):
        self.written, self.gone, self.others, self.digest_error = {}, gone, others, digest_error

    def file(self, uri, expected=None, to=""):
        if uri in self.gone:
            raise missing("HeadObject")
        if uri in self.others and expected:
            raise self.digest_error("0")
        self.written[to] = uri
        return to, "digest"

    def write(self, path, content):
        self.written[path] = content.decode()


@pytest.fixture
def copy_lineage(modules):
    return modules("delivery", "shared.lineage_files")["shared.lineage_files"].copy_lineage


def test_definition_and_code_are_copied(copy_lineage):
    copy, definition = Copy(), {"Steps": [STEP]}
    assert copy_lineage(PACKAGE, Source(definition), copy) == {}
    assert copy.written == {
        "lineage/definition.json": json.dumps(definition),
        "lineage/code.zip": ZIP,
    }


def test_code_that_is_gone_does_not_stop_promotion(copy_lineage):
    copy = Copy(gone=(ZIP,))
    copy_lineage(PACKAGE, Source({"Steps": [STEP]}), copy)
    assert list(copy.written) == ["lineage/definition.json"]


@pytest.mark.parametrize("fault", ["gone", "others"])
def test_code_is_copied_from_evidence_when_it_is_gone_or_altered(modules, copy_lineage, fault):
    error = modules("delivery", "shared.lineage_files")["shared.lineage_files"].DigestError
    copy, metadata = Copy(**{fault: (ZIP,)}, digest_error=error), PACKAGE["CustomerMetadataProperties"]
    package = PACKAGE | {"CustomerMetadataProperties": metadata | {"code_digest": "abc"}}
    copy_lineage(package, Source({"Steps": [STEP]}), copy, EVIDENCE)
    assert copy.written["lineage/code.zip"] == f"{EVIDENCE}/abc"


def test_execution_that_is_gone_does_not_stop_promotion(copy_lineage):
    copy = Copy()
    copy_lineage(PACKAGE, Source(), copy)
    assert copy.written == {}


def test_promoted_version_is_not_looked_up_in_other_account(copy_lineage):
    copy = Copy()
    metadata = {"pipeline_execution": EXECUTION, "origin": "arn:package/1"}
    copy_lineage(PACKAGE | {"CustomerMetadataProperties": metadata}, Source({"Steps": [STEP]}), copy)
    assert copy.written == {}


def test_version_outside_of_an_execution_has_no_files(copy_lineage):
    container = {"ModelDataUrl": "s3://artifacts/own/model.tar.gz"}
    assert copy_lineage({"InferenceSpecification": {"Containers": [container]}}, None, None) == {}


def test_refused_reading_stops_promotion(copy_lineage):
    error = ClientError({"Error": {"Code": "AccessDenied"}}, "Describe")

    def refuses(*_, **__):
        raise error

    source = Source({"Steps": [STEP]})
    source._describe = refuses
    with pytest.raises(ClientError, match="AccessDenied"):
        copy_lineage(PACKAGE, source, Copy())
    copy = Copy()
    copy.file = refuses
    with pytest.raises(ClientError, match="AccessDenied"):
        copy_lineage(PACKAGE, Source({"Steps": [STEP]}), copy)


@pytest.mark.parametrize(
    ("definition", "uri"),
    [
        ({"Steps": [{"Arguments": {}}, STEP]}, ZIP),
        (
            {"Steps": [{"Arguments": {"ProcessingInputs": [{"InputName": "data", "S3Input": {"S3Uri": "s3://d"}}]}}]},
            None,
        ),
        (
            {
                "Steps": [
                    {"Arguments": {"ProcessingInputs": [{"InputName": "code", "S3Input": {"S3Uri": {"Get": "x"}}}]}}
                ]
            },
            None,
        ),
        (
            {"Parameters": [{"Name": "ModelFactoryCode", "DefaultValue": "s3://own.zip"}], "Steps": [STEP]},
            "s3://own.zip",
        ),
        ({"Parameters": [{"Name": "Other", "DefaultValue": "x"}], "Steps": [STEP]}, ZIP),
        ({}, None),
    ],
)
def test_code_is_the_input_of_the_first_job_or_named_by_a_parameter(modules, definition, uri):
    assert modules("delivery", "shared.lineage_files")["shared.lineage_files"].code_uri(definition) == uri


def test_only_output_of_the_training_is_copied_of_its_folder(modules):
    files = {
        "prepare/report/": ["prepare/report/manifest.json"],
        "train/": ["train/job/output/model.tar.gz", "train/job/output/output.tar.gz", "train/log.txt"],
    }

    def paginate(Bucket, Prefix):
        assert (Bucket, Prefix.startswith("e/")) == ("b", True)
        return [{"Contents": [{"Key": f"e/{path}"} for path in files.get(Prefix.removeprefix("e/"), [])]}, {}]

    s3 = SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=paginate))
    found = modules("delivery", "shared.lineage_files")["shared.lineage_files"]._files(s3, "s3://b/e/")
    assert list(found) == ["prepare/report/manifest.json", "train/job/output/output.tar.gz"]
