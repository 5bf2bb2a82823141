"""Tuning jobs: training jobs in script mode, the best of them, failures, stops, pipelines."""

import json

import pytest

from .endpoint import wait

TRAINS = """
import os, pathlib, sys
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
value = int(given["--size"]) * (2 if given["--kind"] == "b c" else 1)
if value in FAILS:
    sys.exit(3)
print("validation: quality=%s;" % value, os.environ["SM_HP_SIZE"], os.getcwd())
pathlib.Path(os.environ["SM_MODEL_DIR"], "size").write_text(given["--size"])
"""


@pytest.fixture
def tuning(aws):
    """The request of a tuning job, without its name: each training job runs a script of a channel."""

    def request(script=TRAINS, *, fails=(), most=3, parallel=2, strategy="Random", **more):
        uri = aws.put(f"{aws.name('program')}/train.py", script.replace("FAILS", repr(fails)))
        training = aws.training("pass")
        image = {"TrainingImage": "image", "TrainingInputMode": "File"}
        metrics = [{"Name": "quality", "Regex": "quality=([0-9.]+);"}]
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
        return {
            "HyperParameterTuningJobConfig": {
                "Strategy": strategy,
                "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "quality"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": most, "MaxParallelTrainingJobs": parallel},
                "ParameterRanges": {
                    "IntegerParameterRanges": [{"Name": "size", "MinValue": "1", "MaxValue": "9"}],
                    "CategoricalParameterRanges": [{"Name": "kind", "Values": ['"b c"']}],
                },
                "RandomSeed": 3,
                **more,
            },
            "TrainingJobDefinition": {
                **{
                    key: training[key] for key in ("RoleArn", "OutputDataConfig", "ResourceConfig", "StoppingCondition")
                },
                "AlgorithmSpecification": image | {"MetricDefinitions": metrics},
                "InputDataConfig": [{"ChannelName": "program", "DataSource": source}],
                "StaticHyperParameters": {
                    "sagemaker_program": "train.py",
                    "sagemaker_submit_directory": "/opt/ml/input/data/program",
                },
            },
        }

    return request


@pytest.fixture
def run(aws):
    """Runs a tuning job to its end: what Describe answers, and its training jobs."""

    def tune(request):
        name = start(aws, request)
        return wait(lambda: ended(aws, name)), training_jobs(aws, name)

    return tune


def start(aws, request):
    name = aws.name("tune")
    aws.sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName=name, **request)
    return name


def ended(aws, name):
    found = aws.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    return None if found["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping") else found


def training_jobs(aws, name, **more):
    return aws.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=name, **more)[
        "TrainingJobSummaries"
    ]


def test_best_training_job_has_the_highest_objective(aws, tuning, run):
    found, jobs = run(tuning())

    assert found["HyperParameterTuningJobStatus"] == "Completed", found.get("FailureReason")
    assert found["TrainingJobStatusCounters"]["Completed"] == found["ObjectiveStatusCounters"]["Succeeded"] == 3
    sizes = [int(each["TunedHyperParameters"]["size"]) for each in jobs]
    objective = found["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]
    assert objective == {"Type": "Maximize", "MetricName": "quality", "Value": 2.0 * max(sizes)}
    name = found["HyperParameterTuningJobName"]
    assert [each["TrainingJobName"].rpartition("-")[0] for each in jobs] == [f"{name}-00{i}" for i in (1, 2, 3)]
    values = [2.0 * size for size in sizes]
    ordered = training_jobs(aws, name, SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    assert [each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in ordered] == sorted(values)[::-1]

    best = aws.sagemaker.describe_training_job(TrainingJobName=found["BestTrainingJob"]["TrainingJobName"])
    assert best["TuningJobArn"] == found["HyperParameterTuningJobArn"]
    assert best["HyperParameters"]["_tuning_objective_metric"] == "quality"
    assert best["FinalMetricDataList"][0]["Value"] == objective["Value"]


@pytest.mark.slow
def test_failed_training_job_leaves_the_others(tuning, run):
    chosen = [each["TunedHyperParameters"] for each in run(tuning(most=2))[1]]
    found, jobs = run(tuning(most=2, fails=(2 * int(chosen[1]["size"]),)))

    assert [each["TunedHyperParameters"] for each in jobs] == chosen  # of the same seed
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert [each["TrainingJobStatus"] for each in jobs] == ["Completed", "Failed"]
    assert "ExecuteUserScriptError" in jobs[1]["FailureReason"]
    assert jobs[1]["ObjectiveStatus"] == "Failed"
    assert found["TrainingJobStatusCounters"]["NonRetryableError"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "reason"),
    [("raise SystemExit(1)", "All training jobs failed."), ("pass", "No objective metrics found after running 2")],
    ids=["fails", "is silent"],
)
def test_tuning_fails_without_any_objective(tuning, run, script, reason):
    found, _ = run(tuning(script, most=2))
    assert found["HyperParameterTuningJobStatus"] == "Failed"
    assert found["FailureReason"].startswith(reason)


def test_stop_ends_training_jobs(aws, tuning):
    name = start(aws, tuning("import signal; signal.pause()"))
    wait(lambda: len([each for each in training_jobs(aws, name) if "TrainingStartTime" in each]) > 0)
    aws.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)

    found = wait(lambda: ended(aws, name))
    assert found["HyperParameterTuningJobStatus"] == "Stopped"
    assert {each["TrainingJobStatus"] for each in training_jobs(aws, name)} == {"Stopped"}


def test_bad_training_job_is_stopped_early(tuning, run):
    script = """
import signal, sys
size = int(dict(zip(sys.argv[1::2], sys.argv[2::2]))["--size"])
for epoch in range(2):
    print("quality=%s;" % size, flush=True)
if size < 5:
    signal.pause()
"""
    request = tuning(script, most=2, parallel=1, strategy="Grid", TrainingJobEarlyStoppingType="Auto")
    ranges = {"CategoricalParameterRanges": [{"Name": "size", "Values": ["8", "3"]}]}
    request["HyperParameterTuningJobConfig"]["ParameterRanges"] = ranges
    found, jobs = run(request)

    assert [each["TrainingJobStatus"] for each in jobs] == ["Completed", "Stopped"]
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["BestTrainingJob"]["TunedHyperParameters"] == {"size": "8"}


@pytest.mark.slow
def test_bayesian_search_runs_optuna(tuning, run):
    pytest.importorskip("optuna")
    found, jobs = run(tuning(strategy="Bayesian", most=2))
    assert found["HyperParameterTuningJobStatus"] == "Completed", found.get("FailureReason")
    assert len(jobs) == 2


def test_pipeline_reads_best_values_and_top_models(aws, tuning):
    writes = "import pathlib, sys; pathlib.Path('/opt/ml/processing/output/o/seen').write_text(' '.join(sys.argv[1:]))"
    top = {"Get": "Steps.Tune-parameters.TrainingJobSummaries[0].TrainingJobName"}
    best = {"Get": "Steps.Tune-parameters.BestTrainingJob.TunedHyperParameters['size']"}
    output = f"s3://{aws.bucket}/{aws.name('seen')}"
    arguments = aws.processing(writes, top, best, outputs={"o": output})
    pipeline = aws.pipeline(
        [
            {"Name": "Tune-parameters", "Type": "Tuning", "Arguments": tuning(most=2)},
            {"Name": "Look", "Type": "Processing", "Arguments": arguments},
        ]
    )
    execution, steps = aws.finished(aws.start(pipeline))

    assert execution["PipelineExecutionStatus"] == "Succeeded", execution.get("FailureReason")
    arn = steps["Tune-parameters"]["Metadata"]["TuningJob"]["Arn"]
    name = arn.rpartition("/")[2]
    assert len(name) <= 32
    found = ended(aws, name)
    seen = aws.get(f"{output}/seen").decode().split()
    assert seen == [
        found["BestTrainingJob"]["TrainingJobName"],
        found["BestTrainingJob"]["TunedHyperParameters"]["size"],
    ]


def test_stopped_execution_stops_its_tuning_job(aws, tuning):
    pipeline = aws.pipeline(
        [{"Name": "Tune", "Type": "Tuning", "Arguments": tuning("import signal; signal.pause()", most=1, parallel=1)}]
    )
    execution = aws.start(pipeline)
    wait(lambda: "Metadata" in aws.steps(execution).get("Tune", {}))
    aws.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken="t" * 32)

    found, steps = aws.finished(execution)
    assert found["PipelineExecutionStatus"] == steps["Tune"]["StepStatus"] == "Stopped"
    name = steps["Tune"]["Metadata"]["TuningJob"]["Arn"].rpartition("/")[2]
    assert ended(aws, name)["HyperParameterTuningJobStatus"] == "Stopped"


@pytest.mark.slow
def test_events_have_the_states_of_a_tuning_job(aws, tuning, run):
    read = aws.listen("SageMaker HyperParameter Tuning Job State Change")
    found, _ = run(tuning(most=1, parallel=1))

    def statuses():
        mine = [e["detail"] for e in read() if e["resources"] == [found["HyperParameterTuningJobArn"]]]
        shown = [each["HyperParameterTuningJobStatus"] for each in mine]
        return shown if "Completed" in shown else None

    assert wait(statuses) == ["InProgress", "Completed"]


def test_training_job_in_script_mode_downloads_its_code(aws):
    source = aws.archive({"deep/train.py": "", "go.py": "import sys; sys.exit(len(sys.argv))"})
    hyperparameters = {"sagemaker_program": json.dumps("go.py"), "sagemaker_submit_directory": json.dumps(source)}
    request = aws.training("pass", hyperparameters={**hyperparameters, "x": "1", "flag": "true"})
    del request["AlgorithmSpecification"]["ContainerEntrypoint"]
    found = aws.run_job("Training", request)
    assert "ExitCode 5" in found["FailureReason"]
    assert 'go.py --flag True -x 1"' in found["FailureReason"]
