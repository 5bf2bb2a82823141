"""What AWS provides to every account: parameters of Lambda Powertools, images in SageMaker's registries, and machine images."""

import re
import time
from typing import Any

from . import machine_images
from .interfaces import EmbeddedAws

POWERTOOLS_ACCOUNT = "017000801446"
POWERTOOLS = re.compile(
    r"/aws/service/powertools/python/(?P<architecture>x86_64|arm64)/(?P<runtime>python3\.\d+)/latest"
)
SAGEMAKER_IMAGES = re.compile(r"sagemaker-[a-z0-9-]+")
"""Repositories of SageMaker's framework images, in accounts of AWS's."""


def install(local: EmbeddedAws) -> None:
    """Add the parameters to Systems Manager and the images to ECR, own ones with libraries too; moto has machine images."""
    local.when_imported("moto.ssm.models", lambda module: _add_parameters(local, module))
    local.when_imported("moto.ecr.models", lambda module: _add_images(local, module))
    machine_images.install(local)


def powertools_layer(parameter: str, region: str) -> str | None:
    """ARN of the layer that one of Powertools' public parameters has; None for any other name."""
    found = POWERTOOLS.fullmatch(parameter)
    if not found:
        return None
    layer = f"AWSLambdaPowertoolsPythonV3-{found['runtime'].replace('.', '')}-{found['architecture']}"
    return f"arn:aws:lambda:{region}:{POWERTOOLS_ACCOUNT}:layer:{layer}:1"


def _add_parameters(local: EmbeddedAws, ssm: Any) -> None:
    backend = ssm.SimpleSystemManagerBackend
    get_parameter, get_parameters = backend.get_parameter, backend.get_parameters

    def public(self: Any, name: str) -> Any:
        layer = powertools_layer(name, self.region_name)
        if layer is None:
            return None
        return ssm.Parameter(self.account_id, name, layer, "String", None, None, None, time.time(), 1, "text")

    def get_one(self: Any, name: str) -> Any:
        return public(self, name) or get_parameter(self, name)

    def get_many(self: Any, names: list[str]) -> dict[str, Any]:
        found = {name: parameter for name in names if (parameter := public(self, name))}
        return get_parameters(self, names) | found

    local.replace(backend, "get_parameter", get_one)
    local.replace(backend, "get_parameters", get_many)


def _add_images(local: EmbeddedAws, ecr: Any) -> None:
    backend = ecr.ECRBackend
    batch_get_image = backend.batch_get_image

    def get(
        self: Any, repository_name: str, registry_id: str | None = None, image_ids: list[dict[str, Any]] | None = None
    ) -> dict[str, Any]:
        elsewhere = registry_id not in (None, self.account_id)
        of_aws = elsewhere and SAGEMAKER_IMAGES.fullmatch(repository_name)
        named = any(name.partition(":")[0] == repository_name for name in local.images)
        if not image_ids or not (of_aws or named):
            return batch_get_image(self, repository_name, registry_id, image_ids)
        images = [
            {
                "registryId": registry_id or self.account_id,
                "repositoryName": repository_name,
                "imageId": image_id,
                "imageManifest": "{}",
            }
            for image_id in image_ids
        ]
        return {"images": images, "failures": []}

    local.replace(backend, "batch_get_image", get)
