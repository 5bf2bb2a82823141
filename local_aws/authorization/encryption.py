"""The key permissions that a call needs because what it touches is encrypted with a customer-managed key.

Sources: "Using server-side encryption with AWS KMS keys" (S3), "Configuring KMS permissions" (SQS), "Configure AWS KMS
permissions" (SNS). Calls with an AWS-managed or no key need nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from local_aws.authorization import arns, resources
from local_aws.authorization.requests import Call

ENCRYPT, DECRYPT = "kms:GenerateDataKey", "kms:Decrypt"
# Parts of an upload are read again when it is completed: the uploader must be able to decrypt, too.
S3_WRITES = {
    "PutObject": [ENCRYPT],
    "CopyObject": [ENCRYPT],
    "CreateMultipartUpload": [ENCRYPT],
    "UploadPart": [ENCRYPT, DECRYPT],
    "UploadPartCopy": [ENCRYPT, DECRYPT],
    "CompleteMultipartUpload": [DECRYPT],
}
S3_READS = {"GetObject", "SelectObjectContent"}
MESSAGES = {
    "SendMessage": [ENCRYPT, DECRYPT],
    "SendMessageBatch": [ENCRYPT, DECRYPT],
    "ReceiveMessage": [DECRYPT],
    "Publish": [ENCRYPT, DECRYPT],
    "PublishBatch": [ENCRYPT, DECRYPT],
}
CONTEXT_KEYS = {"sqs": "aws:sqs:arn", "sns": "aws:sns:topicArn", "s3": "aws:s3:arn"}

KeyNeed = tuple[str, str, dict[str, str | list[str]]]


def needs(call: Call, touched: Iterable[str]) -> Iterator[KeyNeed]:
    """(action, key ARN, condition keys) for each key permission; `touched` are the ARNs that `call` acts on."""
    if call.service == "s3":
        yield from _s3(call)
    elif call.service in ("sqs", "sns"):
        for arn in touched:
            key = resources.queue_or_topic_key(arn) if call.operation in MESSAGES and arn.count(":") >= 5 else None
            for action in MESSAGES[call.operation] if key else ():
                yield action, str(key), _keys(call, arn)


def _s3(call: Call) -> Iterator[KeyNeed]:
    bucket, name = str(call.params.get("Bucket", "")), str(call.params.get("Key", ""))
    if call.operation in S3_WRITES:
        key = _write_key(call, bucket)
        for action in S3_WRITES[call.operation] if key else ():
            yield action, str(key), _keys(call, _s3_context(bucket, name))
    # HeadObject decrypts nothing unless a checksum is requested.
    reads = call.operation in S3_READS or (call.operation == "HeadObject" and call.params.get("ChecksumMode"))
    sources = [(bucket, name, call.params.get("VersionId"))] if reads else []
    copied = arns.copy_source(call)
    for from_bucket, from_name, version in [*sources, *([copied] if copied else [])]:
        key = resources.object_key(from_bucket, from_name, version, call.region)
        if key:
            yield DECRYPT, key, _keys(call, _s3_context(from_bucket, from_name))


def _write_key(call: Call, bucket: str) -> str | None:
    requested_key = call.params.get("SSEKMSKeyId")
    if requested_key:
        return resources.key_arn(str(requested_key), call.account, call.region)
    if call.params.get("ServerSideEncryption") == "AES256":
        return None
    return resources.bucket_key(bucket, call.region)


def _s3_context(bucket: str, name: str) -> str:
    return f"arn:aws:s3:::{bucket}" if resources.uses_bucket_key(bucket) else f"arn:aws:s3:::{bucket}/{name}"


def _keys(call: Call, arn: str) -> dict[str, str | list[str]]:
    name = CONTEXT_KEYS[call.service]
    return {
        "kms:ViaService": f"{call.service}.{call.region}.amazonaws.com",
        f"kms:EncryptionContext:{name}": arn,
        "kms:EncryptionContextKeys": [name],
    }
