"""SageMaker: what tuning jobs search, and the training jobs that they start."""

from ..checks import first, found
from ..rule import Entry, NotEnforced, Request, Values, table
from .sagemaker_endpoints import key_with_local_storage
from .sagemaker_jobs import waits_too_short
from .sagemaker_tuning import CREATE, KINDS, LIMITS, TUNING, definition, definitions, number, ranges, tuning

RANGES = "SageMaker developer guide: Define Hyperparameter Ranges"
MOST_HYPERPARAMETERS, MOST_METRICS = 30, 20
rule = table("sagemaker", "ValidationException", TUNING)


def _wrong_range(request: Request) -> Values | None:
    for each in ranges(request, KINDS[:2]):
        if float(each["MinValue"]) > float(each["MaxValue"]):
            return {"name": each["Name"], "low": each["MinValue"], "high": each["MaxValue"]}
    return None


def _logarithm_of_zero(request: Request) -> Values | None:
    for each in ranges(request, KINDS[:2]):
        if each.get("ScalingType") == "Logarithmic" and float(each["MinValue"]) <= 0:
            return {"name": each["Name"]}
    return None


def _reverse_outside(request: Request) -> Values | None:
    whole = {id(each) for each in ranges(request, KINDS[:1])}
    for each in ranges(request, KINDS[:2]):
        inside = float(each["MinValue"]) >= 0 and float(each["MaxValue"]) < 1
        if each.get("ScalingType") == "ReverseLogarithmic" and (id(each) in whole or not inside):
            return {"name": each["Name"]}
    return None


def _many(request: Request) -> bool:
    return sum(1 for _ in ranges(request)) > MOST_HYPERPARAMETERS


def _numbers_in_a_grid(request: Request) -> bool:
    grid = first(request.params, "HyperParameterTuningJobConfig.Strategy") == "Grid"
    return grid and any(True for _ in ranges(request, KINDS[:2]))


def _twice(request: Request) -> Values | None:
    tuned = {each["Name"] for each in ranges(request)}
    for each in definitions(request):
        if both := sorted(tuned & set(each.get("StaticHyperParameters", {}))):
            return {"names": ", ".join(both)}
    return None


def _unknown_objective(request: Request) -> Values | bool:
    common = first(request.params, "HyperParameterTuningJobConfig.HyperParameterTuningJobObjective.MetricName")
    for each in definitions(request):
        wanted = first(each, "TuningObjective.MetricName", common)
        defined = set(found(each, "AlgorithmSpecification.MetricDefinitions[].Name"))
        if first(each, "AlgorithmSpecification.TrainingImage") and wanted not in defined:
            return True
    return False


def _metrics(request: Request) -> bool:
    return any(
        len(first(each, "AlgorithmSpecification.MetricDefinitions", [])) > MOST_METRICS for each in definitions(request)
    )


def _hyperband_stops(request: Request) -> bool:
    config = request.params["HyperParameterTuningJobConfig"]
    return config["Strategy"] == "Hyperband" and config.get("TrainingJobEarlyStoppingType") == "Auto"


ENTRIES: tuple[Entry, ...] = (
    rule(
        CREATE,
        "A tuning job searches at most 30 hyperparameters.",
        "The number of hyperparameters to tune must be at most 30",
        _many,
        tuning([number(f"n{index}") for index in range(30)]),
        tuning([number(f"n{index}") for index in range(30)], categorical=["c"]),
        source=LIMITS,
        inferred=True,
    ),
    rule(
        CREATE,
        "The minimum of a range is not above its maximum.",
        "The MinValue {low} of the hyperparameter {name} is greater than its MaxValue {high}",
        _wrong_range,
        tuning([number(low="9", high="10")]),
        tuning([number(low="10", high="9")]),
        source=RANGES,
        inferred=True,
    ),
    rule(
        CREATE,
        "Logarithmic scaling is for ranges above 0.",
        "The hyperparameter {name} has Logarithmic scaling, which works only for ranges that have only values greater than 0",
        _logarithm_of_zero,
        tuning([number(low="1", ScalingType="Logarithmic")]),
        tuning([number(low="0", ScalingType="Logarithmic")]),
        source=f"{RANGES}, hyperparameter scaling",
        inferred=True,
    ),
    rule(
        CREATE,
        "Reverse logarithmic scaling is for continuous ranges within 0 <= x < 1.",
        "The hyperparameter {name} has ReverseLogarithmic scaling, which works only for continuous ranges entirely within "
        "0 <= x < 1.0",
        _reverse_outside,
        tuning(continuous=[number("x", "0.5", "0.99", ScalingType="ReverseLogarithmic")]),
        tuning(continuous=[number("x", "0.5", "1.0", ScalingType="ReverseLogarithmic")]),
        source=f"{RANGES}, hyperparameter scaling",
        inferred=True,
    ),
    rule(
        CREATE,
        "Grid search is for categorical hyperparameters only.",
        "Grid strategy only supports categorical hyperparameters",
        _numbers_in_a_grid,
        tuning([], categorical=["c"], Strategy="Grid"),
        tuning([number()], categorical=["c"], Strategy="Grid"),
        source="SageMaker developer guide: Understand the hyperparameter tuning strategies available in Amazon SageMaker AI",
        inferred=True,
    ),
    rule(
        CREATE,
        "A hyperparameter is either static or tuned.",
        "The hyperparameters {names} are both static and to be tuned",
        _twice,
        tuning() | {"TrainingJobDefinition": definition(StaticHyperParameters={"m": "1"})},
        tuning() | {"TrainingJobDefinition": definition(StaticHyperParameters={"n": "1"})},
        inferred=True,
    ),
    rule(
        CREATE,
        "The objective of an image that is not AWS's own algorithm is one of the metric definitions.",
        "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric definitions.",
        _unknown_objective,
        tuning(),
        tuning(HyperParameterTuningJobObjective={"Type": "Maximize", "MetricName": "f1"}),
        source="SageMaker developer guide: Define metrics and environment variables; words: aws/sagemaker-python-sdk issue 3932",
    ),
    rule(
        CREATE,
        "A tuning job has at most 20 metrics.",
        "The number of metric definitions must be at most 20",
        _metrics,
        tuning(),
        tuning()
        | {
            "TrainingJobDefinition": definition(
                AlgorithmSpecification={
                    "TrainingImage": "image",
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": name, "Regex": "x"} for name in ("auc", *map(str, range(20)))],
                }
            )
        },
        source=LIMITS,
        inferred=True,
    ),
    rule(
        CREATE,
        "Hyperband stops training jobs itself.",
        "TrainingJobEarlyStoppingType must be Off for the strategy Hyperband",
        _hyperband_stops,
        tuning(Strategy="Hyperband"),
        tuning(Strategy="Hyperband", TrainingJobEarlyStoppingType="Auto"),
        source="SageMaker API reference: HyperParameterTuningJobConfig",
        inferred=True,
    ),
    rule(
        CREATE,
        "Managed spot training waits at least as long as a job may run.",
        "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds",
        lambda request: any(map(waits_too_short, definitions(request))),
        tuning()
        | {
            "TrainingJobDefinition": definition(
                EnableManagedSpotTraining=True,
                StoppingCondition={"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
            )
        },
        tuning() | {"TrainingJobDefinition": definition(EnableManagedSpotTraining=True)},
        source="SageMaker API reference: StoppingCondition",
    ),
    rule(
        CREATE,
        "VolumeKmsKeyId cannot be used with instance types that have local storage.",
        "You can't request a VolumeKmsKeyId when using an instance type with local storage: {value}. Local storage volumes are "
        "encrypted using a hardware module on the instance.",
        key_with_local_storage(
            "TrainingJobDefinition.ResourceConfig.VolumeKmsKeyId", "TrainingJobDefinition.ResourceConfig.InstanceType"
        ),
        tuning(),
        tuning()
        | {
            "TrainingJobDefinition": definition(
                ResourceConfig={**definition()["ResourceConfig"], "InstanceType": "ml.g5.xlarge", "VolumeKmsKeyId": "k"}
            )
        },
        source="SageMaker API reference: ResourceConfig",
        inferred=True,
    ),
    NotEnforced(
        service="sagemaker",
        operation=CREATE,
        says="A tuning job completes when it has converged.",
        source="SageMaker API reference: ConvergenceDetected",
        why="AWS does not publish when it detects convergence.",
    ),
)
