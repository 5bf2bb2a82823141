"""The step Tune: a tuning job that searches hyperparameters, before the training with the best ones.

A tuning job's training jobs take no entry point, so that their container runs the image's own `train`: the training toolkit of
AWS's images, which starts the Python file that hyperparameters name. It runs the job trial from the zip.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from ..assets import JOBS
from ..config import hyperparameters
from ..config.tuning import Range, Tuning
from ..core.permissions import allow
from ..definition import TuningStep, Value
from .jobs import RETRY_JOB
from .props import ModelProps
from .registration import OFFLINE

CHANNEL = "program"
_STRATEGIES = {"bayesian": "Bayesian", "random": "Random", "grid": "Grid"}
_SCALINGS = {
    "auto": "Auto",
    "linear": "Linear",
    "logarithmic": "Logarithmic",
    "reverse_logarithmic": "ReverseLogarithmic",
}
# Members of CreateTrainingJob that a training job definition of a tuning job has too.
_SHARED = (
    "RoleArn",
    "StoppingCondition",
    "EnableInterContainerTrafficEncryption",
    "EnableNetworkIsolation",
    "EnableManagedSpotTraining",
    "VpcConfig",
)


def program_asset(scope: Construct) -> assets.Asset:
    """The file that starts the job trial."""
    return assets.Asset(scope, "Program", path=str(JOBS / "start_trial.py"))


def tuning_step(
    props: ModelProps, training: Mapping[str, Any], channel: Mapping[str, Any], *, program: str, output: Value
) -> TuningStep:
    """The step Tune.

    Args:
        props: The model, with `training.tuning`.
        training: Arguments of the step Train. The training jobs start otherwise, and have no checkpoints and no warm pool.
        channel: The channel with the program that starts the job trial.
        program: Name of that file.
        output: S3 URI below which SageMaker writes the training jobs' empty archives.
    """
    tuning = props.config.training.tuning
    if tuning is None:
        raise ValueError(f"model {props.config.name!r} has no training.tuning")
    metric = props.config.tuning_metric
    definition = {key: training[key] for key in _SHARED if key in training} | {
        "AlgorithmSpecification": {
            "TrainingImage": props.image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": metric, "Regex": f"objective {metric}=([^;]+);"}],
        },
        # The toolkit of AWS's XGBoost image installs the program as a package; otherwise pip looks for setuptools on PyPI.
        "Environment": {**training["Environment"], **OFFLINE},
        "OutputDataConfig": {**training["OutputDataConfig"], "S3OutputPath": output},
        "InputDataConfig": [*training["InputDataConfig"], channel],
        "ResourceConfig": {
            name: value for name, value in training["ResourceConfig"].items() if name != "KeepAlivePeriodInSeconds"
        },
        "StaticHyperParameters": {
            **props.hyperparameters,
            "sagemaker_program": program,
            "sagemaker_submit_directory": f"/opt/ml/input/data/{CHANNEL}",
        },
    }
    arguments = {
        "HyperParameterTuningJobConfig": {
            "Strategy": _STRATEGIES[tuning.strategy],
            "HyperParameterTuningJobObjective": {
                "Type": "Maximize" if props.config.is_better_higher(metric) else "Minimize",
                "MetricName": metric,
            },
            "ResourceLimits": {"MaxNumberOfTrainingJobs": tuning.jobs, "MaxParallelTrainingJobs": tuning.parallel},
            "ParameterRanges": parameter_ranges(tuning),
            "TrainingJobEarlyStoppingType": "Auto" if tuning.early_stopping else "Off",
            "RandomSeed": props.config.training.seed if tuning.seed is None else tuning.seed,
        },
        "TrainingJobDefinition": definition,
        "Tags": props.tags,
    }
    return TuningStep(
        "Tune",
        arguments,
        display_name="Tune",
        description=f"Search the hyperparameters with the best {metric} on the validation rows",
        retry_policies=RETRY_JOB,
    )


def parameter_ranges(tuning: Tuning) -> dict[str, Any]:
    """`ParameterRanges` of a tuning job; kinds without a range are left out."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, each in tuning.ranges.items():
        kind = f"{each.type.capitalize()}ParameterRanges"
        found.setdefault(kind, []).append({"Name": name} | _values(each))
    return found


def best_hyperparameters(props: ModelProps, tune: TuningStep) -> dict[str, Value]:
    """`HyperParameters` of the step Train: those that are fixed, and the best of the others."""
    tuning = props.config.training.tuning
    names = tuning.ranges if tuning else {}
    return {**props.hyperparameters, **{name: tune.best(name) for name in names}}


def read_program(props: ModelProps, program: assets.Asset) -> iam.PolicyStatement:
    """Permission of the jobs' role to read the file that starts the job trial."""
    bucket = f"arn:{props.environment_names.partition}:s3:::{program.s3_bucket_name}"
    return allow(["s3:GetObject"], [f"{bucket}/{program.s3_object_key}"])


def tuning_statements(props: ModelProps) -> list[iam.PolicyStatement]:
    """Permissions of the pipeline's role for tuning jobs."""
    # SageMaker generates their names, of at most 32 characters, from the id of the execution, and they have no prefix.
    jobs = [props.environment_names.arn("sagemaker", "hyper-parameter-tuning-job/*")]
    model = {"aws:RequestTag/model-factory:model": props.config.name}
    return [
        allow(["sagemaker:CreateHyperParameterTuningJob", "sagemaker:AddTags"], jobs, StringEquals=model),
        allow(
            [
                "sagemaker:DescribeHyperParameterTuningJob",
                "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
                "sagemaker:StopHyperParameterTuningJob",
            ],
            jobs,
        ),
    ]


def _values(each: Range) -> dict[str, Any]:
    if each.values is not None:
        return {"Values": [hyperparameters.text(value) for value in each.values]}
    whole = each.type == "integer"
    bounds = {"MinValue": each.minimum or 0.0, "MaxValue": each.maximum or 0.0}
    texts = {name: str(int(value) if whole else value) for name, value in bounds.items()}
    return texts | {"ScalingType": _SCALINGS[each.scaling]}
