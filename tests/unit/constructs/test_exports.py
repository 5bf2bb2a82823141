"""The public interface: the names that `from model_factory import …` has."""

import subprocess
import sys

import pytest

import model_factory

EXPORTED = [
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


def test_exported_names_change_on_purpose_only():
    assert model_factory.__all__ == EXPORTED


@pytest.mark.parametrize("name", EXPORTED)
def test_exported_name_can_be_imported(name):
    assert getattr(model_factory, name).__name__ == name


def test_unknown_name_raises_attribute_error():
    with pytest.raises(AttributeError, match="module 'model_factory' has no attribute 'DataLakes'"):
        model_factory.DataLakes  # noqa: B018


def test_import_leaves_aws_cdk_and_pydantic_out():
    """The command line imports the package at every start; the CDK alone takes a second."""
    code = (
        "import sys, model_factory\n"
        "from model_factory.core.names import EnvironmentNames\n"
        "print(sorted({'aws_cdk', 'boto3', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
