"""Put a file of records where the training pipeline looks for data."""

from datetime import UTC, date, datetime
from pathlib import Path

from botocore.exceptions import ClientError

from .project import Reach, UsageError


def upload(reach: Reach, model: str, path: Path, day: date | None = None) -> str:
    """Upload one file into the partition of `day` (default: today, UTC); returns its S3 URI. Raises UsageError."""
    wanted = "." + reach.project.model(model).data.format
    if path.suffix != wanted:
        raise UsageError(f"{path}: model {model} reads {wanted} files (data.format in model.yaml)")
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file")
    partition = day or datetime.now(UTC).date()
    bucket, key = reach.names.bucket("data"), f"{model}/raw/dt={partition:%Y-%m-%d}/{path.name}"
    try:
        reach.client("s3").put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        raise UsageError(
            f"environment {reach.environment.name!r} has no bucket {bucket!r}; deploy it first: "
            f"cdk deploy '{reach.names.prefix}-*'"
        ) from None
    return f"s3://{bucket}/{key}"
