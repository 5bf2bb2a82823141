"""The container image of jobs and endpoints: AWS's scikit-learn image, from the registry of the region."""

import json
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

VERSION = "1.9-0"
_PYTHON = "cpu-py3"
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


@cache
def _image() -> dict[str, Any]:
    """The SDK's table, read as a file: importing the SDK takes seconds."""
    # The distribution that ships the file has changed with the SDK's parts, so whichever is installed is asked.
    for name in ("sagemaker-core", "sagemaker"):
        path = Path(str(distribution(name).locate_file(_TABLE)))
        if path.is_file():
            return json.loads(path.read_text())["training"]["versions"][VERSION]
    raise ImageError(f"the SageMaker SDK that is installed has no {_TABLE}; install what requirements.lock says")
