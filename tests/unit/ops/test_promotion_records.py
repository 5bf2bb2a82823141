"""A promotion is recorded before the version is registered, which may deploy it."""

import io
import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from model_factory.core.image import default_image_uri
from model_factory.functions.shared.promotion import Target, promote
from model_factory.functions.shared.records import RecorderQueue
from model_factory.ops.delivery.promote import _image

PACKAGE = {
    "ModelPackageArn": "arn:aws:sagemaker:eu-west-1:111111111111:model-package/acme-dev-churn/3",
    "ModelPackageVersion": 3,
    "InferenceSpecification": {"Containers": [{"Image": "i", "ModelDataUrl": "s3://dev/churn/executions/1/model"}]},
}


class Account:
    """S3 and SageMaker of an account; `refuses` is the prefix of keys, or the operation, that is refused."""

    def __init__(self, refuses=""):
        self.refuses, self.objects, self.registered, self.records = refuses, {}, [], []

    def client(self, service):
        return self

    def head_object(self, **_):
        return {"ETag": "1", "ContentLength": 5}

    def get_object(self, **_):
        return {"Body": io.BytesIO(b"model")}

    def get_paginator(self, _):
        return self

    def paginate(self, **_):
        return []

    def put_object(self, *, Key, Body, **_):
        self._check(Key)
        self.objects[Key] = Body

    def create_model_package(self, **request):
        self._check("create_model_package")
        self.registered.append(request)
        return {"ModelPackageArn": "arn"}

    def describe_model_package(self, **_):
        return {"ModelPackageVersion": 1}

    def get_queue_url(self, QueueName):
        return {"QueueUrl": QueueName}

    def send_message(self, QueueUrl, MessageBody, **_):
        self._check(QueueUrl)
        self.records.append(json.loads(MessageBody))

    def _check(self, name):
        if self.refuses and name.startswith(self.refuses):
            error = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
            raise ClientError(error, name)


def run(account):
    queue = RecorderQueue.of(account, "acme-prod")
    target = Target(account, "acme-prod-churn", "s3://prod/churn/", queue, "churn", "Approved")
    return promote(PACKAGE, Account(), "dev", target, by="ada", reason="proven")


def test_registered_version_names_its_record():
    account = Account()
    promoted = run(account)
    (record,) = account.records
    assert (record["kind"], record["model"], record["version"]) == ("promotion", "churn", 3)
    assert (record["by"], record["facts"]["origin"], record["facts"]["registered_in"]) == (
        "ada",
        PACKAGE["ModelPackageArn"],
        "acme-prod-churn",
    )
    assert account.registered[0]["CustomerMetadataProperties"]["promotion_record"] == promoted.record == record["id"]


def test_nothing_is_registered_without_record():
    account = Account(refuses="acme-prod-recorder.fifo")
    with pytest.raises(ClientError):
        run(account)
    assert account.registered == []


def test_refused_registration_is_recorded():
    account = Account(refuses="create_model_package")
    with pytest.raises(ClientError):
        run(account)
    announced, refused = account.records
    assert (refused["facts"]["refused"], refused["kind"]) == (announced["id"], "promotion")


def test_image_of_aws_is_that_of_the_target_region():
    def place(region):
        return SimpleNamespace(environment=SimpleNamespace(region=region))

    source, target = place("eu-west-1"), place("us-east-1")
    for framework in ("scikit-learn", "xgboost"):
        image = default_image_uri("eu-west-1", framework)
        assert _image(image, source, target) == default_image_uri("us-east-1", framework)
    assert _image("111111111111.dkr.ecr.eu-west-1.amazonaws.com/mine:1", source, target) is None
    assert _image(default_image_uri("eu-west-1"), source, place("nowhere")) is None
