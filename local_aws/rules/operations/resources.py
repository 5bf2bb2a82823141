"""Resources that requests name: buckets, queues, log groups and executions."""

from datetime import UTC, datetime
from typing import Any

from ..checks import absent, existing, first, found, together
from ..rule import Check, Entry, Request, Values, table
from .metrics import timestamp
from .queues import FIFO, GIVEN, STANDARD, batch, to

s3 = table("s3", "InvalidRequest", "S3 API reference: PutObject")
sqs = table("sqs", "AWS.SimpleQueueService.NonExistentQueue", "SQS API reference: SendMessage")
logs = table("logs", "ResourceNotFoundException", "CloudWatch Logs API reference: PutLogEvents")
cloudwatch = table("cloudwatch", "ValidationError", "CloudWatch API reference: DescribeAlarms")
sagemaker = table("sagemaker", "ResourceNotFound", "SageMaker API reference: DescribePipelineExecution")

BUCKETS = {
    "bucket/locked": {"ObjectLock": True, "Ownership": "BucketOwnerEnforced"},
    "bucket/plain": {"ObjectLock": False, "Ownership": "BucketOwnerEnforced"},
}
GROUPS = {"log-group/g": {}, "log-stream/g:s": {}}
EXECUTION = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p/execution/{}"
ATTRIBUTES = {
    "All",
    "Policy",
    "VisibilityTimeout",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
    "ApproximateNumberOfMessagesDelayed",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "FifoQueue",
    "ContentBasedDeduplication",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
}


def locked(**more: Any) -> dict[str, Any]:
    """Parameters of PutObject into a bucket with Object Lock."""
    return {"Bucket": "locked", "Key": "k", **more}


def _bucket(test: Any) -> Check:
    """The bucket is there, and wrong."""

    def check(request: Request) -> bool:
        bucket = request.find("bucket", request.params["Bucket"])
        return bucket is not None and test(bucket, request.params)

    return check


def _sets_lists(bucket: Any, params: Any) -> bool:
    lists = ("ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWriteACP", "AccessControlPolicy")
    given = [params[name] for name in lists if params.get(name)]
    return bucket["Ownership"] == "BucketOwnerEnforced" and given not in ([], ["bucket-owner-full-control"])


def _locks_without_lock(bucket: Any, params: Any) -> bool:
    members = ("ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus", "Retention", "LegalHold")
    return not bucket["ObjectLock"] and any(params.get(name) for name in members)


def _retained_until_past(request: Request) -> bool:
    until = request.params.get("ObjectLockRetainUntilDate") or first(request.params, "Retention.RetainUntilDate")
    return until is not None and timestamp(until) <= datetime.now(UTC)


def _stream(exists: bool) -> Check:
    def check(request: Request) -> bool:
        params = request.params
        stream = request.find("log-stream", f"{params['logGroupName']}:{params['logStreamName']}")
        return (stream is not None) == exists

    return check


def _unknown_attribute(request: Request) -> Values | None:
    unknown = [name for name in found(request.params, "AttributeNames[]") if name not in ATTRIBUTES]
    return {"value": unknown[0]} if unknown else None


OBJECTS: tuple[Entry, ...] = (
    s3(
        "PutObject CopyObject CreateMultipartUpload PutObjectAcl",
        "Buckets whose owner is enforced, which is the default, take no access control lists.",
        "The bucket does not allow ACLs",
        _bucket(_sets_lists),
        locked(ACL="bucket-owner-full-control"),
        locked(ACL="private"),
        code="AccessControlListNotSupported",
        source="S3 user guide: Controlling ownership of objects",
        given=BUCKETS,
    ),
    s3(
        "PutObject CopyObject CreateMultipartUpload PutObjectRetention PutObjectLegalHold",
        "Only a bucket with Object Lock keeps versions from being deleted.",
        "Bucket is missing Object Lock Configuration",
        _bucket(_locks_without_lock),
        locked(ObjectLockLegalHoldStatus="ON"),
        locked(Bucket="plain", ObjectLockLegalHoldStatus="ON"),
        source="S3 user guide: Object Lock considerations",
        given=BUCKETS,
    ),
    s3(
        "PutObject CopyObject CreateMultipartUpload PutObjectRetention",
        "A retention ends in the future.",
        "The retain until date must be in the future!",
        _retained_until_past,
        locked(ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=datetime(2100, 1, 1, tzinfo=UTC)),
        locked(ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=datetime(2000, 1, 1, tzinfo=UTC)),
        code="InvalidArgument",
        source="S3 user guide: Object Lock considerations",
        given=BUCKETS,
    ),
    s3(
        "PutBucketVersioning",
        "Versioning of a bucket with Object Lock cannot be suspended.",
        "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
        _bucket(
            lambda bucket, params: (
                bucket["ObjectLock"] and params["VersioningConfiguration"].get("Status") == "Suspended"
            )
        ),
        {"Bucket": "plain", "VersioningConfiguration": {"Status": "Suspended"}},
        {"Bucket": "locked", "VersioningConfiguration": {"Status": "Suspended"}},
        code="InvalidBucketState",
        source="S3 API reference: PutBucketVersioning",
        status=409,
        given=BUCKETS,
    ),
)

OTHERS: tuple[Entry, ...] = (
    sqs(
        "SendMessage ReceiveMessage DeleteMessage ChangeMessageVisibility GetQueueAttributes",
        "The queue exists.",
        "The specified queue does not exist.",
        absent("queue", "QueueUrl"),
        to(STANDARD),
        to(FIFO.replace("q", "missing"), MessageGroupId="g", MessageDeduplicationId="d"),
        given=GIVEN,
    ),
    sqs(
        "SendMessageBatch",
        "The queue of a batch exists.",
        "The specified queue does not exist.",
        absent("queue", "QueueUrl"),
        batch("m"),
        batch("m") | {"QueueUrl": STANDARD + "-missing"},
        source="SQS API reference: SendMessageBatch",
        given=GIVEN,
    ),
    sqs(
        "GetQueueUrl",
        "A queue has the name.",
        "The specified queue does not exist.",
        lambda request: not request.params.get("QueueOwnerAWSAccountId") and absent("queue", "QueueName")(request),
        {"QueueName": "q"},
        {"QueueName": "missing"},
        source="SQS API reference: GetQueueUrl",
        given={"queue/q": {}},
    ),
    sqs(
        "GetQueueAttributes",
        "Attributes of a queue are known by name.",
        "Unknown Attribute {value}.",
        _unknown_attribute,
        {"QueueUrl": STANDARD, "AttributeNames": ["QueueArn"]},
        {"QueueUrl": STANDARD, "AttributeNames": ["Arn"]},
        code="InvalidAttributeName",
        source="SQS API reference: GetQueueAttributes",
        given=GIVEN,
    ),
    logs(
        "CreateLogGroup",
        "The name of a log group is free.",
        "The specified log group already exists",
        existing("log-group", "logGroupName"),
        {"logGroupName": "new"},
        {"logGroupName": "g"},
        code="ResourceAlreadyExistsException",
        source="CloudWatch Logs API reference: CreateLogGroup",
        given=GROUPS,
    ),
    logs(
        "CreateLogStream PutLogEvents DescribeLogStreams",
        "The log group exists.",
        "The specified log group does not exist.",
        absent("log-group", "logGroupName"),
        {"logGroupName": "g", "logStreamName": "new"},
        {"logGroupName": "missing", "logStreamName": "new"},
        source="CloudWatch Logs API reference: CreateLogStream",
        given=GROUPS,
    ),
    logs(
        "CreateLogStream",
        "The name of a log stream is free in its group.",
        "The specified log stream already exists",
        _stream(exists=True),
        {"logGroupName": "g", "logStreamName": "new"},
        {"logGroupName": "g", "logStreamName": "s"},
        code="ResourceAlreadyExistsException",
        source="CloudWatch Logs API reference: CreateLogStream",
        given=GROUPS,
    ),
    logs(
        "PutLogEvents",
        "The log stream exists.",
        "The specified log stream does not exist.",
        _stream(exists=False),
        {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "m"}]},
        {"logGroupName": "g", "logStreamName": "missing", "logEvents": [{"timestamp": 1, "message": "m"}]},
        given=GROUPS,
    ),
    logs(
        "GetLogEvents",
        "The log stream that is read exists in its group.",
        "The specified log stream does not exist.",
        lambda request: absent("log-group", "logGroupName")(request) or _stream(exists=False)(request),
        {"logGroupName": "g", "logStreamName": "s"},
        {"logGroupName": "g", "logStreamName": "missing"},
        source="CloudWatch Logs API reference: GetLogEvents",
        given=GROUPS,
    ),
    logs(
        "DescribeLogStreams",
        "Streams with a prefix are not ordered by their last event.",
        "Cannot order by LastEventTime with a logStreamNamePrefix.",
        lambda request: "logStreamNamePrefix" in request.params and request.params.get("orderBy") == "LastEventTime",
        {"logGroupName": "g", "logStreamNamePrefix": "s"},
        {"logGroupName": "g", "logStreamNamePrefix": "s", "orderBy": "LastEventTime"},
        code="InvalidParameterException",
        source="CloudWatch Logs API reference: DescribeLogStreams",
        given=GROUPS,
    ),
    cloudwatch(
        "DescribeAlarms",
        "Alarms are found by names or by a prefix.",
        "AlarmNamePrefix and AlarmNames cannot be specified together",
        together("AlarmNames[]", "AlarmNamePrefix"),
        {"AlarmNames": ["a"]},
        {"AlarmNames": ["a"], "AlarmNamePrefix": "a"},
        inferred=True,
    ),
    sagemaker(
        "DescribePipelineExecution DescribePipelineDefinitionForExecution ListPipelineExecutionSteps "
        "ListPipelineParametersForExecution StopPipelineExecution UpdatePipelineExecution",
        "The execution exists.",
        "Pipeline execution {value} not found",
        absent("pipeline-execution", "PipelineExecutionArn"),
        {"PipelineExecutionArn": EXECUTION.format("abcdefghijkl")},
        {"PipelineExecutionArn": EXECUTION.format("mnopqrstuvwx")},
        given={f"pipeline-execution/{EXECUTION.format('abcdefghijkl')}": {}},
        inferred=True,
    ),
)

ENTRIES: tuple[Entry, ...] = (*OBJECTS, *OTHERS)
