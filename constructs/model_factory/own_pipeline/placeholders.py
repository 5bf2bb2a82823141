"""Values that `get_pipeline` gets in place of those that are known at deployment, and their replacement in a definition.

The same definition is for every environment of a region: the SDK, which takes seconds to import, runs once for all of them.
"""

import re
from collections.abc import Callable
from typing import Any

ACCOUNT = "111122223333"
BUCKET = "model-factory-default-bucket"
PIPELINE = "model-factory-pipeline"
GROUP = "model-factory-versions"
JOB_ROLE = "model-factory-job-role"

_URI = re.compile(rf"s3://{BUCKET}(?![a-z0-9.-])(/[^\s\"'\\]*)?")


def role_arn(region: str) -> str:
    """The role that pipelines and jobs get, in the form of the region's partition."""
    partition = next((f"aws-{part}" for part in ("cn", "us-gov") if region.startswith(f"{part}-")), "aws")
    return f"arn:{partition}:iam::{ACCOUNT}:role/{JOB_ROLE}"


def values(region: str, model: str) -> dict[str, str]:
    """The arguments of `get_pipeline`, as AWS's templates name them."""
    return {
        "region": region,
        "role": role_arn(region),
        "default_bucket": BUCKET,
        "model_package_group_name": GROUP,
        "pipeline_name": PIPELINE,
        "base_job_prefix": model,
    }


def map_strings(value: Any, change: Callable[[str], str]) -> Any:
    """A copy of a JSON value with every text, except the keys of objects, replaced by `change(text)`."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [map_strings(item, change) for item in value]
    if isinstance(value, dict):
        return {key: map_strings(item, change) for key, item in value.items()}
    return value


def map_uris(value: Any, change: Callable[[str], str], *, outside: frozenset[str] = frozenset()) -> Any:
    """A copy with every S3 URI in the default bucket replaced; `change` gets the key, without a slash in front.

    A URI that is joined of parts (`Std:Join` on `/`) is one as well: its bucket is then a part of its own. `outside`: members
    whose values stay as they are.
    """
    if isinstance(value, str):
        return _URI.sub(lambda match: change((match[1] or "").lstrip("/")), value)
    if isinstance(value, list):
        return [map_uris(item, change, outside=outside) for item in value]
    if isinstance(value, dict):
        if set(value) == {"Std:Join"} and value["Std:Join"].get("On") == "/":
            value = {"Std:Join": {"On": "/", "Values": _whole_uri(value["Std:Join"]["Values"])}}
        return {key: item if key in outside else map_uris(item, change, outside=outside) for key, item in value.items()}
    return value


def _whole_uri(parts: list[Any]) -> list[Any]:
    """The parts of a joined URI with `s3:/`, the bucket and the first folders that are known as one text."""
    if parts[:2] == ["s3:/", BUCKET]:
        parts = [f"s3://{BUCKET}", *parts[2:]]
    while len(parts) > 1 and str(parts[0]).startswith(f"s3://{BUCKET}") and isinstance(parts[1], str):
        parts = [f"{parts[0]}/{parts[1]}", *parts[2:]]
    return parts
