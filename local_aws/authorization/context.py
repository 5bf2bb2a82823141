"""The condition keys of a call: the global ones, and those of each service that policies here may use.

A key that is neither computed nor listed as absent makes the evaluation fail loudly (see `conditions.py`).
Source: IAM user guide, "AWS global condition context keys", and each service's page of the authorization reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from local_aws.authorization import resources
from local_aws.authorization.conditions import Context
from local_aws.authorization.principals import Session
from local_aws.authorization.requests import Call

Value = str | Iterable[str] | None

# Known, and without a value in any call on this machine: no organization, no MFA, no VPC, nothing in between.
ABSENT = frozenset(key.lower() for key in (
    "aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:SourceVpc", "aws:SourceVpce",
    "aws:SourceVpcArn", "aws:VpcSourceIp", "aws:VpceAccount", "aws:VpceOrgID", "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths", "aws:ResourceOrgID", "aws:ResourceOrgPaths", "aws:MultiFactorAuthPresent",
    "aws:MultiFactorAuthAge", "aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:FederatedProvider",
    "aws:SourceIdentity", "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "aws:username", "aws:referer",
    "aws:PrincipalTag/", "aws:RequestTag/", "aws:TagKeys", "aws:userid", "aws:PrincipalArn", "aws:PrincipalAccount",
    "aws:SourceOwner", "aws:ResourceAccount", "aws:ResourceTag/", "iam:ResourceTag/",
    "kms:ViaService", "kms:EncryptionContext:", "kms:EncryptionContextKeys", "kms:GrantIsForAWSResource",
    "kms:GrantOperations", "kms:GranteePrincipal", "kms:GrantConstraintType", "kms:CallerAccount",
    "kms:SigningAlgorithm", "kms:MessageType", "kms:RequestAlias",
    "iam:PassedToService", "iam:AssociatedResourceArn", "iam:AWSServiceName", "sts:ExternalId", "sts:RoleSessionName",
    "s3:prefix", "s3:delimiter", "s3:max-keys", "s3:VersionId", "s3:x-amz-", "s3:object-lock-mode",
    "s3:object-lock-legal-hold",
    "s3:if-none-match", "s3:if-match", "s3:ObjectCreationOperation", "cloudwatch:namespace", "events:source",
    "events:detail-type", "events:eventBusInvocation", "sns:Protocol",
    "sns:Endpoint", "sagemaker:InstanceTypes", "sagemaker:ModelApprovalStatus", "sagemaker:VolumeKmsKey",
    "sagemaker:VolumeKmsKeyArn", "sagemaker:NetworkIsolation", "sagemaker:InterContainerTrafficEncryption",
    "sagemaker:VpcSubnets", "sagemaker:VpcSecurityGroupIds", "sagemaker:MaxRuntimeInSeconds",
    "sagemaker:PipelineVersionId", "sagemaker:TargetModel", "lambda:SourceFunctionArn",
))  # fmt: skip

# Keys whose values are the parameters of that name, wherever in the request they stand.
FROM_PARAMETERS: dict[str, dict[str, str]] = {
    "s3": {"s3:prefix": "Prefix", "s3:delimiter": "Delimiter", "s3:max-keys": "MaxKeys", "s3:VersionId": "VersionId"},
    "iam": {"iam:AWSServiceName": "AWSServiceName"},
    "sts": {"sts:ExternalId": "ExternalId", "sts:RoleSessionName": "RoleSessionName"},
    "cloudwatch": {"cloudwatch:namespace": "Namespace"},
    "events": {"events:source": "Source", "events:detail-type": "DetailType"},
    "application-autoscaling": {
        "application-autoscaling:service-namespace": "ServiceNamespace",
        "application-autoscaling:scalable-dimension": "ScalableDimension",
    },
    "sns": {"sns:Protocol": "Protocol", "sns:Endpoint": "Endpoint"},
    "kms": {
        "kms:GrantOperations": "Operations",
        "kms:GranteePrincipal": "GranteePrincipal",
        "kms:SigningAlgorithm": "SigningAlgorithm",
        "kms:MessageType": "MessageType",
    },
    "sagemaker": {
        "sagemaker:InstanceTypes": "InstanceType",
        "sagemaker:ModelApprovalStatus": "ModelApprovalStatus",
        "sagemaker:VolumeKmsKey": "VolumeKmsKeyId",
        "sagemaker:VolumeKmsKeyArn": "VolumeKmsKeyId",
        "sagemaker:NetworkIsolation": "EnableNetworkIsolation",
        "sagemaker:InterContainerTrafficEncryption": "EnableInterContainerTrafficEncryption",
        "sagemaker:VpcSubnets": "Subnets",
        "sagemaker:VpcSecurityGroupIds": "SecurityGroupIds",
        "sagemaker:MaxRuntimeInSeconds": "MaxRuntimeInSeconds",
        "sagemaker:PipelineVersionId": "PipelineVersionId",
        "sagemaker:TargetModel": "TargetModel",
    },
}
S3_HEADERS = {"x-amz-object-lock-mode": "s3:object-lock-mode", "x-amz-object-lock-legal-hold":
              "s3:object-lock-legal-hold", "if-none-match": "s3:if-none-match", "if-match": "s3:if-match"}  # fmt: skip


# Operations that need s3:PutObject, and whether they create the object.
# Source: S3 user guide, 'Enforce conditional writes on Amazon S3 buckets'.
CREATES_OBJECT = {
    **dict.fromkeys(("PutObject", "CopyObject", "CompleteMultipartUpload"), "true"),
    **dict.fromkeys(("CreateMultipartUpload", "UploadPart", "UploadPartCopy"), "false"),
}


def of_session(session: Session, region: str) -> dict[str, Value]:
    """Keys that describe the caller and the moment.

    Loopback stands for TLS here: `aws:SecureTransport` is true although this machine speaks plain HTTP to itself.
    """
    now = datetime.now(UTC)
    principal = session.principal
    keys: dict[str, Value] = {
        "aws:SecureTransport": "true",
        "aws:SourceIp": "127.0.0.1",
        "aws:UserAgent": "embedded-aws",
        "aws:RequestedRegion": region,
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:ViaAWSService": "false",
        "aws:PrincipalIsAWSService": str(principal.is_service).lower(),
        "aws:PrincipalType": "AWSService" if principal.is_service else "AssumedRole",
    }
    if principal.is_service:
        return keys | {"aws:PrincipalServiceName": principal.arn, "aws:PrincipalServiceNamesList": principal.arn}
    return keys | {
        "aws:PrincipalArn": principal.role_arn or principal.arn,
        "aws:PrincipalAccount": principal.account,
        "aws:SourceOwner": principal.account,
        "aws:userid": session.user_id,
        "kms:CallerAccount": principal.account,
        "lambda:SourceFunctionArn": session.source_function,
        **{f"aws:PrincipalTag/{key}": value for key, value in session.tags.items()},
    }


def of_call(call: Call) -> dict[str, Value]:
    """Keys that the call's parameters and headers hold."""
    keys: dict[str, Value] = {}
    for key, parameter in FROM_PARAMETERS.get(call.prefix, {}).items():
        values = call.named(parameter)
        if values:
            keys[key] = values
    if call.prefix == "s3":
        keys |= {"s3:authType": "REST-HEADER", "s3:signatureversion": "AWS4-HMAC-SHA256", "s3:TlsVersion": "1.3"}
        keys |= {f"s3:{name}": value for name, value in call.headers.items() if name.startswith("x-amz-")}
        keys |= {key: call.headers[name] for name, key in S3_HEADERS.items() if name in call.headers}
        if call.operation in CREATES_OBJECT:
            keys["s3:ObjectCreationOperation"] = CREATES_OBJECT[call.operation]
    if (call.prefix, call.operation) == ("events", "PutEvents"):
        keys["events:eventBusInvocation"] = "false"  # a rule's target is another bus: true
    if call.prefix == "kms":
        context = call.params.get("EncryptionContext") or {}
        keys |= {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
        keys |= {"kms:EncryptionContextKeys": list(context)} if context else {}
        key = str(call.params.get("KeyId", "")).rpartition(":")[2]
        keys |= {"kms:RequestAlias": key} if key.startswith("alias/") else {}
    return keys | _tags(call.params)


def _tags(params: Mapping[str, object]) -> dict[str, Value]:
    tags = params.get("Tags") or params.get("tags") or params.get("TagList")
    if isinstance(tags, Mapping):
        pairs = dict(tags)
    elif isinstance(tags, list):
        pairs = {str(tag.get("Key", tag.get("key"))): str(tag.get("Value", tag.get("value"))) for tag in tags}
    else:
        return {}
    return {**{f"aws:RequestTag/{key}": str(value) for key, value in pairs.items()}, "aws:TagKeys": list(pairs)}


def build(keys: Mapping[str, Value], resource: str) -> Context:
    """The context of one action on `resource`, from all that is known of caller and call."""
    return Context.of({"aws:ResourceAccount": resources.account_of(resource), **keys}, ABSENT)
