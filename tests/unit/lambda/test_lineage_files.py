"""Promotion copies the definition and the code of the pipeline that made a version."""

import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

EXECUTION = "arn:aws:sagemaker:eu-west-1:111111111111:pipeline/p/execution/abc"
STEP = {"Arguments": {"ProcessingInputs": [{"InputName": "code", "S3Input": {"S3Uri": "s3://assets/1.zip"}}]}}
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
    def __init__(self, gone=False):
        self.written, self.gone = {}, gone

    def file(self, uri, expected=None, to=""):
        if self.gone:
            raise missing("HeadObject")
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
        "lineage/code.zip": "s3://assets/1.zip",
    }


def test_code_that_is_gone_does_not_stop_promotion(copy_lineage):
    copy = Copy(gone=True)
    copy_lineage(PACKAGE, Source({"Steps": [STEP]}), copy)
    assert list(copy.written) == ["lineage/definition.json"]


def test_execution_that_is_gone_does_not_stop_promotion(copy_lineage):
    copy = Copy()
    copy_lineage(PACKAGE, Source(), copy)
    assert copy.written == {}


def test_promoted_version_is_not_looked_up_in_other_account(copy_lineage):
    copy = Copy()
    metadata = {"pipeline_execution": EXECUTION, "origin": "arn:package/1"}
    copy_lineage(PACKAGE | {"CustomerMetadataProperties": metadata}, Source({"Steps": [STEP]}), copy)
    assert copy.written == {}
