"""The embedded AWS holds every request against the register: boto3 without its own checks gets AWS's code and message."""

import json

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.server import LocalAws

from .test_rules import OPERATIONS, name

REGION = "us-east-1"


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with LocalAws(tmp_path_factory.mktemp("state")) as local:
        iam = local.session(region=REGION).client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=policy)
        yield local


@pytest.fixture(scope="module")
def client(local):
    session = local.session(region=REGION)
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    made = {}

    def client(service):
        if service not in made:
            made[service] = session.client(service, config=config)
        return made[service]

    return client


def refusal(client, service, operation, params):
    with pytest.raises(ClientError) as caught:
        getattr(client(service), xform_name(operation))(**params)
    return caught.value.response["Error"]


def can_be_sent(rule):
    """Whether the refused example is all that the rule depends on: not gigabytes, nor who calls."""
    return rule.sent_refused.get("size", 0) < 10_000_000 and "role" not in rule.sent_refused


@pytest.mark.parametrize("rule", list(filter(can_be_sent, OPERATIONS)), ids=name)
def test_refused_example_is_refused_over_http(local, client, monkeypatch, rule):
    monkeypatch.setattr(local.rules.state, "find", lambda kind, account, region, name: rule.given.get(f"{kind}/{name}"))
    expected = rule.violation(rule.example(rule.refused, **rule.sent_refused))
    error = refusal(client, rule.service, rule.operations[0], rule.refused)
    assert (error["Code"], error["Message"]) == (expected.code, expected.message)


@pytest.mark.parametrize(
    ("service", "operation", "params", "message"),
    [
        (
            "sagemaker",
            "CreateModelPackageGroup",
            {"ModelPackageGroupName": "under_score"},
            "1 validation error detected: Value 'under_score' at 'modelPackageGroupName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            "iam",
            "CreateRole",
            {"RoleName": "a" * 65, "AssumeRolePolicyDocument": "{}"},
            f"1 validation error detected: Value '{'a' * 65}' at 'roleName' failed to satisfy constraint: "
            "Member must have length less than or equal to 64",
        ),
        (
            "scheduler",
            "CreateSchedule",
            {
                "Name": "s",
                "ScheduleExpression": "rate(1 day)",
                "FlexibleTimeWindow": {"Mode": "SOMETIMES"},
                "Target": {
                    "Arn": "arn:aws:sqs:us-east-1:123456789012:q",
                    "RoleArn": "arn:aws:iam::123456789012:role/r",
                },
            },
            "1 validation error detected: Value 'SOMETIMES' at 'flexibleTimeWindow.mode' failed to satisfy constraint: "
            "Member must satisfy enum value set: [OFF, FLEXIBLE]",
        ),
        (
            "sagemaker",
            "CreateEndpoint",
            {},
            "2 validation errors detected: Value null at 'endpointName' failed to satisfy constraint: Member must not be null; "
            "Value null at 'endpointConfigName' failed to satisfy constraint: Member must not be null",
        ),
    ],
)
def test_constraint_of_service_model_is_refused_in_its_words(client, service, operation, params, message):
    error = refusal(client, service, operation, params)
    assert error["Message"] == message
    assert error["Code"] in ("ValidationException", "ValidationError")


def test_request_within_rules_reaches_service(client):
    client("sagemaker").create_model_package_group(ModelPackageGroupName="within")
    groups = client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert "within" in [group["ModelPackageGroupName"] for group in groups]
