"""lambda/shared: names, texts, errors, stacks and executions, without AWS."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from pydantic import TypeAdapter, create_model

from model_factory.functions.shared import (
    clients,
    endpoints,
    errors,
    executions,
    heads,
    leftovers,
    lineage_entities,
    messages,
    names,
    pipelines,
    s3,
    text,
)

from .cloud import refused

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "is_valid"),
    [("a" * 24, True), ("a" * 25, False), ("a", True), ("a-1", True), ("1a", False), ("a-", False), ("a--b", False),
     ("A", False), ("a_b", False), ("", False), ("a\n", False)],
)  # fmt: skip
def test_model_name_has_24_characters(name, is_valid):
    assert names.is_model_name(name) is is_valid


def test_factory_and_environment_are_in_the_prefix_of_parameters():
    assert names.factory_and_environment("/acme/prod/models/") == ("acme", "prod")


@pytest.mark.parametrize(
    ("name", "suffix", "expected"),
    [("acme-prod-churn-drift", "-drift", "churn"), ("acme-prod-churn", "", "churn"), ("acme-prod-churn", "-drift", None),
     ("acme-dev-churn-drift", "-drift", None), ("acme-prod--drift", "-drift", None), ("acme-prod-Churn", "", None)],
)  # fmt: skip
def test_model_is_found_in_the_names_of_its_resources(name, suffix, expected):
    assert messages.Origin("1", "acme-prod").model_in(name, suffix) == expected


def test_invalid_message_names_four_fields_in_one_thousand_characters():
    fields = {name * 300: (int, ...) for name in "abcdef"}
    adapter = TypeAdapter(create_model("Message", **fields))
    with pytest.raises(messages.InvalidMessageError) as error:
        messages.parse_body(adapter, "{}")
    assert len(str(error.value)) == 1000
    short = TypeAdapter(create_model("Message", **dict.fromkeys("abcdef", (int, ...))))
    with pytest.raises(messages.InvalidMessageError, match=r"^a: [^;]+; b: [^;]+; c: [^;]+; d: [^;]+$"):
        messages.parse_body(short, "{}")


@pytest.mark.parametrize("length", [256 * 1024, 256 * 1024 + 1])
def test_body_of_256_kib_is_the_longest(length):
    body = json.dumps("x" * (length - 2))
    if length == 256 * 1024:
        assert len(messages.parse_body(TypeAdapter(str), body)) == length - 2
    else:
        with pytest.raises(messages.InvalidMessageError, match="262145 characters are more than 262144"):
            messages.parse_body(TypeAdapter(str), body)


def test_endpoint_names_and_times():
    assert endpoints.name_stem("a" * 45) == "a" * 45
    assert endpoints.name_stem("a" * 46) == "a" * 45
    assert endpoints.name_stem("a" * 44 + "-b") == "a" * 44
    assert endpoints.deployment_seconds(600.9) == 3600 + 1200 + 60
    assert endpoints.scalable_target("acme-prod-churn") == {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/acme-prod-churn/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


@pytest.mark.parametrize(
    ("message", "is_missing"),
    [("Could not find endpoint", True), ("it does not exist", True), ("Rate exceeded", False)],
)
def test_endpoint_that_does_not_exist_is_none(message, is_missing):
    def describe_endpoint(**_):
        raise refused("ValidationException", message=message)

    sagemaker = SimpleNamespace(describe_endpoint=describe_endpoint)
    if is_missing:
        assert endpoints.describe_endpoint(sagemaker, "e") is None
    else:
        with pytest.raises(ClientError, match=message):
            endpoints.describe_endpoint(sagemaker, "e")
    found = SimpleNamespace(describe_endpoint=lambda EndpointName: {"EndpointName": EndpointName})
    assert endpoints.describe_endpoint(found, "e") == {"EndpointName": "e"}


def test_errors_have_code_and_status():
    assert (errors.error_code(refused("Slow", 503)), errors.error_status(refused("Slow", 503))) == ("Slow", 503)
    found = {code: (errors.is_not_found(refused(code)), errors.is_missing(refused(code))) for code in (
        "ResourceNotFound", "ResourceNotFoundException", "ValidationException", "AccessDenied"
    )}  # fmt: skip
    assert list(found.values()) == [(True, True), (True, True), (False, True), (False, False)]


def test_clients_repeat_failed_calls(monkeypatch):
    assert clients.retries().retries == {"mode": "standard", "max_attempts": 5}
    assert clients.retries(8).retries == {"mode": "standard", "max_attempts": 8}
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    made = clients.client("sts", 7)
    assert made.meta.config.retries == {"mode": "standard", "total_max_attempts": 8}
    assert clients.client("sts", 7) is made
    assert clients.client("sts").meta.config.retries["total_max_attempts"] == 6
    clients.client.cache_clear()


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict"])
def test_write_whose_condition_does_not_hold_writes_nothing(code):
    def write():
        raise refused(code)

    assert s3.was_written(write) is False


def test_write_is_made_once_or_its_error_is_raised():
    assert s3.was_written(lambda: None) is True
    asked = []
    assert s3.put_once(SimpleNamespace(put_object=lambda **r: asked.append(r)), "b", "k", b"1", ContentType="t") is True
    assert asked == [
        {"Bucket": "b", "Key": "k", "Body": b"1", "IfNoneMatch": "*", "ChecksumAlgorithm": "SHA256", "ContentType": "t"}
    ]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.was_written(lambda: (_ for _ in ()).throw(refused("AccessDenied")))


@pytest.mark.parametrize(("answer", "expected"), [({"Contents": [{"Key": "a/b"}]}, True), ({}, False)])
def test_bucket_has_object_when_one_is_listed(answer, expected):
    asked = []
    client = SimpleNamespace(list_objects_v2=lambda **request: asked.append(request) or answer)
    assert s3.has_object(client, "b", "a/") is expected
    assert asked == [{"Bucket": "b", "Prefix": "a/", "MaxKeys": 1}]


def test_gone_objects_and_uris():
    codes = ("NoSuchKey", "NoSuchVersion", "NoSuchBucket", "404", "MethodNotAllowed", "405", "AccessDenied")
    assert [s3.is_gone(refused(code)) for code in codes] == [True] * 6 + [False]
    assert s3.split_uri("s3://bucket/a/b") == ("bucket", "a/b")
    assert s3.split_uri("s3://bucket") == ("bucket", "")


def test_text_is_one_line_of_printable_characters():
    assert text.one_line(" a\n\x00b \u2028c\ud800 ", 10) == "a b c"
    assert text.one_line("abcdef", 3) == "abc"


def test_stacks_of_a_pipeline_have_their_account_and_region():
    deploy = {
        "configuration": {"StackName": "acme-prod-churn"},
        "roleArn": "arn:aws:iam::222:role/x",
        "region": "eu-west-1",
    }
    declaration = {
        "stages": [{"actions": [{"name": "Source"}]}, {"actions": [deploy, {"configuration": {"StackName": "own"}}]}]
    }
    assert pipelines.deployed_stacks(declaration) == {
        "acme-prod-churn": pipelines.Place("222", "eu-west-1"),
        "own": pipelines.Place("", ""),
    }


def test_removed_environments_are_those_without_a_foundation():
    place = pipelines.Place("222", "eu-west-1")
    earlier = dict.fromkeys(("acme-qa-foundation", "acme-qa-churn", "acme-dev-foundation", "acme-dev-old"), place)
    (removed,) = pipelines.removed_environments(earlier, {"acme-dev-foundation": place}, "acme")
    assert removed == pipelines.RemovedEnvironment("qa", place, ("acme-qa-churn", "acme-qa-foundation"))
    alert = leftovers.removed_environment_alert(removed)
    assert (alert.model, alert.cause) == ("", "environment-not-in-commit-qa")
    assert "its stacks stay: acme-qa-churn, acme-qa-foundation." in alert.what
    assert alert.command == "in a checkout of a commit that still has qa in factory.yaml: cdk destroy 'qa/*'"
    alert = leftovers.leftover_alert("old", "prod", "0123456789ab")
    assert (alert.model, alert.cause) == ("old", "model-not-in-commit")
    assert alert.what == "old is deployed in prod, but not in the delivered commit 0123456789ab."
    assert alert.command == "model-factory remove-model old --env prod"


def test_heads_have_the_newest_record_of_each_chain():
    assert (heads.heads_key("2026-11-26"), heads.heads_key("d", "prod/")) == ("_heads/2026-11-26.json", "prod/d.json")
    assert heads.signature_key("_heads/2026-11-26.json") == "_heads/2026-11-26.sig"
    content = heads.document(
        NOON, {"b": heads.Head(2, "0b"), "a": heads.Head(1, "0a")}, factory="acme", environment="prod", key="k",
        previous=("2026-11-23", "0c"),
    )  # fmt: skip
    assert json.loads(content) == {
        "schema": "model-factory/heads/1", "factory": "acme", "environment": "prod", "signed": NOON.isoformat(), "key": "k",
        "algorithm": "ECDSA_SHA_256", "previous": {"date": "2026-11-23", "digest": "0c"},
        "chains": {"a": {"sequence": 1, "digest": "0a"}, "b": {"sequence": 2, "digest": "0b"}},
    }  # fmt: skip


def test_entities_of_models_fit_the_quotas_of_an_account():
    """SageMaker developer guide, 'Manually Create Tracking Entities'."""
    assert lineage_entities.QUOTAS == {"artifacts": 6000, "associations": 6000, "actions": 3000, "contexts": 500}
    assert lineage_entities.most(2) == {"artifacts": 80, "associations": 80, "actions": 20, "contexts": 2}


def test_execution_is_read_from_its_name_and_description():
    summary = {
        "PipelineExecutionArn": "arn",
        "PipelineExecutionStatus": "Stopping",
        "StartTime": NOON,
        "PipelineExecutionDisplayName": "drift-retrain-1a",
        "PipelineExecutionDescription": "why | answers 2b,3c | follow-up manual 4d: later | more",
    }
    found = executions.Execution.of(summary)
    assert (found.arn, found.status, found.started, found.running) == ("arn", "Stopping", NOON, True)
    assert (found.trigger, found.requests) == ("drift", {"1a", "2b", "3c"})
    assert found.description.follow_up == executions.Request("manual", "later | more", ("4d",))
    assert str(found.description) == "why | answers 2b,3c | follow-up manual 4d: later; more"
    studio = executions.Execution.of(
        {**summary, "PipelineExecutionDisplayName": "mine", "PipelineExecutionStatus": "Failed"}
    )
    assert (studio.trigger, studio.requests, studio.running) == ("", frozenset(), False)


def test_longest_description_fits_sagemaker():
    ids = tuple(f"{number:036}" for number in range(20))
    description = executions.Description("r" * 5000, ids, executions.Request("schedule", "s" * 5000, ids))
    assert len(str(description)) <= 3072
    assert len(executions.Description.parse(str(description)).answers) == 12
