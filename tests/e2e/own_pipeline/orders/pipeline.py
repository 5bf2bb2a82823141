"""The pipeline of orders, in the form of AWS's templates and with SageMaker SDK 3: process, train, evaluate, decide, register."""

from pathlib import Path

import boto3
from sagemaker.core import image_uris
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode

HERE = Path(__file__).resolve().parent
PROCESSING = "/opt/ml/processing"
INSTANCE = "ml.m5.xlarge"


def get_pipeline(
    region,
    role=None,
    default_bucket=None,
    model_package_group_name="OrdersPackageGroup",
    pipeline_name="OrdersPipeline",
    base_job_prefix="Orders",
):
    """The pipeline; the arguments are those of AWS's templates."""
    session = PipelineSession(boto3.Session(region_name=region), default_bucket=default_bucket)
    data = ParameterString(name="InputDataUrl", default_value=f"s3://{default_bucket}/orders.csv")
    minimum = ParameterFloat(name="MinimumAccuracy", default_value=0.5)
    image = image_uris.retrieve("sklearn", region, version="1.9-0", py_version="py3", instance_type=INSTANCE)
    common = {"image_uri": image, "role": role, "instance_count": 1, "instance_type": INSTANCE}
    processor = ScriptProcessor(command=["python3"], sagemaker_session=session, **common)

    prepare = ProcessingStep(
        name="Prepare",
        step_args=processor.run(
            code=str(HERE / "scripts" / "prepare.py"),
            arguments=["--test-share", "0.3"],
            inputs=[_input("raw", data)],
            outputs=[_output("train"), _output("test")],
        ),
        cache_config=CacheConfig(enable_caching=True, expire_after="30d"),
    )
    trainer = ModelTrainer(
        training_image=image,
        role=role,
        sagemaker_session=session,
        base_job_name=f"{base_job_prefix}/train",
        source_code=SourceCode(source_dir=str(HERE / "scripts"), entry_script="train.py"),
        compute=Compute(instance_type=INSTANCE, instance_count=1),
        hyperparameters={"C": 0.5},
        input_data_config=[InputData(channel_name="train", data_source=_uri(prepare, "train"))],
    )
    train = TrainingStep(name="Train", step_args=trainer.train())
    artifact = train.properties.ModelArtifacts.S3ModelArtifacts
    report = PropertyFile(name="Report", output_name="evaluation", path="evaluation.json")
    evaluate = ProcessingStep(
        name="Evaluate",
        step_args=processor.run(
            code=str(HERE / "scripts" / "evaluate.py"),
            inputs=[_input("model", artifact), _input("test", _uri(prepare, "test"))],
            outputs=[_output("evaluation")],
        ),
        property_files=[report],
    )
    builder = ModelBuilder(
        s3_model_data_url=artifact,
        image_uri=image,
        role_arn=role,
        sagemaker_session=session,
        env_vars={"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    )
    register = ModelStep(
        name="Register",
        step_args=builder.register(
            model_package_group_name=model_package_group_name,
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.m5.large"],
            transform_instances=["ml.m5.large"],
            approval_status="PendingManualApproval",
        ),
    )
    accuracy = JsonGet(step_name=evaluate.name, property_file=report, json_path="metrics.accuracy.value")
    gate = ConditionStep(
        name="Gate",
        conditions=[ConditionGreaterThanOrEqualTo(left=accuracy, right=minimum)],
        if_steps=[register],
        else_steps=[FailStep(name="Reject", error_message=Join(on=" ", values=["the accuracy is below", minimum]))],
    )
    return Pipeline(
        name=pipeline_name,
        parameters=[data, minimum],
        steps=[prepare, train, evaluate, gate],
        sagemaker_session=session,
    )


def _input(name, uri):
    where = f"{PROCESSING}/input/{name}"
    return ProcessingInput(
        input_name=name, s3_input=ProcessingS3Input(s3_uri=uri, local_path=where, s3_data_type="S3Prefix")
    )


def _output(name):
    """An output at a place that the SDK chooses."""
    where = ProcessingS3Output(s3_uri="", local_path=f"{PROCESSING}/output/{name}", s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=where)


def _uri(step, output):
    return step.properties.ProcessingOutputConfig.Outputs[output].S3Output.S3Uri
