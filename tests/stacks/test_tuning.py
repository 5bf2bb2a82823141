"""The step Tune of a model with `training.tuning`, what follows it, and the permissions that it needs."""

import pytest


@pytest.fixture(scope="session")
def steps(tuned_model):
    definition = tuned_model.definition("acme-test-offers-train")["Steps"]
    gate = definition[-1]["Arguments"]
    return {step["Name"]: step for step in [*definition, *gate["IfSteps"]]}


@pytest.fixture(scope="session")
def trial(steps):
    """The definition of the training jobs."""
    return steps["Tune"]["Arguments"]["TrainingJobDefinition"]


def channels(arguments):
    return {each["ChannelName"]: each["DataSource"]["S3DataSource"]["S3Uri"] for each in arguments["InputDataConfig"]}


def test_tuning_job_comes_before_training(steps):
    assert list(steps)[:4] == ["Prepare", "Tune", "Train", "Evaluate"]
    config = steps["Tune"]["Arguments"]["HyperParameterTuningJobConfig"]
    assert config["HyperParameterTuningJobObjective"] == {"Type": "Minimize", "MetricName": "log_loss"}
    assert config["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 3}
    assert (config["Strategy"], config["RandomSeed"]) == ("Bayesian", 7)


def test_training_gets_fixed_and_best_hyperparameters(steps):
    best = {"Get": "Steps.Tune.BestTrainingJob.TunedHyperParameters['leaves']"}
    given = steps["Train"]["Arguments"]["HyperParameters"]
    assert given["leaves"] == best
    assert given["depth"] == "4"
    assert set(given) == {"depth", "rate", "loss", "early", "leaves", "shrinkage", "weight"}


def test_training_toolkit_starts_trials(trial):
    program = channels(trial)["program"].rpartition("/")[2]
    assert program.endswith(".py")
    assert trial["StaticHyperParameters"] == {
        "depth": "4",
        "rate": "0.1",
        "loss": "log_loss",
        "early": "true",
        "sagemaker_program": program,
        "sagemaker_submit_directory": "/opt/ml/input/data/program",
    }
    assert "ContainerEntrypoint" not in trial["AlgorithmSpecification"]
    assert trial["AlgorithmSpecification"]["MetricDefinitions"] == [
        {"Name": "log_loss", "Regex": "objective log_loss=([^;]+);"}
    ]


def test_trials_are_trainings_otherwise(trial, steps):
    train = steps["Train"]["Arguments"]
    same = ("RoleArn", "StoppingCondition", "EnableNetworkIsolation", "VpcConfig")
    assert {key: trial.get(key) for key in same} == {key: train.get(key) for key in same}
    # Without the last two, pip in AWS's XGBoost image would need the internet.
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    assert trial["Environment"] == train["Environment"] | offline
    assert channels(trial) == {**channels(train), "program": channels(trial)["program"]}
    assert trial["ResourceConfig"]["InstanceType"] == train["ResourceConfig"]["InstanceType"]
    assert "KeepAlivePeriodInSeconds" not in trial["ResourceConfig"]


def test_version_has_digest_of_chosen_hyperparameters(steps):
    metadata = steps["Register"]["Arguments"]["CustomerMetadataProperties"]
    assert metadata["hyperparameters_digest"]["Std:JsonGet"]["Path"] == "lineage.hyperparameters_digest"
    assert metadata["tuning_job"] == {"Get": "Steps.Tune.HyperParameterTuningJobName"}
    assert metadata["tuning_trials"]["Std:Join"]["Values"] == [
        {"Get": "Steps.Tune.TrainingJobStatusCounters.Completed"}
    ]


def test_pipeline_role_creates_tuning_jobs_of_its_model(tuned_model):
    statements = [
        (statement, action)
        for role in tuned_model.all("IAM::Role")
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if "TuningJob" in action
    ]
    verbs = ("Create", "Describe", "ListTrainingJobsFor", "Stop")
    assert {action for _, action in statements} == {f"sagemaker:{verb}HyperParameterTuningJob" for verb in verbs}
    (create,) = [statement for statement, action in statements if "Create" in action]
    assert create["Condition"] == {"StringEquals": {"aws:RequestTag/model-factory:model": "offers"}}
