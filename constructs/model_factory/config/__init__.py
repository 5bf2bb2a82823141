"""The two files that people write, as typed and checked data."""

from .factory import Environment, FactoryConfig
from .loading import ConfigError, Mistake, load_factory, load_model, load_models
from .model import METRICS, ModelConfig

__all__ = [
    "METRICS",
    "ConfigError",
    "Environment",
    "FactoryConfig",
    "Mistake",
    "ModelConfig",
    "load_factory",
    "load_model",
    "load_models",
]
