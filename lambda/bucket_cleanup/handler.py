"""Custom resource: when a bucket is about to be deleted, it deletes the objects, because S3 deletes empty buckets only.

Needs, on its buckets, s3:GetBucketTagging, Get/PutBucketPolicy, ListBucketVersions, DeleteObject and DeleteObjectVersion;
its log group.
"""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.parser import BaseModel
from emptying import empty
from pydantic import Field
from shared.custom_resource import Request, handle, validate

logger = Logger()


class Properties(BaseModel):
    """Properties of the custom resource in the template."""

    bucket: str = Field(alias="BucketName", pattern=r"^[a-z0-9][a-z0-9.-]{2,62}$")


def handler(event: dict[str, Any], context: Any) -> None:
    """Handle a request; see `shared.custom_resource.handle`."""
    handle(event, context, logger, lambda request: _empty(request, context), name_property="BucketName")


def _empty(request: Request, context: Any) -> None:
    bucket = validate(Properties, request.properties).bucket
    deleted = empty(bucket, request.stack, context.get_remaining_time_in_millis)
    logger.info("bucket emptied", bucket=bucket, versions=deleted)
