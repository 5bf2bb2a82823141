"""S3 URIs, and arguments of S3 requests that several services make."""


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def encryption_arguments(kms_key: str | None) -> dict[str, str]:
    """PutObject's arguments for encryption with a KMS key; empty without a key."""
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
