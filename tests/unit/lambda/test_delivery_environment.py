"""lambda/delivery: the job, the environments and what is read of them."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from .delivery_stages import Environment, SageMaker, version


def test_version_without_metric_has_its_number(stage):
    assert stage.versions.version_label(version(3, "Approved", CustomerMetadataProperties={})) == "v3"
    assert stage.versions.version_label(None) == "none"


def test_deployed_code_is_that_of_the_first_job_with_it(stage):
    steps = [
        {"Name": "Condition"},
        {"Arguments": {"Environment": {"OTHER": "x"}}},
        {"Arguments": {"Environment": {"CODE_DIGEST": "0a", "IMAGE": "1", "OTHER": "x"}}},
        {"Arguments": {"Environment": {"CODE_DIGEST": "0b"}}},
    ]
    register = {"Type": "RegisterModel", "Arguments": {"CustomerMetadataProperties": {"code_digest": "0c"}}}
    own = [{"Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": [register], "ElseSteps": []}}]
    environment, model = Environment(SageMaker()), {"training_pipeline": "p"}
    for given, expected in (
        (steps, {"code_digest": "0a", "image": "1"}),
        (steps[:2], {}),
        (own, {"code_digest": "0c"}),
    ):
        definition = json.dumps({"Steps": given})
        environment.sagemaker.describe_pipeline = lambda PipelineName, d=definition: {"PipelineDefinition": d}
        assert stage.versions.deployed_code(environment, model) == expected


@pytest.mark.parametrize(("objects", "expected"), [(0, False), (1, True)])
def test_model_has_data_when_an_object_is_listed(stage, objects, expected):
    def list_objects_v2(**request):
        assert request == {"Bucket": "data", "Prefix": "churn/raw/", "MaxKeys": 1}
        return {"Contents": [{}] * objects}

    environment = SimpleNamespace(client=lambda _: SimpleNamespace(list_objects_v2=list_objects_v2))
    assert stage.training._has_data(environment, {"raw_uri": "s3://data/churn/raw/"}) is expected
    assert stage.training._has_data(environment, {"raw_uri": ""}), "a pipeline of its own reads data elsewhere"


def test_job_is_read_from_the_event_of_codepipeline(stage):
    parameters = json.dumps({"task": "report", "environment": "prod", "execution": "e1"})
    location = {"s3Location": {"bucketName": "artifacts", "objectKey": "key"}}
    data = {
        "actionConfiguration": {"configuration": {"UserParameters": parameters}},
        "inputArtifacts": [{"location": location}],
        "artifactCredentials": {"accessKeyId": "id"},
    }
    read = stage.outcome.Job.parse({"CodePipeline.job": {"id": "j", "data": data}})
    assert (read.identifier, read.task, read.environment, read.execution) == ("j", "report", "prod", "e1")
    assert (read.inputs, read.credentials) == ([location["s3Location"]], {"accessKeyId": "id"})
    assert set(read.token) == {"since"}
    assert 0 <= read.waited_seconds < 60
    again = stage.outcome.Job.parse(
        {"CodePipeline.job": {"id": "j", "data": data | {"continuationToken": '{"since": 5, "failures": 1}'}}}
    )
    assert again.token == {"since": 5, "failures": 1}
    assert again.waited_seconds > 1_000_000


@pytest.fixture
def environments(stage):
    """Two environments of the delivery's settings."""
    configs = {
        name: stage.environment.EnvironmentConfig(
            f"acme-{name}", "acme", "1", "eu-west-1", "manual", f"arn:aws:iam::1:role/{name}"
        )
        for name in ("dev", "qa", "prod")
    }
    settings = stage.environment.Settings("acme-delivery", "reports", 2, 60, configs)
    return {name: stage.environment.Environment(settings, name) for name in configs}


def test_environments_are_in_the_order_of_promotion(environments):
    assert environments["dev"].previous is None
    assert environments["prod"].previous.name == "qa"
    assert environments["qa"].previous.name == "dev"
    assert environments["qa"].bucket("records") == "acme-qa-records-1-eu-west-1"


def test_models_of_environment_are_sorted_over_pages(environments, monkeypatch):
    pages = [{"Parameters": [{"Value": '{"model": "b"}'}]}, {"Parameters": [{"Value": '{"model": "a"}'}]}]

    def paginate(Path):
        assert Path == "/acme/qa/models"
        return iter(pages)

    ssm = SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=paginate))
    monkeypatch.setattr(type(environments["qa"]), "client", lambda *_: ssm)
    assert [model["model"] for model in environments["qa"].models()] == ["a", "b"]


@pytest.mark.parametrize(
    ("operation", "expected"), [(None, True), ("AssumeRole", False), ("GetCallerIdentity", ClientError)]
)
def test_environment_exists_when_its_role_can_be_assumed(environments, monkeypatch, operation, expected):
    def get_caller_identity():
        if operation:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)

    sts = SimpleNamespace(get_caller_identity=get_caller_identity)
    monkeypatch.setattr(type(environments["qa"]), "client", lambda *_: sts)
    if expected is ClientError:
        with pytest.raises(ClientError):
            _ = environments["qa"].exists
    else:
        assert environments["qa"].exists is expected


def test_clients_have_the_credentials_of_the_delivery_role(stage, environments, monkeypatch):
    assumed = []

    def assume_role(**request):
        assumed.append(request)
        keys = {"AccessKeyId": "id", "SecretAccessKey": "secret", "SessionToken": "token"}
        return {"Credentials": keys | {"Expiration": datetime(2100, 1, 1, tzinfo=UTC)}}

    monkeypatch.setattr(stage.environment, "client", lambda _: SimpleNamespace(assume_role=assume_role))
    stage.environment._session.cache_clear()
    stage.environment._client.cache_clear()
    made = environments["prod"].client("sqs")
    credentials = made._request_signer._credentials.get_frozen_credentials()
    assert (credentials.access_key, credentials.secret_key, credentials.token) == ("id", "secret", "token")
    assert assumed == [{"RoleArn": "arn:aws:iam::1:role/prod", "RoleSessionName": "delivery"}]
    assert made.meta.region_name == "eu-west-1"
    assert environments["prod"].client("sqs") is made
    stage.environment._session.cache_clear()
    stage.environment._client.cache_clear()


def test_codepipeline_is_called_as_the_function_itself(stage, monkeypatch):
    monkeypatch.setattr(stage.environment, "client", lambda service: f"own client of {service}")
    assert stage.environment.codepipeline() == "own client of codepipeline"


def test_settings_are_those_of_the_stack(stage, monkeypatch):
    names = ("prefix", "factory", "account", "region", "approval", "role")
    given = {"dev": dict.fromkeys(names, "x"), "prod": dict.fromkeys(names, "y")}
    variables = {"PIPELINE": "p", "REPORTS": "r", "PARALLEL": "3", "TIMEOUT_SECONDS": "60"}
    for name, value in {**variables, "ENVIRONMENTS": json.dumps(given)}.items():
        monkeypatch.setenv(name, value)
    settings = stage.environment.Settings.from_environment()
    assert (settings.pipeline, settings.reports_bucket, settings.parallel, settings.timeout_seconds) == (
        "p",
        "r",
        3,
        60,
    )
    assert [(name, config.role) for name, config in settings.environments.items()] == [("dev", "x"), ("prod", "y")]


def test_training_is_requested_in_the_queue_of_its_environment(environments, monkeypatch):
    sent = []
    sqs = SimpleNamespace(
        get_queue_url=lambda QueueName: {"QueueUrl": f"https://{QueueName}"},
        send_message=lambda **request: sent.append(request),
    )
    monkeypatch.setattr(type(environments["qa"]), "client", lambda *_: sqs)
    environments["qa"].request_training("churn", "pushed 1a2b")
    (request,) = sent
    assert (request["QueueUrl"], request["MessageGroupId"]) == ("https://acme-qa-retrain.fifo", "churn")
    assert "pushed 1a2b" in request["MessageBody"]
