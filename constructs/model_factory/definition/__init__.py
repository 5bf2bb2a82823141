"""SageMaker's pipeline definition format, 2020-12-01, as typed data that is checked before anything is deployed.

Format: https://aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema/. A step's
arguments are the SageMaker API request of its type, so botocore's service model says what is allowed.
"""

from .functions import Execution, Function, Get, Join, JsonGet, Parameter, Value
from .mistakes import DefinitionError
from .pipeline import PipelineDefinition
from .steps import (
    CacheConfig,
    Condition,
    ConditionStep,
    FailStep,
    JobStep,
    ProcessingStep,
    PropertyFile,
    RegisterModelStep,
    RetryPolicy,
    Step,
    TrainingStep,
    TransformStep,
    TuningStep,
)

__all__ = [
    "CacheConfig",
    "Condition",
    "ConditionStep",
    "DefinitionError",
    "Execution",
    "FailStep",
    "Function",
    "Get",
    "JobStep",
    "Join",
    "JsonGet",
    "Parameter",
    "PipelineDefinition",
    "ProcessingStep",
    "PropertyFile",
    "RegisterModelStep",
    "RetryPolicy",
    "Step",
    "TrainingStep",
    "TransformStep",
    "TuningStep",
    "Value",
]
