"""Upload of training data and of labels for past requests to an environment's data bucket."""

from datetime import UTC, date, datetime
from pathlib import Path

from botocore.exceptions import ClientError

from ..project import EnvironmentSession, UsageError

LABEL_SUFFIXES = (".jsonl", ".csv", ".parquet")


def upload(
    session: EnvironmentSession, model: str, path: Path, day: date | None = None, *, labels: bool = False
) -> str:
    """Upload one file to the partition of `day` (default: today, UTC); returns its S3 URI. Raises UsageError.

    `labels`: the file has ground truth of past requests (docs/reference/contracts.md) instead of training data.
    """
    data_suffix = "." + session.project.model(model).data.format
    if labels and path.suffix not in LABEL_SUFFIXES:
        raise UsageError(f"{path}: labels must be in a file that ends in {', '.join(LABEL_SUFFIXES)}")
    if not labels and path.suffix != data_suffix:
        raise UsageError(f"{path}: model {model} reads {data_suffix} files (data.format in model.yaml)")
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file")
    partition, folder = day or datetime.now(UTC).date(), "ground-truth" if labels else "raw"
    bucket, key = session.names.bucket("data"), f"{model}/{folder}/dt={partition:%Y-%m-%d}/{path.name}"
    try:
        session.client("s3").put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        raise session.not_deployed(f"bucket {bucket!r}") from None
    return f"s3://{bucket}/{key}"
