"""The container image of jobs and endpoints: AWS's scikit-learn image, from the registry of the region."""

import json
import re
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

VERSION = "1.9-0"
_PYTHON = "cpu-py3"
_ECR = re.compile(
    r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([a-z0-9._/-]+)(?::[\w.-]+|@sha256:[0-9a-f]{64})"
)
_TABLE = "sagemaker/core/image_uri_config/sklearn.json"


class ImageError(ValueError):
    """There is no such image."""


def default_image_uri(region: str) -> str:
    """URI of AWS's scikit-learn image in `region`. Raises ImageError with the regions that have it."""
    image = _image()
    registries: dict[str, str] = image["registries"]
    if region not in registries:
        raise ImageError(
            f"AWS has no image {image['repository']}:{VERSION} in region {region!r}; it is in "
            f"{', '.join(sorted(registries))}. Give `training.image` in model.yaml or choose another region"
        )
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{registries[region]}.dkr.ecr.{region}.{suffix}/{image['repository']}:{VERSION}-{_PYTHON}"


def repository(image_uri: str) -> tuple[str, str, str]:
    """Account, region and name of the image's ECR repository. Raises ImageError: SageMaker pulls from ECR only."""
    match = _ECR.fullmatch(image_uri)
    if not match:
        raise ImageError(
            f"training.image {image_uri!r} is no image in Amazon ECR with a tag or digest; push it to a repository and "
            "write <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>"
        )
    return match[1], match[2], match[3]


@cache
def _image() -> dict[str, Any]:
    """The SDK's table, read as a file: importing the SDK takes seconds."""
    # The distribution that ships the file has changed with the SDK's parts, so whichever is installed is asked.
    for name in ("sagemaker-core", "sagemaker"):
        path = Path(str(distribution(name).locate_file(_TABLE)))
        if path.is_file():
            return json.loads(path.read_text())["training"]["versions"][VERSION]
    raise ImageError(f"the SageMaker SDK that is installed has no {_TABLE}; install what requirements.lock says")
