"""Instance types that a model's image cannot use: AWS's scikit-learn image is for processors only, its XGBoost image has CUDA."""

import re
from pathlib import Path

from ..config import Mistake, ModelConfig, line_of
from ..core.image import images

_ACCELERATED = re.compile(r"ml\.(g|p|inf|trn|dl)\d")
_PROCESSORS_ONLY = "sagemaker-scikit-learn"
KEYS = (
    ("training", "instance"),
    ("training", "processing_instance"),
    ("serving", "instance"),
    ("serving", "batch", "instance"),
    ("monitoring", "instance"),
)
"""Keys of model.yaml with an instance type."""


def has_accelerator(instance_type: str) -> bool:
    """Whether an instance type, such as ml.g5.xlarge, has a GPU or another accelerator."""
    return bool(_ACCELERATED.match(instance_type))


def instance_mistakes(config: ModelConfig, project: Path, image_uri: str | None = None) -> list[Mistake]:
    """Keys of model.yaml with an accelerator that the model's image has no driver or library for.

    Args:
        config: The content of model.yaml.
        project: The model's folder.
        image_uri: URI of its image. Default: `training.image`, or AWS's image of the framework.
    """
    image = image_uri or config.training.image
    name = image.partition("/")[2] if image else images()[config.training.framework]["repository"] + ":"
    if not name.startswith(f"{_PROCESSORS_ONLY}:"):
        return []
    return [
        Mistake(
            path := project / "model.yaml",
            line_of(path, *key) or line_of(path, *key[:-1]),
            f"{'.'.join(key)} {instance} has an accelerator, and AWS's scikit-learn image uses processors only; choose a type "
            "such as ml.m5.xlarge, or an image that uses it: `framework: xgboost`, or one of your own in training.image",
        )
        for key in KEYS
        if (instance := _value(config, key)) and has_accelerator(instance)
    ]


def _value(config: ModelConfig, key: tuple[str, ...]) -> str | None:
    found: object = config
    for name in key:
        found = getattr(found, name)
    return found if isinstance(found, str) else None
