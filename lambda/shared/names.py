"""Name rules that functions check before they use a name from a message, and the parts of a name."""

import re

MODEL_NAME_PATTERN = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
"""Pattern of a model's name; the same as in model.yaml's schema."""

MAX_MODEL_NAME_LENGTH = 24


def is_model_name(text: str) -> bool:
    """Whether `text` is a valid model name."""
    return len(text) <= MAX_MODEL_NAME_LENGTH and re.fullmatch(MODEL_NAME_PATTERN, text) is not None


def factory_and_environment(parameter_prefix: str) -> tuple[str, str]:
    """Names of factory and environment in the prefix `/<factory>/<environment>/models/` of settings parameters."""
    factory, environment = parameter_prefix.strip("/").split("/")[:2]
    return factory, environment
