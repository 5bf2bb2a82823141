"""Custom resource: when a bucket is about to be deleted, it deletes the objects, because S3 deletes empty buckets only.

Needs, on its buckets, s3:GetBucketTagging, Get/PutBucketPolicy, ListBucketVersions, DeleteObject and DeleteObjectVersion;
its log group.
"""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.parser import BaseModel
from emptying import empty
from pydantic import Field
from shared.custom_resource import Request, parse, respond, validate
from shared.messages import InvalidMessageError

logger = Logger()


class Properties(BaseModel):
    """Properties of the custom resource in the template."""

    bucket: str = Field(alias="BucketName", pattern=r"^[a-z0-9][a-z0-9.-]{2,62}$")


def handler(event: dict[str, Any], context: Any) -> None:
    """Handle a request and respond in every case: without a response the stack waits for an hour.

    Raises InvalidMessageError for an event that is not a request of CloudFormation and has no URL to respond to.
    """
    try:
        request = parse(event, context.invoked_function_arn.split(":")[4])
    except InvalidMessageError as error:
        logger.error("request refused", reason=str(error))  # noqa: TRY400 (the sender's mistake, not ours)
        raise
    status, reason = "SUCCESS", ""
    try:
        if request.kind == "Delete":
            _empty(request, context)
    except Exception as error:
        logger.exception("bucket not emptied")
        status, reason = "FAILED", f"{type(error).__name__}: {error}; see log stream {context.log_stream_name}"
    http = respond(request, status, reason, name_property="BucketName")
    logger.info("responded", status=status, http=http)


def _empty(request: Request, context: Any) -> None:
    bucket = validate(Properties, request.properties).bucket
    deleted = empty(bucket, context.get_remaining_time_in_millis)
    logger.info("bucket emptied", bucket=bucket, versions=deleted)
