"""Executions of deployed definitions: order, references, conditions, failures, stopping, lists."""

import itertools
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from .endpoint import wait

PREPARE = """
import os, pathlib
root = pathlib.Path(os.environ.get("LOCAL_AWS_ML_ROOT", "/opt/ml")) / "processing/output/train"
(root / "part.csv").write_text("1\\n2\\n6\\n")
"""
TRAIN = """
import json, os, pathlib
root = pathlib.Path(os.environ.get("LOCAL_AWS_ML_ROOT", "/opt/ml"))
rows = (root / "input/data/train/part.csv").read_text().split()
(root / "model/model.json").write_text(json.dumps({"mean": sum(map(float, rows)) / len(rows)}))
"""
EVALUATE = """
import json, os, pathlib, tarfile
root = pathlib.Path(os.environ.get("LOCAL_AWS_ML_ROOT", "/opt/ml"))
with tarfile.open(root / "processing/input/model/model.tar.gz") as tar:
    mean = json.loads(tar.extractfile("model.json").read())["mean"]
report = {"gate": {"value": mean, "reason": f"the mean is {mean}"}}
(root / "processing/output/evaluation/evaluation.json").write_text(json.dumps(report))
"""


def gate(path):
    return {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Evaluation"}, "Path": path}}


def steps(aws, group):
    """Processing, training, processing, then by condition a registered version or a failure."""
    where = f"s3://{aws.bucket}/{aws.name('run')}"
    prepare = aws.processing(PREPARE, outputs={"train": "replaced"})
    prepare["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] = {
        "Std:Join": {"On": "/", "Values": [where, {"Get": "Execution.PipelineExecutionId"}, "train"]}
    }
    prepared = {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"}
    artifacts = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    model = {"Image": "image", "ModelDataUrl": artifacts}
    register = {
        "ModelPackageGroupName": group,
        "ModelApprovalStatus": "PendingManualApproval",
        "CustomerMetadataProperties": {"execution": {"Get": "Execution.PipelineExecutionId"}},
        "InferenceSpecification": {
            "Containers": [model],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    }
    limit = {"Get": "Parameters.Limit"}
    choose = {
        "Conditions": [{"Type": "GreaterThanOrEqualTo", "LeftValue": gate("gate.value"), "RightValue": limit}],
        "IfSteps": [{"Name": "Register", "Type": "RegisterModel", "Arguments": register}],
        "ElseSteps": [{"Name": "Reject", "Type": "Fail", "Arguments": {"ErrorMessage": gate("gate.reason")}}],
    }
    evaluation = {"evaluation": f"{where}/evaluation"}
    return [
        {"Name": "Gate", "Type": "Condition", "Arguments": choose},
        {
            "Name": "Evaluate",
            "Type": "Processing",
            "Arguments": aws.processing(EVALUATE, inputs={"model": artifacts}, outputs=evaluation),
            "PropertyFiles": [
                {"PropertyFileName": "Evaluation", "OutputName": "evaluation", "FilePath": "evaluation.json"}
            ],
        },
        {"Name": "Train", "Type": "Training", "Arguments": aws.training(TRAIN, {"train": prepared})},
        {"Name": "Prepare", "Type": "Processing", "Arguments": prepare},
    ]


@pytest.fixture(scope="module")
def trained(aws):
    """A pipeline whose model's mean is 3.0, and its model package group."""
    group = aws.name("group")
    aws.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    limit = {"Name": "Limit", "Type": "Float", "DefaultValue": 2.5}
    return aws.pipeline(steps(aws, group), [limit]), group


def test_pipeline_runs_steps_in_order_and_registers_version(aws, trained):
    pipeline, group = trained

    execution, done = aws.finished(aws.start(pipeline))

    assert execution["PipelineExecutionStatus"] == "Succeeded", execution.get("FailureReason")
    assert sorted(done, key=lambda name: done[name]["StartTime"]) == [
        "Prepare",
        "Train",
        "Evaluate",
        "Gate",
        "Register",
    ]
    assert done["Gate"]["Metadata"]["Condition"]["Outcome"].lower() == "true"
    arn = done["Register"]["Metadata"]["RegisterModel"]["Arn"]
    package = aws.sagemaker.describe_model_package(ModelPackageName=arn)
    assert (package["ModelPackageGroupName"], package["ModelPackageVersion"]) == (group, 1)
    assert package["CustomerMetadataProperties"] == {"execution": execution["PipelineExecutionArn"].rsplit("/", 1)[-1]}
    job = done["Train"]["Metadata"]["TrainingJob"]["Arn"].rsplit("/", 1)[-1]
    assert job.startswith("pipelines-")
    found = aws.sagemaker.describe_training_job(TrainingJobName=job)
    [container] = package["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == found["ModelArtifacts"]["S3ModelArtifacts"]


def test_condition_step_rejects_with_message(aws, trained):
    pipeline, group = trained
    versions = len(aws.sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"])

    execution, done = aws.finished(aws.start(pipeline, Limit="3.5"))

    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "the mean is 3.0" in execution["FailureReason"]
    assert done["Gate"]["Metadata"]["Condition"]["Outcome"].lower() == "false"
    assert done["Reject"]["StepStatus"] == "Failed"
    assert len(aws.sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]) == versions


def test_failed_job_fails_execution_and_later_steps_do_not_run(aws):
    script = """
import os, pathlib, sys
path = pathlib.Path(os.environ.get("LOCAL_AWS_ML_ROOT", "/opt/ml")) / "output/message"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text("column age is missing")
sys.exit(1)
"""
    after = {"Name": "After", "Type": "Processing", "DependsOn": ["First"], "Arguments": aws.processing("")}
    first = {"Name": "First", "Type": "Processing", "Arguments": aws.processing(script)}

    execution, done = aws.finished(aws.start(aws.pipeline([after, first])))

    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "First" in execution["FailureReason"]
    assert "column age is missing" in done["First"]["FailureReason"]
    assert "After" not in done


def test_independent_steps_run_in_parallel(aws):
    pause = aws.processing("import time; time.sleep(0.7)")
    names = ["One", "Two"]
    pipeline = aws.pipeline([{"Name": name, "Type": "Processing", "Arguments": pause} for name in names])

    _, done = aws.finished(aws.start(pipeline))

    assert max(done[name]["StartTime"] for name in names) < min(done[name]["EndTime"] for name in names)


def test_stopped_execution_stops_its_job(aws):
    sleep = {"Name": "Sleep", "Type": "Processing", "Arguments": aws.processing("import time; time.sleep(60)")}
    after = {"Name": "After", "Type": "Processing", "DependsOn": ["Sleep"], "Arguments": aws.processing("")}
    arn = aws.start(aws.pipeline([sleep, after]))
    job = wait(lambda: aws.steps(arn).get("Sleep", {}).get("Metadata"))["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]

    aws.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="t" * 32)
    execution, done = aws.finished(arn)

    assert execution["PipelineExecutionStatus"] == "Stopped"
    assert done["Sleep"]["StepStatus"] == "Stopped"
    assert "After" not in done
    assert wait(lambda: aws.ended("Processing", job))["ProcessingJobStatus"] == "Stopped"


def test_client_request_token_starts_one_execution(aws):
    pipeline = aws.pipeline([{"Name": "Only", "Type": "Processing", "Arguments": aws.processing("")}])

    first, second = (aws.start(pipeline, token="a" * 32) for _ in range(2))
    third = aws.start(pipeline, token="b" * 32)

    assert first == second != third
    aws.finished(first), aws.finished(third)
    listed = aws.sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    assert [each["PipelineExecutionArn"] for each in listed] == [third, first]


def test_unknown_parameter_is_refused(aws):
    step = {"Name": "Only", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}
    with pytest.raises(ClientError, match="Triger") as refused:
        aws.start(aws.pipeline([step]), Triger="manual")
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_execution_parameters_include_defaults(aws):
    parameters = [{"Name": name, "Type": "String", "DefaultValue": "default"} for name in ("Trigger", "Reason")]
    message = {"ErrorMessage": {"Std:Join": {"On": ": ", "Values": [{"Get": "Parameters.Trigger"}, "stop"]}}}
    arn = aws.start(aws.pipeline([{"Name": "Only", "Type": "Fail", "Arguments": message}], parameters), Trigger="drift")

    execution, _ = aws.finished(arn)

    assert "drift: stop" in execution["FailureReason"]
    found = aws.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    assert {each["Name"]: each["Value"] for each in found} == {"Trigger": "drift", "Reason": "default"}


def test_unsupported_step_type_fails_with_its_name(aws):
    execution, _ = aws.finished(aws.start(aws.pipeline([{"Name": "Big", "Type": "EMR", "Arguments": {}}])))

    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "EMR" in execution["FailureReason"]


def test_execution_keeps_its_definition_after_update(aws):
    step = {"Name": "Only", "Type": "Fail", "Arguments": {"ErrorMessage": "old"}}
    pipeline = aws.pipeline([step])
    arn = aws.start(pipeline)
    aws.finished(arn)
    new = json.dumps({"Version": "2020-12-01", "Steps": [{**step, "Arguments": {"ErrorMessage": "new"}}]})

    aws.sagemaker.update_pipeline(PipelineName=pipeline, PipelineDefinition=new)

    kept = aws.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)["PipelineDefinition"]
    assert json.loads(kept)["Steps"] == [step]
    assert aws.sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineDefinition"] == new


def test_description_of_execution_is_updated_and_listed(aws):
    pipeline = aws.pipeline([{"Name": "Only", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}])
    arn = aws.start(pipeline)

    aws.sagemaker.update_pipeline_execution(PipelineExecutionArn=arn, PipelineExecutionDescription="new")

    (listed,) = aws.sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    described = aws.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert listed["PipelineExecutionDescription"] == described["PipelineExecutionDescription"] == "new"
    assert described["PipelineExecutionDisplayName"] == listed["PipelineExecutionDisplayName"]


def test_execution_emits_events_and_metrics(aws):
    events = aws.listen("SageMaker Model Building Pipeline Execution Status Change")
    pipeline = aws.pipeline([{"Name": "Only", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}])
    arn = aws.start(pipeline)
    aws.finished(arn)

    def statuses():
        mine = [e["detail"] for e in events() if e["detail"]["pipelineExecutionArn"] == arn]
        found = [detail["currentPipelineExecutionStatus"] for detail in mine]
        return found if "Failed" in found else None

    assert wait(statuses) == ["Executing", "Failed"]

    def metrics():
        found = aws.client("cloudwatch").list_metrics(
            Namespace="AWS/Sagemaker/ModelBuildingPipeline", Dimensions=[{"Name": "PipelineName", "Value": pipeline}]
        )
        names = {metric["MetricName"] for metric in found["Metrics"]}
        return names if "ExecutionDuration" in names else None

    assert wait(metrics) == {"ExecutionStarted", "ExecutionFailed", "ExecutionDuration"}


def test_parallelism_limit_bounds_running_steps(aws):
    pause = aws.processing("import time; time.sleep(0.4)")
    names = ["One", "Two", "Three"]
    pipeline = aws.pipeline([{"Name": name, "Type": "Processing", "Arguments": pause} for name in names])
    arn = aws.sagemaker.start_pipeline_execution(
        PipelineName=pipeline, ParallelismConfiguration={"MaxParallelExecutionSteps": 1}
    )["PipelineExecutionArn"]

    _, done = aws.finished(arn)

    in_turn = sorted(done.values(), key=lambda step: step["StartTime"])
    assert len(in_turn) == 3
    assert all(before["EndTime"] <= after["StartTime"] for before, after in itertools.pairwise(in_turn))


def test_executions_are_listed_by_start_time(aws):
    pipeline = aws.pipeline([{"Name": "Only", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}])
    first = aws.start(pipeline)
    time.sleep(0.05)
    between = datetime.now(UTC)
    time.sleep(0.05)
    second = aws.start(pipeline)

    def listed(**filters):
        found = aws.sagemaker.list_pipeline_executions(PipelineName=pipeline, **filters)
        return [each["PipelineExecutionArn"] for each in found["PipelineExecutionSummaries"]]

    # boto3 sends whole seconds, so the boundary lies a second away
    assert listed(CreatedAfter=between + timedelta(hours=1)) == []
    assert listed(CreatedBefore=between - timedelta(hours=1)) == []
    assert listed(CreatedAfter=between - timedelta(hours=1)) == [second, first]
    assert listed(SortOrder="Ascending") == [first, second]
    page = aws.sagemaker.list_pipeline_executions(PipelineName=pipeline, MaxResults=1)
    assert listed(MaxResults=1, NextToken=page["NextToken"]) == [first]
