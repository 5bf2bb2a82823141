"""Messages about mistakes in pipeline definitions."""

import pytest

from model_factory.definition import (
    CacheConfig,
    Condition,
    ConditionStep,
    DefinitionError,
    Execution,
    FailStep,
    Get,
    Join,
    JsonGet,
    Parameter,
    PipelineDefinition,
    ProcessingStep,
    PropertyFile,
    RegisterModelStep,
    RetryPolicy,
    Step,
    TrainingStep,
)

ROLE = "arn:aws:iam::111111111111:role/jobs"


def processing(name="Prepare", *, property_files=(), **changes):
    """A processing step that is right, with some arguments changed; None takes one away."""
    arguments = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": "image"},
        "RoleArn": ROLE,
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "report",
                    "S3Output": {"S3Uri": "s3://b/r", "LocalPath": "/opt/ml/r", "S3UploadMode": "EndOfJob"},
                }
            ]
        },
    } | changes
    kept = {key: value for key, value in arguments.items() if value is not None}
    return ProcessingStep(name, kept, property_files=property_files)


def mistakes(*steps, parameters=()):
    with pytest.raises(DefinitionError) as caught:
        PipelineDefinition(steps, parameters)
    return caught.value.mistakes


def test_definition_is_rendered_in_published_format():
    size = Parameter("Size", 3, "Integer")
    step = processing(Environment={"ID": Execution.ID, "SIZE": Join("-", ["n", size])})
    rendered = PipelineDefinition([step], [size]).render()
    assert rendered["Version"] == "2020-12-01"
    assert rendered["Parameters"] == [{"Name": "Size", "Type": "Integer", "DefaultValue": 3}]
    assert rendered["Steps"][0]["Arguments"]["Environment"] == {
        "ID": {"Get": "Execution.PipelineExecutionId"},
        "SIZE": {"Std:Join": {"On": "-", "Values": ["n", {"Get": "Parameters.Size"}]}},
    }


def test_unknown_member_names_nearest_member():
    step = processing(ProcesingResources={})
    assert mistakes(step) == [
        "step 'Prepare': Arguments.ProcesingResources is no member of CreateProcessingJob; "
        "did you mean 'ProcessingResources'?"
    ]


def test_unknown_nested_member_names_its_path():
    step = processing(AppSpecification={"ImageUri": "image", "Entrypoint": ["x"]})
    assert mistakes(step) == [
        "step 'Prepare': Arguments.AppSpecification.Entrypoint is no member of AppSpecification; "
        "did you mean 'ContainerEntrypoint'?"
    ]


def test_missing_member_is_reported_except_generated_name():
    assert mistakes(processing(RoleArn=None)) == [
        "step 'Prepare': Arguments.RoleArn is missing; CreateProcessingJob requires it"
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Environment": ["A"]}, "Arguments.Environment is ['A'] but must be a mapping"),
        ({"RoleArn": "jobs-role-of-my-account"}, "Arguments.RoleArn is 'jobs-role-of-my-account' but must match"),
        ({"Tags": [{"Key": "k", "Value": 1}]}, "Arguments.Tags[0].Value is 1 but must be a text"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 0}},
            "Arguments.StoppingCondition.MaxRuntimeInSeconds is 0 but at least 1 is required",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": True}},
            "Arguments.StoppingCondition.MaxRuntimeInSeconds is True but must be a whole number",
        ),
        ({"Environment": {"A": "x" * 257}}, "Arguments.Environment['A'] has 257 characters but at most 256 is allowed"),
    ],
)
def test_wrong_value_names_field_and_allowed_values(changes, message):
    (mistake,) = mistakes(processing(**changes))
    assert mistake.startswith(f"step 'Prepare': {message}")


def test_wrong_enum_value_names_nearest_value():
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.lage", "VolumeSizeInGB": 30}
    (mistake,) = mistakes(processing(ProcessingResources={"ClusterConfig": cluster}))
    assert mistake == (
        "step 'Prepare': Arguments.ProcessingResources.ClusterConfig.InstanceType is 'ml.m5.lage'; "
        "did you mean 'ml.m5.large'?"
    )


def test_tokens_and_functions_pass():
    role = "${Token[Role.Arn.17]}"
    number = -1.8881545897087626e289  # CDK's form of a number token
    cluster = {"InstanceCount": Parameter("Count", 1, "Integer"), "InstanceType": role, "VolumeSizeInGB": number}
    step = processing(RoleArn=role, ProcessingResources={"ClusterConfig": cluster})
    assert PipelineDefinition([step], [Parameter("Count", 1, "Integer")])


def test_all_mistakes_are_reported_at_once():
    assert len(mistakes(processing("A", RoleArn=None), processing("B", Enviroment={}))) == 2


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Get("Steps.Prepar.ProcessingJobName"), "refers to step 'Prepar', which is not there; did you mean 'Prepare'?"),
        (Get("Steps.Prepare.ProcessingJobNam"), "DescribeProcessingJob answers no 'ProcessingJobNam' there; did you"),
        (Get("Parameters.Sise"), "parameter 'Sise' is not declared; did you mean 'Size'?"),
        (Get("Execution.Id"), "there is no execution variable 'Id'"),
        (Get("Step.Prepare.X"), "starts with 'Step'; did you mean 'Steps'?"),
        (Parameter("Other"), "parameter 'Other' is not declared"),
        (JsonGet("Prepare", "Reprt", "a"), "step 'Prepare' has no property file 'Reprt'; did you mean 'Report'?"),
        (
            Get("Steps.Prepare.ProcessingOutputConfig.Outputs['raport'].S3Output.S3Uri"),
            "step 'Prepare' has no output 'raport'; did you mean 'report'?",
        ),
        (Join("", ["a", Get("Parameters.Deep")]), "parameter 'Deep' is not declared"),
    ],
)
def test_unresolved_reference_is_reported(value, message):
    prepare = processing(property_files=[PropertyFile("Report", "report", "report.json")])
    after = processing("After", Environment={"A": value})
    (mistake,) = mistakes(prepare, after, parameters=[Parameter("Size")])
    assert mistake.startswith("step 'After': ")
    assert message in mistake


def test_references_in_condition_branches_are_checked():
    prepare = processing(property_files=[PropertyFile("Report", "report", "report.json")])
    gate = ConditionStep(
        "Gate",
        conditions=[Condition("GreaterThan", prepare.json("Report", "rows"), 0)],
        if_steps=[processing("Then", Environment={"ROWS": Join("", [prepare.json("Report", "rows")])})],
        else_steps=[FailStep("Stop", {"ErrorMessage": prepare.json("Reprot", "reason")})],
    )
    (mistake,) = mistakes(prepare, gate)
    assert mistake == "step 'Stop': step 'Prepare' has no property file 'Reprot'; did you mean 'Report'?"


def test_property_file_needs_output_of_its_step():
    step = processing(property_files=[PropertyFile("Report", "raport", "report.json")])
    assert "did you mean 'report'?" in mistakes(step)[0]


def test_step_names_are_unique_and_valid():
    told = mistakes(processing("A"), processing("A"), processing("a step"))
    assert told == [
        "step 'A' is defined 2 times; every name must be different",
        "step 'a step': a name has 1 to 64 letters, digits, - and _",
    ]


def test_cycle_of_steps_is_reported():
    first = processing("First", Environment={"A": Get("Steps.Second.ProcessingJobName")})
    second = processing("Second", Environment={"A": Get("Steps.First.ProcessingJobName")})
    (mistake,) = mistakes(first, second)
    assert mistake.startswith("steps wait for each other: ")


def test_dependency_on_unknown_step_is_reported():
    step = ProcessingStep("Last", processing().arguments, depends_on=["Preparation"])
    assert "depends on step 'Preparation', which is not there" in mistakes(step)[0]


def test_training_step_is_checked_against_create_training_job():
    told = mistakes(TrainingStep("Train", {"RoleArn": ROLE, "AppSpecification": {}}))
    assert any("Arguments.AppSpecification is no member of CreateTrainingJob" in mistake for mistake in told)


def test_step_of_other_type_is_not_checked():
    step = Step("Ask", {"anything": 1}, "Callback", display_name="Ask", depends_on=[])
    assert PipelineDefinition([step]).render()["Steps"] == [
        {"Name": "Ask", "Type": "Callback", "Arguments": {"anything": 1}, "DisplayName": "Ask"}
    ]


def test_retries_and_cache_are_rendered_beside_arguments():
    retry = RetryPolicy(("Step.THROTTLING",), max_attempts=3, interval_seconds=5)
    step = ProcessingStep("A", processing().arguments, retry_policies=[retry], cache=CacheConfig("P1D"))
    rendered = PipelineDefinition([step]).render()["Steps"][0]
    assert rendered["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P1D"}
    assert rendered["RetryPolicies"] == [
        {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 5, "BackoffRate": 2.0, "MaxAttempts": 3}
    ]


def test_registration_is_not_repeated_after_errors_of_jobs():
    retry = RetryPolicy(["Step.THROTTLING", "SageMaker.CAPACITY_ERROR"], max_attempts=3)
    register = RegisterModelStep("Register", {"ModelPackageGroupName": "group"}, retry_policies=[retry])
    expected = "step 'Register': SageMaker.CAPACITY_ERROR is an error of jobs, and RegisterModel starts none"
    assert mistakes(register) == [expected]
