"""The live version: which endpoint, model and package it is found by, and what is read of it."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from jobs.columns import Column
from jobs.failures import JobFailure
from jobs.monitoring import live_version
from jobs.monitoring.live_version import LiveVersion

from ..conftest import BUCKET
from .conftest import URI
from .live_traffic import COLUMNS, live_version_of

CREATED = datetime(2026, 11, 25, 3, tzinfo=UTC)
DEPLOYED, MODIFIED = CREATED + timedelta(hours=1), CREATED + timedelta(hours=2)


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Describe")


class SageMaker:
    """An endpoint `sales` that serves version 3, and the versions of its group."""

    def __init__(self) -> None:
        self.endpoint = {"EndpointStatus": "InService", "EndpointConfigName": "config", "LastModifiedTime": MODIFIED}
        self.approved: list[int] = []
        self.package: dict = {"CreationTime": CREATED}
        self.error: ClientError | None = None

    def describe_endpoint(self, EndpointName):
        assert EndpointName == "sales"
        if self.error:
            raise self.error
        return self.endpoint

    def describe_endpoint_config(self, EndpointConfigName):
        assert EndpointConfigName == "config"
        return {"ProductionVariants": [{"ModelName": "sales-3"}]}

    def describe_model(self, ModelName):
        assert ModelName == "sales-3"
        return {"CreationTime": DEPLOYED, "PrimaryContainer": {"ModelPackageName": "arn/sales/3"}}

    def describe_model_package(self, ModelPackageName):
        if self.error:
            raise self.error
        version = int(ModelPackageName.removeprefix("arn/sales/"))
        kinds = {
            kind: {"Statistics": {"S3Uri": f"{URI}/{version}/{folder}/statistics.json"}}
            for kind, folder in (("ModelDataQuality", "data"), ("ModelQuality", "quality"))
        }
        names = {"ModelPackageVersion": version, "ModelPackageArn": ModelPackageName}
        return {"DriftCheckBaselines": kinds} | names | self.package

    def list_model_packages(self, **request):
        assert request == {
            "ModelPackageGroupName": "sales", "ModelApprovalStatus": "Approved", "SortBy": "CreationTime",
            "SortOrder": "Descending", "MaxResults": 10,
        }  # fmt: skip
        versions = [{"ModelPackageVersion": each, "ModelPackageArn": f"arn/sales/{each}"} for each in self.approved]
        return {"ModelPackageSummaryList": versions}


@pytest.fixture
def sagemaker(s3, monkeypatch):
    found, client = SageMaker(), live_version.s3.client
    monkeypatch.setattr(live_version.s3, "client", lambda name="s3": found if name == "sagemaker" else client(name))
    return found


@pytest.fixture
def registered(s3, records):
    """Writes the baselines of a version; what is read of it."""

    def write(version: int, sample: bool = True) -> LiveVersion:
        live = live_version_of(records(300), np.linspace(0, 1, 300), version, evaluation={"classes": [0, 1]})
        declared = [{"name": "x", "type": "number"}, {"name": "colour", "type": "string"}]
        files = {
            "data/profile.json": live.baseline.to_dict(),
            "data/columns.json": {"columns": declared},
            "quality/score_profile.json": live.score_baseline.to_dict(),
            "quality/importance.json": live.importance,
            "quality/evaluation.json": live.evaluation,
        }
        for name, content in files.items():
            s3.put_object(Bucket=BUCKET, Key=f"sales/{version}/{name}", Body=json.dumps(content).encode())
        if sample:
            body = io.BytesIO()
            pq.write_table(live.sample, body)
            s3.put_object(Bucket=BUCKET, Key=f"sales/{version}/data/sample.parquet", Body=body.getvalue())
        return replace(live, trained=CREATED, deployed=DEPLOYED, arn=f"arn/sales/{version}")

    return write


def same(left: LiveVersion, right: LiveVersion) -> bool:
    tables = [each.sample and each.sample.num_rows for each in (left, right)]
    return tables[0] == tables[1] and replace(left, sample=None) == replace(right, sample=None)


def test_version_of_the_endpoint_is_read_with_its_baselines(sagemaker, registered):
    live = registered(3)
    assert same(live_version.find("sales"), replace(live, settled=MODIFIED))
    assert live_version.find("sales").columns == COLUMNS == [Column("x", "number"), Column("colour")]


def test_endpoint_that_is_being_updated_is_changing(sagemaker, registered):
    registered(3, sample=False)
    sagemaker.endpoint["EndpointStatus"] = "Updating"
    found = live_version.find("sales")
    assert (found.settled, found.changing_since, found.sample) == (MODIFIED, MODIFIED, None)


@pytest.mark.parametrize("code", ["ValidationException", "ResourceNotFound"])
def test_endpoint_that_does_not_exist_has_no_version(sagemaker, code):
    sagemaker.error = refused(code)
    assert live_version.find("sales") is None


def test_endpoint_that_may_not_be_read_fails_the_job(sagemaker):
    sagemaker.error = refused("AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        live_version.find("sales")


def test_failed_endpoint_without_reason_fails_the_job(sagemaker):
    sagemaker.endpoint["EndpointStatus"] = "Failed"
    with pytest.raises(JobFailure, match="the endpoint sales has failed: without a reason"):
        live_version.find("sales")


def test_newest_approved_version_is_live_in_batches(sagemaker, registered):
    assert live_version.approved("sales") is None
    assert live_version.newest_approved("sales") is None
    live = registered(10)
    sagemaker.approved = [9, 10, 2]
    assert live_version.newest_approved("sales") == 10
    assert same(live_version.approved("sales"), replace(live, deployed=CREATED))
    sagemaker.package["LastModifiedTime"] = MODIFIED
    assert same(live_version.approved("sales"), replace(live, deployed=MODIFIED))


def test_scores_of_another_version_of_the_group_are_its_baseline(sagemaker, registered):
    live = registered(2)
    assert live_version.score_baseline("arn/sales/3", 2) == live.score_baseline
    sagemaker.package["DriftCheckBaselines"] = {}
    assert live_version.score_baseline("arn/sales/3", 2) is None


def test_version_without_scores_has_no_baseline(sagemaker, s3):
    """Its file is not there, or it was deleted."""
    assert live_version.score_baseline("arn/sales/3", 2) is None
    for code in ("ValidationException", "ResourceNotFound"):
        sagemaker.error = refused(code)
        assert live_version.score_baseline("arn/sales/3", 2) is None
    sagemaker.error = refused("AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        live_version.score_baseline("arn/sales/3", 2)


@pytest.mark.parametrize(
    ("evaluation", "classes", "width"),
    [
        ({}, None, 1),
        ({"problem": "binary_classification", "classes": [0, 1]}, [0, 1], 1),
        ({"problem": "regression", "classes": None}, None, 1),
        ({"problem": "multiclass_classification", "classes": ["a", "b", "c"]}, ["a", "b", "c"], 3),
        ({"problem": "multiclass_classification"}, None, 1),
    ],
)
def test_multiclass_version_has_a_score_for_each_class(records, evaluation, classes, width):
    live = live_version_of(records(50), np.zeros(50), evaluation=evaluation)
    assert (live.classes, live.width) == (classes, width)


def test_hours_since_training_are_those_since_registration(records):
    live = replace(live_version_of(records(50), np.zeros(50)), trained=datetime.now(UTC) - timedelta(hours=30))
    assert live.hours_since_training == pytest.approx(30, abs=0.01)
