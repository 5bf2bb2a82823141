"""Executions of selected steps, with the results of an earlier execution for the steps before them."""

import uuid

import pytest
from botocore.exceptions import ClientError

WRITE = """import json, pathlib
pathlib.Path('/opt/ml/processing/output/report/report.json').write_text(json.dumps({'value': 'made'}))
"""


def say(name, *values, before=()):
    joined = {"Std:Join": {"On": " ", "Values": list(values)}}
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": joined}, "DependsOn": list(before)}


@pytest.fixture(scope="module")
def first(aws):
    """A pipeline with a job, a condition and branches; its first execution, which took the first branch."""
    made = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Make.PropertyFiles.R"}, "Path": "value"}}
    word = {"Get": "Parameters.Word"}
    condition = {"Type": "Equals", "LeftValue": made, "RightValue": word}
    branches = {"IfSteps": [say("Same", made, word)], "ElseSteps": [say("Differs", made, word)]}
    steps = [
        {
            "Name": "Make",
            "Type": "Processing",
            "Arguments": aws.processing(WRITE, outputs={"report": f"s3://{aws.bucket}/{aws.name('out')}"}),
            "PropertyFiles": [{"PropertyFileName": "R", "OutputName": "report", "FilePath": "report.json"}],
        },
        {"Name": "Compare", "Type": "Condition", "Arguments": {"Conditions": [condition], **branches}},
    ]
    parameters = [{"Name": "Word", "Type": "String", "DefaultValue": "made"}]
    pipeline = aws.pipeline(steps, parameters)
    execution, done = aws.finished(aws.start(pipeline))
    assert execution["FailureReason"] == "made made"
    return pipeline, execution["PipelineExecutionArn"], done


def start(aws, first, *names, source=True, word="made"):
    pipeline, arn, _ = first
    more = {"SourcePipelineExecutionArn": arn} if source else {}
    return aws.sagemaker.start_pipeline_execution(
        PipelineName=pipeline,
        ClientRequestToken=uuid.uuid4().hex,
        PipelineParameters=[{"Name": "Word", "Value": word}],
        SelectiveExecutionConfig={"SelectedSteps": [{"StepName": name} for name in names], **more},
    )["PipelineExecutionArn"]


@pytest.fixture(scope="module")
def made_only(aws, first):
    """An execution of the pipeline's first step alone, and its steps."""
    return aws.finished(start(aws, first, "Make", source=False))


def test_selected_steps_run_with_the_results_of_the_source(aws, first):
    _, source, earlier = first
    execution, done = aws.finished(start(aws, first, "Compare", "Differs", word="other"))
    assert execution["FailureReason"] == "made other"
    assert execution["SelectiveExecutionConfig"]["SourcePipelineExecutionArn"] == source
    assert done["Make"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": source}
    assert done["Make"]["Metadata"] == earlier["Make"]["Metadata"]
    assert "SelectiveExecutionResult" not in done["Differs"]


def test_steps_after_the_selected_ones_do_not_run(aws, first):
    execution, done = aws.finished(start(aws, first, "Compare", word="other"))
    assert (execution["PipelineExecutionStatus"], set(done)) == ("Succeeded", {"Make", "Compare"})
    assert done["Compare"]["Metadata"] == {"Condition": {"Outcome": "False"}}


def test_selected_step_without_earlier_ones_needs_no_source(first, made_only):
    execution, done = made_only
    assert (execution["PipelineExecutionStatus"], set(done)) == ("Succeeded", {"Make"})
    assert done["Make"]["Metadata"] != first[2]["Make"]["Metadata"]


def test_step_of_a_branch_runs_if_the_source_took_it(aws, first):
    execution, _ = aws.finished(start(aws, first, "Same", word="new"))
    assert execution["FailureReason"] == "made new"
    execution, done = aws.finished(start(aws, first, "Differs", word="new"))
    assert (execution["PipelineExecutionStatus"], set(done)) == ("Succeeded", {"Make", "Compare"})


def test_selection_that_aws_refuses_starts_nothing(aws, first, made_only):
    with pytest.raises(ClientError, match=r"null. The selected steps \[Compare\] have dependencies on \[Make\]"):
        start(aws, first, "Compare", source=False)
    with pytest.raises(ClientError, match=r"\[Compare\] are between selected steps"):
        start(aws, first, "Make", "Same")
    with pytest.raises(ClientError, match=r"It has no result of the steps \[Compare\]"):
        start(aws, (first[0], made_only[0]["PipelineExecutionArn"], {}), "Same")
