"""lambda/shared/promotion.py: copies between two environments in memory, and what the new version says."""

import hashlib
import io
import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError, IncompleteReadError

from model_factory.functions.shared import promotion
from model_factory.functions.shared.records import RecorderQueue

from .cloud import refused

URI = "s3://dev/churn/executions/e1/train/model.tar.gz"
CONTENT = b"the bytes of the model"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Source:
    """Objects with the same content, of which the first reads break off. `reports`: names in the baseline's folder."""

    def __init__(self, broken=0, reports=()):
        self.broken, self.reports, self.requests = broken, reports, []

    def client(self, service):
        return self

    def head_object(self, **_):
        return {"ContentLength": len(CONTENT), "ETag": "e"}

    def get_object(self, **request):
        self.requests.append(request)
        if len(self.requests) <= self.broken:
            raise IncompleteReadError(actual_bytes=1, expected_bytes=2)
        first, last = (int(each) for each in request.get("Range", f"bytes=0-{len(CONTENT)}")[6:].split("-"))
        return {"Body": io.BytesIO(CONTENT[first : last + 1])}

    def get_paginator(self, _):
        def paginate(Bucket, Prefix):
            keys = [f"{Prefix}{name}" for name in self.reports] if "baseline" in Prefix else []
            return [{"Contents": [{"Key": key} for key in keys]}, {}]

        return SimpleNamespace(paginate=paginate)

    def describe_pipeline_definition_for_execution(self, PipelineExecutionArn):
        return {"PipelineDefinition": f'{{"of": "{PipelineExecutionArn}"}}'}


class Target:
    """What is written, registered and sent."""

    def __init__(self, refusal=None):
        self.put, self.parts, self.created, self.sent, self.refusal = [], [], [], [], refusal

    def client(self, service):
        return self

    def put_object(self, **request):
        self.put.append(request)

    def create_multipart_upload(self, **request):
        assert request["ChecksumAlgorithm"] == "SHA256"
        return {"UploadId": "u"}

    def upload_part(self, **request):
        self.parts.append(request)
        return {"ETag": f"e{request['PartNumber']}", "ChecksumSHA256": "c"}

    def complete_multipart_upload(self, **request):
        self.put.append(request)

    def create_model_package(self, **request):
        if self.refusal:
            raise self.refusal
        self.created.append(request)
        return {"ModelPackageArn": "arn/2"}

    def describe_model_package(self, ModelPackageName):
        assert ModelPackageName == "arn/2"
        return {"ModelPackageVersion": 2}

    def send_message(self, **request):
        self.sent.append(json.loads(request["MessageBody"]))


def package(**metadata):
    container = {"Image": "dev/sklearn:1", "ImageDigest": "sha256:1", "ModelDataETag": "e", "ModelDataUrl": URI}
    return {
        "ModelPackageArn": "arn/dev/7",
        "ModelPackageVersion": 7,
        "InferenceSpecification": {"Containers": [container], "SupportedContentTypes": ["text/csv"]},
        "CustomerMetadataProperties": {"artifact_digest": DIGEST, **metadata},
    }


def promote(target, given=None, source=None, image=None, reason="now"):
    queue = RecorderQueue(target, "url")
    to = promotion.Target(target, "group", "s3://prod/churn/", queue, "churn", "PendingManualApproval", image)
    return promotion.promote(given or package(), source or Source(), "dev", to, by="ada", reason=reason)


def test_promoted_version_names_its_origin_record_and_image():
    target = Target()
    promoted = promote(target, package(image="dev/sklearn:1", seed="7"), image="prod/sklearn:1", reason="r" * 2000)
    (request,), (record,) = target.created, target.sent
    assert promoted == promotion.Promoted("arn/dev/7", 2, "PendingManualApproval", DIGEST, record["id"])
    assert (record["kind"], record["version"], record["subject"], record["by"]) == ("promotion", 7, "arn/dev/7", "ada")
    assert request["CustomerMetadataProperties"] == {
        "seed": "7",
        "image": "prod/sklearn:1",
        "origin": "arn/dev/7",
        "artifact_digest": DIGEST,
        "trigger": "promotion",
        "promotion_record": record["id"],
    }
    uri = "s3://prod/churn/executions/promoted-dev-v7/train/model.tar.gz"
    assert request["InferenceSpecification"] == {
        "Containers": [{"Image": "prod/sklearn:1", "ModelDataUrl": uri}],
        "SupportedContentTypes": ["text/csv"],
    }
    assert len(request["ModelPackageDescription"]) == 1024


def test_version_keeps_its_image_where_target_has_none():
    target = Target()
    promote(target)
    (request,) = target.created
    assert request["InferenceSpecification"]["Containers"][0]["Image"] == "dev/sklearn:1"
    assert "image" not in request["CustomerMetadataProperties"]


def test_refused_registration_has_a_second_record():
    target = Target(refused("AccessDenied", 400))
    with pytest.raises(ClientError, match="AccessDenied"):
        promote(target)
    first, second = target.sent
    assert second["facts"]["refused"] == first["id"]
    assert second["facts"]["what"] == "the version was not registered"


@pytest.mark.parametrize(("broken", "reads"), [(0, 1), (2, 3), (3, 3)])
def test_body_that_breaks_off_is_read_three_times(broken, reads):
    source, target = Source(broken), Target()
    if broken == 3:
        with pytest.raises(IncompleteReadError):
            promote(target, source=source)
        assert target.put == []
    else:
        assert promote(target, source=source).artifact_digest == DIGEST
        assert target.put[0]["Body"] == CONTENT
    assert len(source.requests) == reads
    assert source.requests[0]["IfMatch"] == "e", "all reads are of one version of the object"


@pytest.mark.parametrize(("part_bytes", "lengths"), [(len(CONTENT), []), (10, [10, 10, 2]), (11, [11, 11])])
def test_parts_are_copied_without_gap(monkeypatch, part_bytes, lengths):
    monkeypatch.setattr(promotion, "PART_BYTES", part_bytes)
    target = Target()
    assert promote(target).artifact_digest == DIGEST
    assert [len(part["Body"]) for part in target.parts] == lengths
    assert [part["PartNumber"] for part in target.parts] == list(range(1, len(lengths) + 1))
    if lengths:
        assert b"".join(part["Body"] for part in target.parts) == CONTENT
        made = target.put[0]["MultipartUpload"]["Parts"]
        assert made[0] == {"PartNumber": 1, "ETag": "e1", "ChecksumSHA256": "c"}


def test_file_is_copied_once():
    source, target = Source(), Target()
    copy = promotion._Copy(source, target, "s3://prod/churn/executions/x")
    first = copy.file(URI)
    assert copy.file(URI) == first == ("s3://prod/churn/executions/x/train/model.tar.gz", DIGEST)
    assert (len(source.requests), len(target.put)) == (1, 1)
    assert copy.file("s3://dev/own/model.tar.gz")[0] == "s3://prod/churn/executions/x/own/model.tar.gz"


def test_reports_are_copied_with_their_folder_and_the_definition_is_written():
    target = Target()
    report = {"ContentType": "application/json", "S3Uri": "s3://dev/churn/executions/e1/prepare/baseline/a.json"}
    baselines = {"ModelDataQuality": {"Statistics": report, "Constraints": report}}
    source = Source(reports=("a.json", "b.json"))
    promote(target, package(pipeline_execution="arn:e") | {"DriftCheckBaselines": baselines}, source)
    folder = "s3://prod/churn/executions/promoted-dev-v7"
    copied = {"ContentType": "application/json", "S3Uri": f"{folder}/prepare/baseline/a.json"}
    (request,) = target.created
    assert request["DriftCheckBaselines"] == {"ModelDataQuality": {"Statistics": copied, "Constraints": copied}}
    written = {put["Key"].removeprefix("churn/executions/promoted-dev-v7/"): put for put in target.put}
    assert list(written) == [
        "train/model.tar.gz",
        "prepare/baseline/a.json",
        "prepare/baseline/b.json",
        "lineage/definition.json",
    ]
    assert written["lineage/definition.json"]["Body"] == b'{"of": "arn:e"}'
    assert written["lineage/definition.json"]["ChecksumAlgorithm"] == "SHA256"
