"""S3 URIs."""


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
