"""Properties are held against the schemas of CloudFormation's registry, in CloudFormation's words."""

import json

import pytest
from botocore.exceptions import ClientError

from local_aws.cloudformation.failures import RefusedError
from local_aws.cloudformation.registry import check_properties

DIMENSION = {"Name": "Model", "Value": "churn"}
ALARM = {"ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 1, "MetricName": "Drift"}
POLICY = {"PolicyDocument": {}, "Queues": ["https://sqs"]}
TARGET = {"Arn": "arn:aws:sqs:eu-west-1:123456789012:jobs", "RoleArn": "arn:aws:iam::123456789012:role/jobs"}
SCHEDULE = {"FlexibleTimeWindow": {"Mode": "OFF"}, "ScheduleExpression": "rate(1 day)", "Target": TARGET}
ROLE = {"AssumeRolePolicyDocument": {}, "MaxSessionDuration": 3600}
EXAMPLES = [
    ("SQS::Queue", {"DelaySeconds": 900}, {"Delay": 900}, "#: extraneous key [Delay] is not permitted"),
    ("SQS::Queue", {"DelaySeconds": "900"}, {"DelaySeconds": 901}, "#/DelaySeconds: 901 is not less or equal to 900"),
    ("SQS::Queue", {"DelaySeconds": 0}, {"DelaySeconds": -1}, "#/DelaySeconds: -1 is not greater or equal to 0"),
    ("SQS::QueuePolicy", POLICY, {"PolicyDocument": {}}, "#: required key [Queues] not found"),
    ("SQS::QueuePolicy", POLICY, POLICY | {"Queues": "x"}, "#/Queues: expected type: JSONArray, found: String"),
    ("CloudWatch::Alarm", ALARM, ALARM | {"Period": "often"}, "#/Period: expected type: Integer, found: String"),
    ("CloudWatch::Alarm", ALARM, ALARM | {"ActionsEnabled": 2}, "#/ActionsEnabled: expected type: Boolean, found: Integer"),
    ("CloudWatch::Alarm", ALARM, ALARM | {"Dimensions": [{"Name": "a"}]}, "#/Dimensions/0: required key [Value] not found"),
    ("CloudWatch::Alarm", ALARM, ALARM | {"OKActions": [*"abcdef"]}, "#/OKActions: expected maximum item count: 5, found: 6"),
    ("KMS::Key", {"PendingWindowInDays": 7}, {"KeySpec": "AES"}, "#/KeySpec: AES is not a valid enum value"),
    ("Scheduler::Schedule", SCHEDULE, SCHEDULE | {"Name": "/"}, "#/Name: string [/] does not match pattern ^[0-9a-zA-Z-_.]+$"),
    ("Scheduler::Schedule", SCHEDULE, SCHEDULE | {"Name": "a" * 65}, "#/Name: expected maxLength: 64, actual: 65"),
    ("Logs::LogGroup", {"RetentionInDays": 365}, {"RetentionInDays": 9}, "#/RetentionInDays: 9 is not a valid enum value"),
    ("IAM::Role", ROLE, {}, "#: required key [AssumeRolePolicyDocument] not found"),
]  # fmt: skip


@pytest.mark.parametrize(("resource_type", "accepted", "refused", "reason"), EXAMPLES)
def test_properties_must_fit_schema(resource_type, accepted, refused, reason):
    check_properties("It", f"AWS::{resource_type}", accepted, "eu-west-1")
    with pytest.raises(RefusedError) as caught:
        check_properties("It", f"AWS::{resource_type}", refused, "eu-west-1")
    assert str(caught.value) == f"Properties validation failed for resource It with message: [{reason}]"


def test_read_only_property_is_refused():
    with pytest.raises(RefusedError, match="Encountered unsupported property Arn"):
        check_properties("It", "AWS::SQS::Queue", {"Arn": "arn:aws:sqs:eu-west-1:123456789012:it"}, "eu-west-1")


def test_type_without_schema_is_not_checked():
    check_properties("It", "Custom::Anything", {"ServiceToken": "arn", "Whatever": []}, "eu-west-1")


@pytest.fixture
def failure(client):
    """Creates a stack with one resource by a change set; the reason of the resource's failure."""
    cloudformation = client("cloudformation")

    def reason(stack: str, kind: str = "AWS::SQS::Queue", **properties: object) -> str:
        body = json.dumps({"Resources": {"Queue": {"Type": kind, "Properties": properties}}})
        made = cloudformation.create_change_set(
            StackName=stack, ChangeSetName="change", ChangeSetType="CREATE", TemplateBody=body
        )
        cloudformation.execute_change_set(ChangeSetName=made["Id"])
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        (failed,) = [e["ResourceStatusReason"] for e in events if e["ResourceStatus"] == "CREATE_FAILED"]
        return failed

    return reason


def test_invalid_property_fails_stack_with_words_of_cloudformation(failure):
    message = "[#/DelaySeconds: 901 is not less or equal to 900]"
    assert failure("delayed", DelaySeconds=901) == (
        f"Properties validation failed for resource Queue with message: {message}"
    )


def test_broken_rule_fails_stack_with_words_of_service(failure):
    dead = "arn:aws:sqs:eu-west-1:123456789012:gone"
    reason = failure("without-dead-letters", RedrivePolicy={"deadLetterTargetArn": dead, "maxReceiveCount": 3})
    assert reason.startswith('Resource handler returned message: "Value {"deadLetterTargetArn":')
    assert reason.endswith('for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist."')


def test_service_token_of_other_region_fails_custom_resource(failure):
    token = "arn:aws:lambda:us-east-1:123456789012:function:cleanup"
    reason = failure("custom", "Custom::Cleanup", ServiceToken=token, EndpointName="any")
    assert reason == 'Resource handler returned message: "Invalid ServiceToken: it must be in the Region of the stack."'


def test_invalid_template_is_refused_before_stack_exists(client):
    cloudformation = client("cloudformation")
    body = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Cue"}}})
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        cloudformation.create_change_set(
            StackName="unknown", ChangeSetName="change", ChangeSetType="CREATE", TemplateBody=body
        )
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName="unknown")
