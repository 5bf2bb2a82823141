"""The pipeline that trains a version: Prepare, Train, Evaluate, Gate, then Register or Reject."""

from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from ..core.bucket_statements import delete_objects, list_objects, read_object_versions, read_objects, write_objects
from ..core.names import ROWS
from ..core.permissions import allow, decrypt
from ..definition import (
    Condition,
    ConditionStep,
    Execution,
    FailStep,
    Get,
    Join,
    PipelineDefinition,
    ProcessingStep,
    PropertyFile,
    TrainingStep,
    TuningStep,
    Value,
)
from .instance_types import processing_instance
from .jobs import (
    RETRY_JOB,
    encrypted_with,
    execution_uri,
    job_environment,
    job_statements,
    pipeline_statements,
    processing_arguments,
    resources,
    vpc_config,
)
from .model_registry import read_versions, versions_arn
from .pipeline import SageMakerPipeline
from .props import ModelProps
from .registration import register_step
from .training_capacity import CHECKPOINTS, kept_alive, spot
from .triggers import REASON, TRIGGER
from .tuning_step import CHANNEL, best_hyperparameters, program_asset, read_program, tuning_statements, tuning_step


class TrainingPipeline(SageMakerPipeline):
    """The SageMaker pipeline `<prefix>-train`, its role and the role of its jobs.

    Attributes:
        pipeline: The CloudFormation resource.
        role: Role of the pipeline.
        job_role: Role of the jobs.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        props: The model. Needs `data_bucket` and `artifacts_bucket`; uses `key`, `vpc` and `approval`.

    Raises:
        ValueError: A bucket is missing.
        DefinitionError: SageMaker would reject the definition, such as an instance type that does not exist.
        ImageError: The image is not in Amazon ECR.
    """

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps) -> None:
        super().__init__(scope, construct_id, pipeline_name=props.names.training_pipeline)
        props.require(self, "data_bucket", "artifacts_bucket")
        # What starts the trials of a tuning job, for models that have one.
        program = program_asset(self) if props.config.training.tuning else None
        self.job_role = self._job_role(
            props,
            "train",
            "training",
            _job_role_statements(props, program),
            open_resources="Objects below the prefixes of the model; SageMaker generates the names of artifacts.",
        )
        self.role = self._pipeline_role(
            props,
            "train",
            "training",
            _pipeline_role_statements(props, self.job_role.role_arn),
            open_resources="SageMaker generates the names of a pipeline's jobs and versions.",
        )
        definition = training_definition(props, self.job_role.role_arn, program)
        self.pipeline = self._create(
            definition.render(), self.role, f"Trains, evaluates and registers {props.config.name}"
        )


def training_definition(
    props: ModelProps, job_role_arn: str, program: assets.Asset | None = None
) -> PipelineDefinition:
    """Definition of the training pipeline.

    Args:
        props: The model.
        job_role_arn: ARN of the role of its jobs.
        program: What starts the trials of a tuning job. Default: None, hyperparameters are not tuned.

    Raises:
        DefinitionError: SageMaker would reject the definition.
    """
    prepare = _prepare(props, job_role_arn)
    train, tune = _train(props, job_role_arn, prepare, program)
    evaluate = _evaluate(props, job_role_arn, prepare, train)
    register = register_step(
        props, prepare=prepare, train=train, evaluate=evaluate, trigger=TRIGGER, reason=REASON, tune=tune
    )
    gate = ConditionStep(
        "Gate",
        display_name="Gate",
        description="Meets the gate's limit and is not worse than the deployed version",
        conditions=_conditions(props, evaluate),
        if_steps=[register],
        else_steps=[FailStep("Reject", {"ErrorMessage": evaluate.json("Evaluation", "gate.reason")})],
    )
    return PipelineDefinition([prepare, *([tune] if tune else []), train, evaluate, gate], [TRIGGER, REASON])


def _prepare(props: ModelProps, role_arn: str) -> ProcessingStep:
    """The job reads raw data by S3 version id, so that its manifest lists exactly the bytes that were read."""
    outputs: dict[str, Value] = {name: _expiring_uri(props, name) for name in ("train", "validation")}
    outputs |= {name: _uri(props, "prepare", name) for name in ("test", "baseline", "report")}
    return ProcessingStep(
        "Prepare",
        processing_arguments(
            props,
            "prepare",
            instance=_processing_instance(props),
            role_arn=role_arn,
            environment=job_environment(props),
            inputs={},
            outputs=outputs,
        ),
        display_name="Prepare",
        description="Ingest, analyse, validate, transform and split the raw data",
        property_files=[PropertyFile("PrepareReport", "report", "report.json")],
        retry_policies=RETRY_JOB,
    )


def _train(
    props: ModelProps, role_arn: str, prepare: ProcessingStep, program: assets.Asset | None
) -> tuple[TrainingStep, TuningStep | None]:
    """The step Train, and the step Tune that chooses its hyperparameters, if there is one."""
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
        "OutputDataConfig": {"S3OutputPath": _uri(props, "train"), **encrypted_with(props, "KmsKeyId")},
        "ResourceConfig": resources(props, training.instance, training.instance_count) | kept_alive(training),
        "StoppingCondition": {"MaxRuntimeInSeconds": int(training.max_runtime.total_seconds())},
        "EnableInterContainerTrafficEncryption": True,
        "EnableNetworkIsolation": True,
        **vpc_config(props),
        "Tags": props.tags,
    }
    if training.spot:
        arguments |= spot(training, checkpoints=_expiring_uri(props, CHECKPOINTS))
    tune: TuningStep | None = None
    hyperparameters: dict[str, Value] = {**props.hyperparameters}
    if program:
        name = program.s3_object_key.split("/")[-1]
        channel, output = _channel(CHANNEL, program.s3_object_url), _expiring_uri(props, "trials")
        tune = tuning_step(props, arguments, channel, program=name, output=output)
        hyperparameters = best_hyperparameters(props, tune)
    if hyperparameters:
        arguments["HyperParameters"] = hyperparameters
    return TrainingStep("Train", arguments, display_name="Train", retry_policies=RETRY_JOB), tune


def _evaluate(props: ModelProps, role_arn: str, prepare: ProcessingStep, train: TrainingStep) -> ProcessingStep:
    return ProcessingStep(
        "Evaluate",
        processing_arguments(
            props,
            "evaluate",
            instance=_processing_instance(props),
            role_arn=role_arn,
            environment=job_environment(props),
            inputs={
                "model": train.get("ModelArtifacts.S3ModelArtifacts"),
                **{name: prepare.output(name) for name in ("test", "baseline", "report")},
            },
            outputs={"evaluation": _uri(props, "evaluation")},
        ),
        display_name="Evaluate",
        description="Evaluate the new version and the deployed one on the same rows",
        property_files=[PropertyFile("Evaluation", "evaluation", "evaluation.json")],
        retry_policies=RETRY_JOB,
    )


def _conditions(props: ModelProps, evaluate: ProcessingStep) -> list[Condition]:
    gate = props.config.required_gate
    value = evaluate.json("Evaluation", "gate.value")
    if props.config.more_is_better:
        good_enough = Condition("GreaterThanOrEqualTo", value, gate.minimum or 0.0)
    else:
        good_enough = Condition("LessThanOrEqualTo", value, gate.maximum or 0.0)
    advantage = evaluate.json("Evaluation", "gate.champion_advantage")
    return [good_enough, Condition("GreaterThanOrEqualTo", advantage, 0.0 - gate.champion_margin)]


def _processing_instance(props: ModelProps) -> str:
    training = props.config.training
    return training.processing_instance or processing_instance(training.instance)


def _uri(props: ModelProps, *parts: str) -> Value:
    return execution_uri(props, "executions", *parts)


def _expiring_uri(props: ModelProps, part: str) -> Value:
    """S3 URI of what only Train reads, which expires: lifecycle rules choose objects by the beginning of their keys.

    A job that the step's retry policy creates, and one of a pipeline execution that is retried, finds the same part again.
    """
    rows = f"s3://{props.bucket('artifacts').bucket_name}/{ROWS}{props.config.name}"
    return Join("/", [rows, Execution.ID, part])


def _channel(name: str, uri: str | Get | Value) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _job_role_statements(props: ModelProps, program: assets.Asset | None) -> list[iam.PolicyStatement]:
    artifacts = props.bucket("artifacts").bucket_arn
    folders = (f"{props.config.name}/executions/", f"{ROWS}{props.config.name}/")
    return [
        *job_statements(props),
        *([read_program(props, program)] if program else []),
        *read_object_versions(props.bucket("data").bucket_arn, f"{props.config.name}/raw/"),
        *(
            statement(artifacts, folder)
            for folder in folders
            for statement in (list_objects, read_objects, write_objects)
        ),
        *(
            [delete_objects(artifacts, f"{ROWS}{props.config.name}/*/{CHECKPOINTS}/")]
            if props.config.training.spot
            else []
        ),
        read_versions(props),
    ]


def _pipeline_role_statements(props: ModelProps, job_role_arn: str) -> list[iam.PolicyStatement]:
    return [
        *pipeline_statements(props, ["Processing", "Training"], job_role_arn),
        *(tuning_statements(props) if props.config.training.tuning else []),
        allow(["sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage"], [versions_arn(props)]),
        # The pipeline itself reads property files.
        read_objects(props.bucket("artifacts").bucket_arn, f"{props.config.name}/executions/"),
        *([decrypt(props.key_arn)] if props.key_arn else []),
        *map(decrypt, props.bucket_key_arns),
    ]
