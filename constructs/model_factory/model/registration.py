"""The step that registers a version with its container, metrics, baselines and lineage."""

from typing import Any

from ..definition import Execution, Join, Parameter, ProcessingStep, RegisterModelStep, TrainingStep, TuningStep, Value
from .jobs import RETRY_STEP
from .props import ModelProps

# AWS's image needs these to serve model.tar.gz without internet access; docs/reference/contracts.md has the reason.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
SERVING_ENVIRONMENT = {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code", **OFFLINE}
_MEDIA_TYPES = ["text/csv", "application/json"]


def register_step(
    props: ModelProps,
    *,
    prepare: ProcessingStep,
    train: TrainingStep,
    evaluate: ProcessingStep,
    trigger: Parameter,
    reason: Parameter,
    tune: TuningStep | None = None,
) -> RegisterModelStep:
    """Registers the model of `train`, as Approved where `approval` is automatic. `tune` has chosen its hyperparameters."""
    quality = _quality(evaluate, "evaluation")
    data_quality = _quality(prepare, "baseline")
    instance = props.config.serving.instance
    arguments: dict[str, Any] = {
        "ModelPackageGroupName": props.names.model_package_group,
        # Of test rows that are too few to compare versions, the description says so.
        "ModelPackageDescription": Join(
            "", [trigger, ": ", reason, "; ", evaluate.json("Evaluation", "gate.measured")]
        ),
        "ModelApprovalStatus": "Approved" if props.approval == "automatic" else "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [
                {
                    "Image": props.image,
                    "ModelDataUrl": train.get("ModelArtifacts.S3ModelArtifacts"),
                    "Environment": SERVING_ENVIRONMENT,
                    "Framework": "SKLEARN",
                }
            ],
            "SupportedContentTypes": _MEDIA_TYPES,
            "SupportedResponseMIMETypes": _MEDIA_TYPES,
            "SupportedRealtimeInferenceInstanceTypes": [instance],
        },
        "ModelMetrics": {
            "ModelQuality": quality,
            "ModelDataQuality": data_quality,
            "Explainability": {"Report": _file(evaluate.output("evaluation"), "importance.json")},
        },
        "DriftCheckBaselines": {"ModelQuality": quality, "ModelDataQuality": data_quality},
        "CustomerMetadataProperties": _lineage(props, prepare, evaluate, trigger, tune),
    }
    return RegisterModelStep("Register", arguments, display_name="Register", retry_policies=[RETRY_STEP])


def _lineage(
    props: ModelProps, prepare: ProcessingStep, evaluate: ProcessingStep, trigger: Parameter, tune: TuningStep | None
) -> dict[str, Value]:
    """Lineage of the version. SageMaker accepts values of 1 to 256 letters, digits, spaces and _.:/=+-@ only.

    The reason of a training, which is free text, is therefore part of the description.
    """
    return {
        "data_manifest": Join("/", [prepare.output("report"), "manifest.json"]),
        "data_digest": prepare.json("PrepareReport", "data_digest"),
        "content_digest": prepare.json("PrepareReport", "content_digest"),
        "artifact_digest": evaluate.json("Evaluation", "lineage.artifact_digest"),
        "code_digest": props.code.digest,
        **({"libraries_digest": digest} if (digest := props.code.libraries_digest) else {}),
        "git_commit": props.code.git_commit,
        "image": props.image,
        **(_tuned(evaluate, tune) if tune else {"hyperparameters_digest": props.hyperparameters_digest}),
        "seed": str(props.config.training.seed),
        "trigger": trigger,
        "pipeline_execution": Execution.ARN,
        "metric": props.config.required_gate.metric,
        # A Join, because the property file holds a number and this must be a string.
        "metric_value": Join("", [evaluate.json("Evaluation", "gate.value")]),
    }


def _tuned(evaluate: ProcessingStep, tune: TuningStep) -> dict[str, Value]:
    """The hyperparameters that a tuning job chose, which are known only after it."""
    return {
        "hyperparameters_digest": evaluate.json("Evaluation", "lineage.hyperparameters_digest"),
        "tuning_job": tune.get("HyperParameterTuningJobName"),
        "tuning_trials": Join("", [tune.get("TrainingJobStatusCounters.Completed")]),
    }


def _quality(step: ProcessingStep, output: str) -> dict[str, Any]:
    uri = step.output(output)
    return {"Statistics": _file(uri, "statistics.json"), "Constraints": _file(uri, "constraints.json")}


def _file(folder: Value, name: str) -> dict[str, Any]:
    return {"ContentType": "application/json", "S3Uri": Join("/", [folder, name])}
