"""factory.yaml and model.yaml as typed and validated data."""

from .factory import Environment, ExistingNetwork, FactoryConfig
from .loading import ConfigError, Mistake, line_of, load_factory, load_model, load_models
from .model import METRICS, ModelConfig
from .naming import naming_mistakes

__all__ = [
    "METRICS",
    "ConfigError",
    "Environment",
    "ExistingNetwork",
    "FactoryConfig",
    "Mistake",
    "ModelConfig",
    "line_of",
    "load_factory",
    "load_model",
    "load_models",
    "naming_mistakes",
]
