"""What drift detection compares, by resource type: the properties, how a service says what they are, and their form.

CloudFormation supports a type whose schema in the registry has a handler that reads it (its user guide, 'Resource type
support': what Cloud Control API can reach). Others, as IAM::Policy, SNS::TopicPolicy and CodeBuild::Project, it does not check.
"""

import json
from collections.abc import Mapping
from typing import Any

from ..chat import CHAT
from .drift_ec2 import EC2_READERS
from .drift_reader import GoneError, Properties, Reader, in_order, one
from .messaging import QUEUE_ATTRIBUTES


def _log_group(logs: Any, name: str) -> Properties:
    found = [g for g in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"] if g["logGroupName"] == name]
    group = one(found)
    return {"RetentionInDays": group.get("retentionInDays"), "KmsKeyId": group.get("kmsKeyId")}


def _role(iam: Any, name: str) -> Properties:
    role = iam.get_role(RoleName=name)["Role"]
    policies = [
        iam.get_role_policy(RoleName=name, PolicyName=p) for p in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    inline = [{"PolicyName": each["PolicyName"], "PolicyDocument": each["PolicyDocument"]} for each in policies]
    return {**role, "Policies": inline}


def _key(kms: Any, key: str) -> Properties:
    found = kms.describe_key(KeyId=key)["KeyMetadata"]
    if found["KeyState"] == "PendingDeletion":
        raise GoneError
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    rotates = kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    return {"Description": found["Description"], "KeyPolicy": policy, "EnableKeyRotation": rotates}


def _alias(kms: Any, name: str) -> Properties:
    return one([each for each in kms.list_aliases()["Aliases"] if each["AliasName"] == name])


def _bucket(s3: Any, bucket: str) -> Properties:
    s3.head_bucket(Bucket=bucket)
    versioning = s3.get_bucket_versioning(Bucket=bucket).get("Status")
    return {"VersioningConfiguration": {"Status": versioning} if versioning else None}


def _rule(events: Any, name: str) -> Properties:
    found = events.describe_rule(Name=name)
    pattern = {"EventPattern": json.loads(found["EventPattern"])} if found.get("EventPattern") else {}
    return {**found, **pattern}


def _mapping(client: Any, identifier: str) -> Properties:
    found = client.get_event_source_mapping(UUID=identifier)
    return {**found, "Enabled": found["State"] not in ("Disabled", "Disabling")}


def _permission(client: Any, identifier: str) -> Properties:
    function, _, sid = identifier.rpartition("|")
    statements = json.loads(client.get_policy(FunctionName=function)["Policy"])["Statement"]
    found = one([each for each in statements if each["Sid"] == sid])
    conditions = {key.lower(): value for each in found.get("Condition", {}).values() for key, value in each.items()}
    principal = found["Principal"]
    return {
        "Action": found["Action"],
        "Principal": next(iter(principal.values())) if isinstance(principal, dict) else principal,
        "SourceArn": conditions.get("aws:sourcearn"),
        "SourceAccount": conditions.get("aws:sourceaccount"),
    }


def _subscription(sns: Any, arn: str) -> Properties:
    found = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    documents = {key: json.loads(found[key]) for key in ("FilterPolicy", "RedrivePolicy") if found.get(key)}
    return {**found, **documents}


def _pipeline(sagemaker: Any, name: str) -> Properties:
    found = sagemaker.describe_pipeline(PipelineName=name)
    return {**found, "PipelineDefinition": {"PipelineDefinitionBody": found["PipelineDefinition"]}}


def _delivery_pipeline(codepipeline: Any, name: str) -> Properties:
    found = codepipeline.get_pipeline(name=name)["pipeline"]
    return {key[0].upper() + key[1:]: value for key, value in found.items()}


def _with_small_keys(value: Any) -> Any:
    """The same value with keys as the API writes them, and numbers and booleans as text."""
    if isinstance(value, Mapping):
        return {key[0].lower() + key[1:]: _with_small_keys(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_small_keys(each) for each in value]
    return str(value).lower() if isinstance(value, bool | int) else value


def _stages(properties: Properties) -> Properties:
    return {**properties, "Stages": _with_small_keys(properties.get("Stages"))}


def _dashboard(properties: Properties) -> Properties:
    body = properties.get("DashboardBody")
    return {"DashboardBody": json.loads(body) if isinstance(body, str) else body}


def _channel(_: Any, arn: str) -> Properties:
    return {"SnsTopicArns": one([each for each in CHAT.report() if each["arn"] == arn])["topics"]}


_CHANNEL = Reader("sns", ("SnsTopicArns",), _channel, in_order("SnsTopicArns"))
READERS: dict[str, Reader] = {
    **EC2_READERS,
    "AWS::Chatbot::MicrosoftTeamsChannelConfiguration": _CHANNEL,
    "AWS::Chatbot::SlackChannelConfiguration": _CHANNEL,
    "AWS::CloudWatch::Alarm": Reader(
        "cloudwatch",
        (
            *("Threshold", "EvaluationPeriods", "DatapointsToAlarm", "Period", "MetricName", "TreatMissingData"),
            "AlarmActions",
        ),
        lambda cloudwatch, name: one(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]),
    ),
    "AWS::CloudWatch::Dashboard": Reader(
        "cloudwatch",
        ("DashboardBody",),
        lambda cloudwatch, name: cloudwatch.get_dashboard(DashboardName=name),
        _dashboard,
    ),
    "AWS::CodePipeline::Pipeline": Reader(
        "codepipeline", ("RoleArn", "Stages", "PipelineType", "ExecutionMode"), _delivery_pipeline, _stages
    ),
    "AWS::Events::Rule": Reader("events", ("EventPattern", "ScheduleExpression", "State", "Description"), _rule),
    "AWS::IAM::Role": Reader(
        "iam", ("AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Policies"), _role
    ),
    "AWS::KMS::Alias": Reader(
        "kms",
        ("TargetKeyId",),
        _alias,
        lambda properties: {"TargetKeyId": properties["TargetKeyId"].rpartition("/")[2]},
    ),
    "AWS::KMS::Key": Reader("kms", ("Description", "KeyPolicy", "EnableKeyRotation"), _key),
    "AWS::Lambda::EventSourceMapping": Reader(
        "lambda",
        ("BatchSize", "Enabled", "EventSourceArn", "FunctionResponseTypes", "ScalingConfig"),
        _mapping,
    ),
    "AWS::Lambda::Function": Reader(
        "lambda",
        ("Timeout", "MemorySize", "Handler", "Runtime", "Role", "Environment"),
        lambda client, name: client.get_function_configuration(FunctionName=name),
    ),
    "AWS::Lambda::Permission": Reader("lambda", ("Action", "Principal", "SourceArn", "SourceAccount"), _permission),
    "AWS::Logs::LogGroup": Reader("logs", ("RetentionInDays", "KmsKeyId"), _log_group),
    "AWS::S3::Bucket": Reader("s3", ("VersioningConfiguration",), _bucket),
    "AWS::S3::BucketPolicy": Reader(
        "s3",
        ("PolicyDocument",),
        lambda s3, bucket: {"PolicyDocument": json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])},
    ),
    "AWS::SNS::Subscription": Reader(
        "sns",
        ("Protocol", "Endpoint", "TopicArn", "RawMessageDelivery", "FilterPolicy", "RedrivePolicy"),
        _subscription,
    ),
    "AWS::SNS::Topic": Reader(
        "sns",
        ("DisplayName", "KmsMasterKeyId"),
        lambda sns, arn: sns.get_topic_attributes(TopicArn=arn)["Attributes"],
    ),
    "AWS::SQS::Queue": Reader(
        "sqs",
        tuple(name for name in QUEUE_ATTRIBUTES if name != "RedrivePolicy"),
        lambda sqs, url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"],
    ),
    "AWS::SSM::Parameter": Reader(
        "ssm", ("Type", "Value"), lambda ssm, name: ssm.get_parameter(Name=name)["Parameter"]
    ),
    "AWS::SageMaker::ModelPackageGroup": Reader(
        "sagemaker",
        ("ModelPackageGroupName", "ModelPackageGroupDescription"),
        lambda sagemaker, arn: sagemaker.describe_model_package_group(ModelPackageGroupName=arn),
    ),
    "AWS::SageMaker::Pipeline": Reader(
        "sagemaker", ("RoleArn", "PipelineDescription", "PipelineDisplayName", "PipelineDefinition"), _pipeline
    ),
    "AWS::Scheduler::Schedule": Reader(
        "scheduler",
        ("ScheduleExpression", "ScheduleExpressionTimezone", "State"),
        lambda scheduler, name: scheduler.get_schedule(Name=name),
    ),
}
"""By type. A test holds the types against the list of those in the templates and their schemas."""
