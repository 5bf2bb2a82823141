"""Drift: what a template says of a resource against what its service says now, as `cdk drift` shows it."""

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

from ..interfaces import EmbeddedAws
from .messaging import QUEUE_ATTRIBUTES

type Read = Callable[[Any, str], Mapping[str, Any]]


class _GoneError(Exception):
    """The resource does not exist any more."""


def _log_group(logs: Any, name: str) -> Mapping[str, Any]:
    found = [g for g in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"] if g["logGroupName"] == name]
    group = _one(found)
    return {"RetentionInDays": group.get("retentionInDays"), "KmsKeyId": group.get("kmsKeyId")}


def _role(iam: Any, name: str) -> Mapping[str, Any]:
    role = iam.get_role(RoleName=name)["Role"]
    policies = [
        iam.get_role_policy(RoleName=name, PolicyName=p) for p in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    inline = [{"PolicyName": each["PolicyName"], "PolicyDocument": each["PolicyDocument"]} for each in policies]
    return {**role, "Policies": inline}


def _key(kms: Any, key: str) -> Mapping[str, Any]:
    found = kms.describe_key(KeyId=key)["KeyMetadata"]
    if found["KeyState"] == "PendingDeletion":
        raise _GoneError
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    rotates = kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    return {"Description": found["Description"], "KeyPolicy": policy, "EnableKeyRotation": rotates}


def _bucket(s3: Any, bucket: str) -> Mapping[str, Any]:
    s3.head_bucket(Bucket=bucket)
    versioning = s3.get_bucket_versioning(Bucket=bucket).get("Status")
    return {"VersioningConfiguration": {"Status": versioning} if versioning else None}


def _rule(events: Any, name: str) -> Mapping[str, Any]:
    found = events.describe_rule(Name=name)
    pattern = {"EventPattern": json.loads(found["EventPattern"])} if found.get("EventPattern") else {}
    return {**found, **pattern}


def _one(found: list[Any]) -> Any:
    if not found:
        raise _GoneError
    return found[0]


READERS: dict[str, tuple[str, tuple[str, ...], Read]] = {
    "AWS::CloudWatch::Alarm": (
        "cloudwatch",
        (
            "Threshold",
            "EvaluationPeriods",
            "DatapointsToAlarm",
            "Period",
            "MetricName",
            "TreatMissingData",
            "AlarmActions",
        ),
        lambda cloudwatch, name: _one(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]),
    ),
    "AWS::Events::Rule": ("events", ("EventPattern", "ScheduleExpression", "State", "Description"), _rule),
    "AWS::IAM::Role": ("iam", ("AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Policies"), _role),
    "AWS::KMS::Key": ("kms", ("Description", "KeyPolicy", "EnableKeyRotation"), _key),
    "AWS::Lambda::Function": (
        "lambda",
        ("Timeout", "MemorySize", "Handler", "Runtime", "Role", "Environment"),
        lambda client, name: client.get_function_configuration(FunctionName=name),
    ),
    "AWS::Logs::LogGroup": ("logs", ("RetentionInDays", "KmsKeyId"), _log_group),
    "AWS::S3::Bucket": ("s3", ("VersioningConfiguration",), _bucket),
    "AWS::S3::BucketPolicy": (
        "s3",
        ("PolicyDocument",),
        lambda s3, bucket: {"PolicyDocument": json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])},
    ),
    "AWS::Scheduler::Schedule": (
        "scheduler",
        ("ScheduleExpression", "ScheduleExpressionTimezone", "State"),
        lambda scheduler, name: scheduler.get_schedule(Name=name),
    ),
    "AWS::SQS::Queue": (
        "sqs",
        tuple(name for name in QUEUE_ATTRIBUTES if name != "RedrivePolicy"),
        lambda sqs, url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"],
    ),
    "AWS::SSM::Parameter": ("ssm", ("Type", "Value"), lambda ssm, name: ssm.get_parameter(Name=name)["Parameter"]),
}
"""By type: boto3's service, the properties that are compared, and how they are read. Other types are not checked."""


def find_drift(local: EmbeddedAws, stack: Any) -> list[dict[str, Any]]:
    """The checked resources of a stack, as DescribeStackResourceDrifts has them."""
    found: list[dict[str, Any]] = []
    for resource in list(stack.resource_map._parsed_resources.values()):
        kind = getattr(resource, "cf_resource_type", None)
        if kind not in READERS:
            continue
        service, names, read = READERS[kind]
        expected = {name: resource.cfn_properties[name] for name in names if name in resource.cfn_properties}
        entry: dict[str, Any] = {
            "StackId": stack.stack_id,
            "LogicalResourceId": resource.logical_resource_id,
            "PhysicalResourceId": resource.physical_resource_id,
            "ResourceType": kind,
            "ExpectedProperties": json.dumps(expected, default=str),
            "Timestamp": datetime.now(UTC),
        }
        try:
            actual = read(
                local.accounts.client(service, stack.account_id, stack.region_name), resource.physical_resource_id
            )
        except (ClientError, _GoneError):
            found.append({**entry, "StackResourceDriftStatus": "DELETED"})
            continue
        differences = [
            _difference(n, value, actual.get(n)) for n, value in expected.items() if not _same(value, actual.get(n))
        ]
        entry["ActualProperties"] = json.dumps({name: actual.get(name) for name in expected}, default=str)
        status = "MODIFIED" if differences else "IN_SYNC"
        found.append({**entry, "PropertyDifferences": differences, "StackResourceDriftStatus": status})
    return found


def _difference(name: str, expected: Any, actual: Any) -> dict[str, str]:
    kind = "REMOVE" if actual is None else "NOT_EQUAL"
    texts = (value if isinstance(value, str) else json.dumps(value, default=str) for value in (expected, actual))
    return dict(zip(("ExpectedValue", "ActualValue"), texts, strict=True)) | {
        "PropertyPath": f"/{name}",
        "DifferenceType": kind,
    }


def _same(expected: Any, actual: Any) -> bool:
    """Templates and APIs write numbers and booleans as text or not."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(_same(value, actual[key]) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(_same, expected, actual))
    if isinstance(expected, int | float) and not isinstance(expected, bool) and actual is not None:
        return float(expected) == float(actual)
    return str(expected).lower() == str(actual).lower()


def install(local: EmbeddedAws) -> None:
    """Add the operations that moto does not have. Detection is done when it is asked for."""

    def stack_of(response: Any) -> Any:
        return response.cloudformation_backend.get_stack(response._get_param("StackName"))

    detected: dict[str, tuple[Any, list[dict[str, Any]]]] = {}

    def detect_stack_drift(self: Any) -> ActionResult:
        stack, identifier = stack_of(self), str(uuid.uuid4())
        detected[identifier] = (stack, find_drift(local, stack))
        return ActionResult({"StackDriftDetectionId": identifier})

    def describe_stack_drift_detection_status(self: Any) -> ActionResult:
        identifier = self._get_param("StackDriftDetectionId")
        stack, found = detected[identifier]
        count = sum(each["StackResourceDriftStatus"] != "IN_SYNC" for each in found)
        status = {
            "StackId": stack.stack_id,
            "StackDriftDetectionId": identifier,
            "StackDriftStatus": "DRIFTED" if count else "IN_SYNC",
            "DetectionStatus": "DETECTION_COMPLETE",
            "DriftedStackResourceCount": count,
            "Timestamp": datetime.now(UTC),
        }
        return ActionResult(status)

    def describe_stack_resource_drifts(self: Any) -> ActionResult:
        wanted = self._get_param("StackResourceDriftStatusFilters", [])
        found = find_drift(local, stack_of(self))
        kept = [each for each in found if not wanted or each["StackResourceDriftStatus"] in wanted]
        return ActionResult({"StackResourceDrifts": kept})

    for operation in (detect_stack_drift, describe_stack_drift_detection_status, describe_stack_resource_drifts):
        local.replace(CloudFormationResponse, operation.__name__, operation)
