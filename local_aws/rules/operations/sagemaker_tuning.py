"""SageMaker: tuning jobs, their names and limits; what they search is in `sagemaker_tuning_search`."""

from collections.abc import Iterator
from typing import Any

from ..checks import absent, either, existing, first, found, none_of, together
from ..rule import Entry, Request, Values, table
from .sagemaker_jobs import ended

TUNING = "SageMaker API reference: CreateHyperParameterTuningJob"
LIMITS = "SageMaker developer guide: Resource Limits for Automatic Model Tuning"
CREATE = "CreateHyperParameterTuningJob"
rule = table("sagemaker", "ValidationException", TUNING)

JOB = "hyper-parameter-tuning-job"
NAME = "HyperParameterTuningJobName"
STATUS = "HyperParameterTuningJobStatus"
MOST_JOBS, MOST_PARALLEL = 750, 10
KINDS = ("IntegerParameterRanges", "ContinuousParameterRanges", "CategoricalParameterRanges")


def number(name: str = "n", low: str = "1", high: str = "9", **more: str) -> dict[str, str]:
    """A range of numbers."""
    return {"Name": name, "MinValue": low, "MaxValue": high, **more}


def tuning(integer: Any = None, continuous: Any = (), categorical: Any = (), **config: Any) -> dict[str, Any]:
    """Parameters of CreateHyperParameterTuningJob: ranges, and members of its config."""
    return {
        NAME: "t",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "auc"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "IntegerParameterRanges": [number()] if integer is None else list(integer),
                "ContinuousParameterRanges": list(continuous),
                "CategoricalParameterRanges": [{"Name": name, "Values": ["a"]} for name in categorical],
            },
            **config,
        },
        "TrainingJobDefinition": definition(),
    }


def definition(**changes: Any) -> dict[str, Any]:
    """TrainingJobDefinition of CreateHyperParameterTuningJob."""
    return {
        "RoleArn": "arn:aws:iam::123456789012:role/r",
        "AlgorithmSpecification": {
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "auc", "Regex": "auc=(.*)"}],
        },
        "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    } | changes


def _limits(jobs: int, parallel: int) -> dict[str, int]:
    return {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel}


def definitions(request: Request) -> Iterator[dict[str, Any]]:
    """The definitions of training jobs."""
    yield from found(request.params, "TrainingJobDefinition")
    yield from found(request.params, "TrainingJobDefinitions[]")


def ranges(request: Request, kinds: tuple[str, ...] = KINDS) -> Iterator[dict[str, Any]]:
    """The ranges of hyperparameters of some kinds."""
    for kind in kinds:
        yield from found(request.params, f"HyperParameterTuningJobConfig.ParameterRanges.{kind}[]")
        for each in definitions(request):
            yield from found(each, f"HyperParameterRanges.{kind}[]")


def _limit(name: str, most: int) -> Any:
    """A limit of the request is above `most`. Values: limit, value."""

    def check(request: Request) -> Values | None:
        value = first(request.params, f"HyperParameterTuningJobConfig.ResourceLimits.{name}", 0)
        return {"limit": most, "value": value} if value > most else None

    return check


def _parallel(request: Request) -> bool:
    limits = first(request.params, "HyperParameterTuningJobConfig.ResourceLimits", {})
    return limits["MaxParallelTrainingJobs"] > limits.get("MaxNumberOfTrainingJobs", MOST_JOBS)


ENTRIES: tuple[Entry, ...] = (
    rule(
        CREATE,
        "The name of a tuning job is unique within a region of an account.",
        "Hyperparameter tuning job names must be unique within an AWS account and region, and a hyperparameter tuning job with "
        "this name already exists (arn:aws:sagemaker:{region}:{account}:hyper-parameter-tuning-job/{value})",
        existing(JOB, NAME),
        tuning(),
        tuning() | {NAME: "taken"},
        code="ResourceInUse",
        given={f"{JOB}/taken": {}},
        inferred=True,
    ),
    rule(
        "DescribeHyperParameterTuningJob StopHyperParameterTuningJob ListTrainingJobsForHyperParameterTuningJob",
        "The tuning job exists.",
        "Requested resource not found.",
        absent(JOB, NAME),
        {NAME: "t"},
        {NAME: "missing"},
        source="SageMaker API reference: DescribeHyperParameterTuningJob",
        code="ResourceNotFound",
        given={f"{JOB}/t": {STATUS: "InProgress"}},
    ),
    rule(
        "StopHyperParameterTuningJob",
        "Only a tuning job that runs can be stopped.",
        "The request was rejected because the hyperparameter tuning job is in status {status}.",
        ended(JOB, "HyperParameterTuningJob"),
        {NAME: "t"},
        {NAME: "done"},
        source="SageMaker API reference: StopHyperParameterTuningJob",
        given={f"{JOB}/t": {STATUS: "InProgress"}, f"{JOB}/done": {STATUS: "Completed"}},
        inferred=True,
    ),
    rule(
        CREATE,
        "A tuning job has either TrainingJobDefinition or TrainingJobDefinitions.",
        "You must specify exactly one of TrainingJobDefinition and TrainingJobDefinitions",
        either(
            together("TrainingJobDefinition", "TrainingJobDefinitions"),
            none_of("TrainingJobDefinition", "TrainingJobDefinitions"),
        ),
        tuning(),
        tuning() | {"TrainingJobDefinitions": [definition(DefinitionName="d")]},
        inferred=True,
    ),
    rule(
        CREATE,
        "A tuning job runs at most 750 training jobs.",
        "The MaxNumberOfTrainingJobs {value} is more than the limit of {limit}",
        _limit("MaxNumberOfTrainingJobs", MOST_JOBS),
        tuning(ResourceLimits=_limits(750, 2)),
        tuning(ResourceLimits=_limits(751, 2)),
        source=LIMITS,
        code="ResourceLimitExceeded",
        inferred=True,
    ),
    rule(
        CREATE,
        "A tuning job runs at most 10 training jobs at the same time, unless the quota is raised.",
        "The MaxParallelTrainingJobs {value} is more than the limit of {limit}",
        _limit("MaxParallelTrainingJobs", MOST_PARALLEL),
        tuning(ResourceLimits=_limits(100, 10)),
        tuning(ResourceLimits=_limits(100, 11)),
        source=LIMITS,
        code="ResourceLimitExceeded",
        inferred=True,
    ),
    rule(
        CREATE,
        "Not more training jobs run at the same time than there are.",
        "MaxParallelTrainingJobs must be less than or equal to MaxNumberOfTrainingJobs",
        _parallel,
        tuning(ResourceLimits=_limits(2, 2)),
        tuning(ResourceLimits=_limits(2, 3)),
        source="SageMaker API reference: ResourceLimits",
        inferred=True,
    ),
)
