"""The container image of jobs and endpoints: one of AWS's, from the registry of the region, or an own one."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

SCIKIT_LEARN = "scikit-learn"
"""The framework whose image is the default."""
_WARNING_DAYS = 60
# An image of a stack's own account and region has CDK tokens where another has an account id, a region or a name.
_UNRESOLVED = r"\$\{Token\[[^\]]+\]\}"
_ECR = re.compile(
    rf"(\d{{12}}|{_UNRESOLVED})\.dkr\.ecr\.([a-z0-9-]+|{_UNRESOLVED})\.(?:amazonaws\.com(?:\.cn)?|{_UNRESOLVED})"
    rf"/([a-z0-9._/-]+|{_UNRESOLVED})(?::[\w.-]+|@sha256:[0-9a-f]{{64}})"
)


class ImageError(ValueError):
    """There is no such image."""


def default_image_uri(region: str, framework: str = SCIKIT_LEARN) -> str:
    """URI of AWS's image of a framework in `region`. Raises ImageError with the regions that have it."""
    image = images()[framework]
    registries: dict[str, str] = image["registries"]
    if region not in registries:
        raise ImageError(
            f"AWS has no image {image['repository']}:{image['tag']} in region {region!r}; it is in "
            f"{', '.join(sorted(registries))}. Give `training.image` in model.yaml or choose another region"
        )
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{registries[region]}.dkr.ecr.{region}.{suffix}/{image['repository']}:{image['tag']}"


def framework_image_uris(region: str) -> list[str]:
    """URIs of AWS's images in `region`, of each framework that has one there."""
    return [default_image_uri(region, name) for name, image in images().items() if region in image["registries"]]


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
def images() -> dict[str, dict[str, Any]]:
    """Repository, tag and registries by framework, as the SageMaker SDK lists them (tools/image_registries.py)."""
    return json.loads(Path(__file__).with_name("image_registries.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class ImageContent:
    """What an image of AWS brings.

    Attributes:
        name: Repository and tag.
        python: Version of Python, such as `3.12`.
        platform: Platform of wheels that can be installed, such as `x86_64-manylinux_2_34`.
        end_of_patch: The day, as `YYYY-MM-DD`, after which AWS no longer patches the image.
        libraries: Version of each library, by its normalized name.
        modules: The library of each top-level module.
    """

    name: str
    python: str
    platform: str
    end_of_patch: str
    libraries: Mapping[str, str]
    modules: Mapping[str, str]


def image_content(image_uri: str | None = None, framework: str = SCIKIT_LEARN) -> ImageContent | None:
    """What an image brings; None for an image that is not AWS's.

    Args:
        image_uri: URI of the image. Default: AWS's image of the framework.
        framework: The framework. Default: scikit-learn.
    """
    default = images()[framework]
    name = f"{default['repository']}:{default['tag']}"
    if image_uri is not None:
        account, _, where = image_uri.partition(".dkr.ecr.")
        if not any(account in image["registries"].values() for image in images().values()):
            return None
        name = where.partition("/")[2]
    content = _contents().get(name)
    return ImageContent(name, **content) if content else None


def patch_warning(image_uri: str, today: date) -> str | None:
    """What to do about an image of AWS that is patched for less than 60 days more, or no longer; None for any other image.

    Args:
        image_uri: URI of the image.
        today: The day in UTC.
    """
    content = image_content(image_uri)
    if content is None:
        return None
    days = (date.fromisoformat(content.end_of_patch) - today).days
    if days >= _WARNING_DAYS:
        return None
    until = f"until {content.end_of_patch}, for {days} days more" if days >= 0 else f"only until {content.end_of_patch}"
    return (
        f"AWS patches the image {content.name} {until}: upgrade the library to a version with a newer image, or give an image of "
        "your own in training.image"
    )


@cache
def _contents() -> dict[str, dict[str, Any]]:
    """From the locks that AWS publishes (tools/image_libraries.py)."""
    return json.loads(Path(__file__).with_name("image_libraries.json").read_text(encoding="utf-8"))
