"""Put a file of records where the training pipeline looks for data, or of late labels where the monitor does."""

from datetime import UTC, date, datetime
from pathlib import Path

from botocore.exceptions import ClientError

from .project import EnvironmentSession, UsageError

LABELS = (".jsonl", ".csv", ".parquet")


def upload(
    session: EnvironmentSession, model: str, path: Path, day: date | None = None, *, labels: bool = False
) -> str:
    """Upload one file into the partition of `day` (default: today, UTC); returns its S3 URI. Raises UsageError.

    `labels`: what turned out true of records that the endpoint has answered (docs/reference/contracts.md).
    """
    wanted = "." + session.project.model(model).data.format
    if labels and path.suffix not in LABELS:
        raise UsageError(f"{path}: labels must be in a file that ends in {', '.join(LABELS)}")
    if not labels and path.suffix != wanted:
        raise UsageError(f"{path}: model {model} reads {wanted} files (data.format in model.yaml)")
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file")
    partition, folder = day or datetime.now(UTC).date(), "ground-truth" if labels else "raw"
    bucket, key = session.names.bucket("data"), f"{model}/{folder}/dt={partition:%Y-%m-%d}/{path.name}"
    try:
        session.client("s3").put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        raise UsageError(
            f"environment {session.environment.name!r} has no bucket {bucket!r}; deploy it first: "
            f"cdk deploy '{session.names.prefix}-*'"
        ) from None
    return f"s3://{bucket}/{key}"
