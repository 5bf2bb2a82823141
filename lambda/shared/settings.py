"""The settings parameter of a model in SSM Parameter Store; the stack of the model writes it."""

import os

from pydantic import BaseModel

from .clients import client

ENVIRONMENT = os.environ["FACTORY_ENVIRONMENT"]
PARAMETER_PREFIX = os.environ["MODELS_PARAMETER_PREFIX"]
"""`/<factory>/<environment>/models/`; a model's parameter is named `<prefix><model>`."""


def read_settings[Settings: BaseModel](model: str, settings_type: type[Settings]) -> Settings:
    """The settings of a model, validated. Raises LookupError when the environment has no such model."""
    ssm = client("ssm")
    try:
        value = ssm.get_parameter(Name=f"{PARAMETER_PREFIX}{model}")["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        raise LookupError(f"there is no model {model!r} in {ENVIRONMENT}") from None
    return settings_type.model_validate_json(value)
