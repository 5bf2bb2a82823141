"""Signs the heads of all chains of records, and copies what it signed to the bucket of another account.

EventBridge Scheduler invokes it every day; its alarm on errors notifies people. Needs s3:ListBucket on the records bucket,
s3:GetObject on `*/chain/*` and `_heads/*`, s3:PutObject on `_heads/*`; kms:Sign with its key; kms:Decrypt and kms:GenerateDataKey
with the environment's key; with an anchor, s3:PutObject there below the environment's name; its log group.
"""

import os
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from shared.clients import client, retries
from shared.names import factory_and_environment
from signing import Anchor, Signer

logger = Logger()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Sign the heads of today, and copy those of the last days; the key of the document. Raises errors of S3 and KMS."""
    factory, environment = factory_and_environment(os.environ["MODELS_PARAMETER_PREFIX"])
    signer = Signer(
        s3=client("s3"),
        kms=client("kms"),
        bucket=os.environ["RECORDS_BUCKET"],
        key=os.environ["SIGNING_KEY"],
        place=(factory, environment),
    )
    key = signer.sign(datetime.now(UTC))
    copied = signer.copy(anchor) if (anchor := _anchor(environment)) else []
    logger.info("heads signed", key=key, copied=copied)
    return {"key": key, "copied": copied}


def _anchor(environment: str) -> Anchor | None:
    bucket = os.environ.get("ANCHOR_BUCKET")
    if not bucket:
        return None
    s3: Any = boto3.client("s3", region_name=os.environ["ANCHOR_REGION"], config=retries())
    return Anchor(s3, bucket, f"{environment}/")
