"""The pipeline that makes a version: Prepare, Train, Evaluate, Gate, then Register or Reject."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from ..core.permissions import (
    allow,
    decrypt,
    list_objects,
    read_object_versions,
    read_objects,
    service_role,
    write_objects,
)
from ..definition import (
    Condition,
    ConditionStep,
    FailStep,
    Get,
    Parameter,
    PipelineDefinition,
    ProcessingStep,
    PropertyFile,
    TrainingStep,
    Value,
)
from .jobs import (
    RETRY_JOB,
    execution_uri,
    job_environment,
    job_statements,
    pipeline_statements,
    processing_arguments,
    vpc_config,
)
from .model_registry import read_versions, versions_arn
from .props import ModelProps
from .registration import register_step

TRIGGER = Parameter("Trigger", "manual")
REASON = Parameter("Reason", "")
DATA_MANIFEST = Parameter("DataManifest", "")


class TrainingPipeline(Construct):
    """The SageMaker pipeline `…-train`, a role for it and another for its jobs."""

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps) -> None:
        super().__init__(scope, construct_id)
        self.job_role = service_role(
            self,
            "JobRole",
            names=props.shared,
            name=props.names.role("train-job"),
            service="sagemaker",
            description=f"Jobs that train {props.config.name}",
            statements=_job_role_statements(props),
            open_resources="Everything below the model's own prefixes; SageMaker names artifacts itself.",
        )
        self.role = service_role(
            self,
            "Role",
            names=props.shared,
            name=props.names.role("train"),
            service="sagemaker",
            description=f"Training pipeline of {props.config.name}",
            statements=_pipeline_role_statements(props, self.job_role.role_arn),
            open_resources="SageMaker names the jobs and versions of a pipeline itself.",
        )
        definition = training_definition(props, self.job_role.role_arn)
        self.pipeline = sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=props.names.training_pipeline,
            pipeline_description=f"Trains, checks and registers {props.config.name}",
            pipeline_definition={"PipelineDefinitionBody": Stack.of(self).to_json_string(definition.render())},
            role_arn=self.role.role_arn,
        )


def training_definition(props: ModelProps, job_role_arn: str) -> PipelineDefinition:
    """The steps of the training pipeline. Raises DefinitionError."""
    prepare = _prepare(props, job_role_arn)
    train = _train(props, job_role_arn, prepare)
    evaluate = _evaluate(props, job_role_arn, prepare, train)
    register = register_step(props, prepare=prepare, train=train, evaluate=evaluate, trigger=TRIGGER, reason=REASON)
    gate = ConditionStep(
        "Gate",
        display_name="Gate",
        description="Good enough, and not worse than the version that is live",
        conditions=_conditions(props, evaluate),
        if_steps=[register],
        else_steps=[FailStep("Reject", {"ErrorMessage": evaluate.json("Evaluation", "gate.reason")})],
    )
    return PipelineDefinition([prepare, train, evaluate, gate], [TRIGGER, REASON, DATA_MANIFEST])


def _prepare(props: ModelProps, role_arn: str) -> ProcessingStep:
    """Reads raw data through S3 by version id, so that its manifest names exactly the bytes that were read."""
    outputs = {name: _uri(props, "prepare", name) for name in ("train", "validation", "test", "baseline", "report")}
    return ProcessingStep(
        "Prepare",
        processing_arguments(
            props,
            "prepare",
            role_arn=role_arn,
            environment=_environment(props),
            inputs={},
            outputs=outputs,
        ),
        display_name="Prepare",
        description="Ingest, analyse, validate, transform and split the raw data",
        property_files=[PropertyFile("PrepareReport", "report", "report.json")],
        retry_policies=RETRY_JOB,
    )


def _train(props: ModelProps, role_arn: str, prepare: ProcessingStep) -> TrainingStep:
    training = props.config.training
    channels: dict[str, Value] = {
        "code": props.code_uri,
        "train": prepare.output("train"),
        "validation": prepare.output("validation"),
        "schema": prepare.output("baseline"),
    }
    arguments: dict[str, Any] = {
        "AlgorithmSpecification": {
            "TrainingImage": props.image,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", f"/opt/ml/input/data/code/{props.code_key.split('/')[-1]}"],
            "ContainerArguments": ["train"],
        },
        "RoleArn": role_arn,
        "Environment": job_environment(props),
        "InputDataConfig": [_channel(name, uri) for name, uri in channels.items()],
        "OutputDataConfig": {"S3OutputPath": _uri(props, "train"), "KmsKeyId": props.key_arn},
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": training.instance,
            "VolumeSizeInGB": training.volume_gb,
            "VolumeKmsKeyId": props.key_arn,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": int(training.max_runtime.total_seconds())},
        "EnableInterContainerTrafficEncryption": True,
        "EnableNetworkIsolation": True,
        **vpc_config(props),
        "Tags": props.tags,
    }
    if props.hyperparameters:
        arguments["HyperParameters"] = props.hyperparameters
    return TrainingStep("Train", arguments, display_name="Train", retry_policies=RETRY_JOB)


def _evaluate(props: ModelProps, role_arn: str, prepare: ProcessingStep, train: TrainingStep) -> ProcessingStep:
    return ProcessingStep(
        "Evaluate",
        processing_arguments(
            props,
            "evaluate",
            role_arn=role_arn,
            environment=_environment(props),
            inputs={
                "model": train.get("ModelArtifacts.S3ModelArtifacts"),
                **{name: prepare.output(name) for name in ("test", "baseline", "report")},
            },
            outputs={"evaluation": _uri(props, "evaluation")},
        ),
        display_name="Evaluate",
        description="Measure the new version and the live one on the same rows",
        property_files=[PropertyFile("Evaluation", "evaluation", "evaluation.json")],
        retry_policies=RETRY_JOB,
    )


def _conditions(props: ModelProps, evaluate: ProcessingStep) -> list[Condition]:
    gate = props.config.gate
    value = evaluate.json("Evaluation", "gate.value")
    if props.config.more_is_better:
        good_enough = Condition("GreaterThanOrEqualTo", value, gate.minimum or 0.0)
    else:
        good_enough = Condition("LessThanOrEqualTo", value, gate.maximum or 0.0)
    advantage = evaluate.json("Evaluation", "gate.champion_advantage")
    return [good_enough, Condition("GreaterThanOrEqualTo", advantage, 0.0 - gate.champion_margin)]


def _environment(props: ModelProps) -> dict[str, Value]:
    return job_environment(props, DATA_MANIFEST=DATA_MANIFEST)


def _uri(props: ModelProps, *parts: str) -> Value:
    return execution_uri(props, "executions", *parts)


def _channel(name: str, uri: str | Get | Value) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _job_role_statements(props: ModelProps) -> list[iam.PolicyStatement]:
    model, names = props.config.name, props.shared
    return [
        *job_statements(props),
        *read_object_versions(names, "data", f"{model}/raw/"),
        list_objects(names, "artifacts", f"{model}/executions/"),
        read_objects(names, "artifacts", f"{model}/executions/"),
        write_objects(names, "artifacts", f"{model}/executions/"),
        read_versions(props),
    ]


def _pipeline_role_statements(props: ModelProps, job_role_arn: str) -> list[iam.PolicyStatement]:
    return [
        *pipeline_statements(props, ["Processing", "Training"], job_role_arn),
        allow(["sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage"], [versions_arn(props)]),
        # Property files are read by the pipeline itself.
        read_objects(props.shared, "artifacts", f"{props.config.name}/executions/"),
        decrypt(props.key_arn),
    ]
