"""S3 buckets with all supported properties, bucket policies, and SSM parameters."""

import json
import re
from collections.abc import Callable
from typing import Any

from moto.s3.models import s3_backends

from .resource_types import Context, Physical, Properties, ResourceType, found, put_again, refuse_unknown, request

_OWN_TAGS = "aws:cloudformation:"
"""Beginning of the tags that CloudFormation gives to the resources of a stack."""


def _create_bucket(s3: Any, properties: Properties, context: Context) -> Physical:
    name = properties.get("BucketName") or context.name.lower()
    location = {} if context.region == "us-east-1" else {"LocationConstraint": context.region}
    lock = bool(properties.get("ObjectLockEnabled"))
    request: dict[str, Any] = {"Bucket": name, "ObjectLockEnabledForBucket": lock}
    if location:
        request["CreateBucketConfiguration"] = location
    s3.create_bucket(**request)
    _configure(s3, name, properties, context)
    return Physical(
        name,
        {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{context.region}.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{context.region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website-{context.region}.amazonaws.com",
        },
    )


def _update_bucket(s3: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    _configure(s3, physical.identifier, properties, context)
    for name in context.removed(properties):
        if name not in _REMOVALS:
            raise ValueError(f"AWS::S3::Bucket: the embedded AWS cannot remove {name}")
        _REMOVALS[name](s3, physical.identifier)
    return physical


def _configure(s3: Any, bucket: str, properties: Properties, context: Context) -> None:
    known = set(_SETTINGS) | {"BucketName", "ObjectLockEnabled", "Tags"}
    refuse_unknown("AWS::S3::Bucket", properties, known)
    for name, apply in _SETTINGS.items():
        if name in properties:
            apply(s3, bucket, properties[name])
    _tag(bucket, properties.get("Tags", []), context)


def _tag(bucket: str, tags: list[dict[str, str]], context: Context) -> None:
    """Give a bucket its tags, and those of CloudFormation, which an update keeps ('CloudFormation resource tagging').

    S3 refuses a request with such tags, so that none is made.
    """
    partition, account = s3_backends.bucket_accounts[bucket]
    backend: Any = s3_backends[account][partition]
    present = backend.tagger.get_tag_dict_for_resource(backend.get_bucket(bucket).arn)
    own = {key: value for key, value in present.items() if key.startswith(_OWN_TAGS)}
    if context.stack:
        name = context.stack.split("/")[1]
        values = {"stack-id": context.stack, "stack-name": name, "logical-id": context.logical_id}
        own = {f"{_OWN_TAGS}{key}": value for key, value in values.items()}
    backend.put_bucket_tagging(bucket, {tag["Key"]: tag["Value"] for tag in tags} | own)


def _encryption(s3: Any, bucket: str, value: Properties) -> None:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": str(rule.get("BucketKeyEnabled", False)).lower() == "true",
        }
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


def _lifecycle(s3: Any, bucket: str, value: Properties) -> None:
    rules = []
    for number, rule in enumerate(value["Rules"]):
        made: dict[str, Any] = {
            "ID": rule.get("Id", f"rule-{number}"),
            "Status": rule["Status"],
            "Filter": {"Prefix": rule.get("Prefix", "")},
        }
        if "ExpirationInDays" in rule:
            made["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
        if "NoncurrentVersionExpiration" in rule:
            days = int(rule["NoncurrentVersionExpiration"]["NoncurrentDays"])
            made["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
        if "AbortIncompleteMultipartUpload" in rule:
            days = int(rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
            made["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
        if "Transitions" in rule:
            made["Transitions"] = [
                {"Days": int(t["TransitionInDays"]), "StorageClass": t["StorageClass"]} for t in rule["Transitions"]
            ]
        rules.append(made)
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})


def _logging(s3: Any, bucket: str, value: Properties) -> None:
    target = {"TargetBucket": value["DestinationBucketName"], "TargetPrefix": value.get("LogFilePrefix", "")}
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": target})


def _object_lock(s3: Any, bucket: str, value: Properties) -> None:
    made: dict[str, Any] = {"ObjectLockEnabled": value.get("ObjectLockEnabled", "Enabled")}
    if "Rule" in value:
        retention = value["Rule"]["DefaultRetention"]
        made["Rule"] = {"DefaultRetention": {k: int(v) if k in ("Days", "Years") else v for k, v in retention.items()}}
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=made)


def _public_access(s3: Any, bucket: str, value: Properties) -> None:
    blocked = {key: str(item).lower() == "true" for key, item in value.items()}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocked)


def _eventbridge(s3: Any, bucket: str, value: Properties) -> None:
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"EventBridgeConfiguration": {}} if "EventBridgeConfiguration" in value else {},
    )


_SETTINGS = {
    "AccessControl": lambda s3, bucket, value: s3.put_bucket_acl(
        Bucket=bucket, ACL=re.sub(r"(?<!^)(?=[A-Z])", "-", value).lower()
    ),
    "VersioningConfiguration": lambda s3, bucket, value: s3.put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration=value
    ),
    "BucketEncryption": _encryption,
    "LifecycleConfiguration": _lifecycle,
    "LoggingConfiguration": _logging,
    "ObjectLockConfiguration": _object_lock,
    "PublicAccessBlockConfiguration": _public_access,
    "OwnershipControls": lambda s3, bucket, value: s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": value["Rules"]}
    ),
    "NotificationConfiguration": _eventbridge,
}


_REMOVALS: dict[str, Callable[[Any, str], Any]] = {
    "BucketEncryption": lambda s3, bucket: s3.delete_bucket_encryption(Bucket=bucket),
    "LifecycleConfiguration": lambda s3, bucket: s3.delete_bucket_lifecycle(Bucket=bucket),
    "LoggingConfiguration": lambda s3, bucket: s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={}),
    "NotificationConfiguration": lambda s3, bucket: _eventbridge(s3, bucket, {}),
    "OwnershipControls": lambda s3, bucket: s3.delete_bucket_ownership_controls(Bucket=bucket),
    "PublicAccessBlockConfiguration": lambda s3, bucket: s3.delete_public_access_block(Bucket=bucket),
    "Tags": lambda s3, bucket: s3.delete_bucket_tagging(Bucket=bucket),
    "VersioningConfiguration": lambda s3, bucket: s3.put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}
    ),
}


def _put_policy(s3: Any, properties: Properties, context: Context) -> Physical:
    bucket = properties["Bucket"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(properties["PolicyDocument"]))
    return Physical(bucket)


def _put_parameter(ssm: Any, properties: Properties, context: Context) -> Physical:
    name = properties.get("Name") or context.name
    tags = properties.get("Tags") or {}
    ssm.put_parameter(**request("ssm", "PutParameter", {**properties, "Name": name}, ignore=("Tags",)), Overwrite=True)
    if tags:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=listed)
    return Physical(name, {"Type": properties["Type"], "Value": properties["Value"]})


TYPES = [
    ResourceType(
        "AWS::SSM::Parameter",
        "ssm",
        _put_parameter,
        lambda ssm, physical: ssm.delete_parameter(Name=physical.identifier),
        put_again(_put_parameter),
        "Name",
        lambda ssm, name: found(ssm.get_parameter, Name=name),
    ),
    ResourceType(
        "AWS::S3::Bucket",
        "s3",
        _create_bucket,
        lambda s3, physical: s3.delete_bucket(Bucket=physical.identifier),
        _update_bucket,
        "BucketName",
        lambda s3, name: found(s3.head_bucket, Bucket=name),
    ),
    ResourceType(
        "AWS::S3::BucketPolicy",
        "s3",
        _put_policy,
        lambda s3, physical: s3.delete_bucket_policy(Bucket=physical.identifier),
        put_again(_put_policy),
    ),
]
