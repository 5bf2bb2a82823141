"""Steps that take an earlier result, are tried again, or wait for somebody's answer; parameters of an execution."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from local_aws.sagemaker.pipelines.execution import Execution
from local_aws.sagemaker.pipelines.function_step import StepFailed
from local_aws.sagemaker.pipelines.retries import exception_type, waits
from local_aws.sagemaker.pipelines.step_cache import oldest, signature
from local_aws.sagemaker.state import ServiceError

from .endpoint import wait

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def cached(aws, script):
    """A step that is cached for an hour, and a step that uses what it wrote."""
    uri = f"s3://{aws.bucket}/{aws.name('out')}"
    step = {
        "Name": "Make",
        "Type": "Processing",
        "Arguments": aws.processing(script, outputs={"report": uri}),
    }
    step |= {"CacheConfig": {"Enabled": True, "ExpireAfter": "PT1H"}}
    step |= {"PropertyFiles": [{"PropertyFileName": "R", "OutputName": "report", "FilePath": "report.json"}]}
    look = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Make.PropertyFiles.R"}, "Path": "value"}}
    return [
        step,
        {"Name": "Say", "Type": "Fail", "Arguments": {"ErrorMessage": {"Std:Join": {"On": "", "Values": [look]}}}},
    ]


WRITE = """import json, pathlib
pathlib.Path('/opt/ml/processing/output/report/report.json').write_text(json.dumps({'value': 'made'}))
"""


def test_cached_step_takes_the_earlier_result_and_its_files(aws):
    pipeline = aws.pipeline(cached(aws, WRITE))
    first_execution, first = aws.finished(aws.start(pipeline))
    execution, done = aws.finished(aws.start(pipeline))
    source = first_execution["PipelineExecutionArn"]
    assert done["Make"]["CacheHitResult"] == {"SourcePipelineExecutionArn": source}
    assert done["Make"]["Metadata"] == first["Make"]["Metadata"]
    assert "CacheHitResult" not in first["Make"]
    assert execution["FailureReason"] == "made"


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("30d", timedelta(days=30)),
        ("T16m", timedelta(minutes=16)),
        ("30dT5h", timedelta(days=30, hours=5)),
        ("P1Y2M", timedelta(days=425)),
        ("PT1H", timedelta(hours=1)),
    ],
)
def test_expiry_is_read_as_aws_documents_it(text, age):
    assert oldest({"Name": "S", "CacheConfig": {"ExpireAfter": text}}, NOW) == NOW - age


def test_expiry_of_another_form_is_refused():
    with pytest.raises(ServiceError, match="ExpireAfter tomorrow of step S is no ISO 8601 duration"):
        oldest({"Name": "S", "CacheConfig": {"ExpireAfter": "tomorrow"}}, NOW)


def test_signature_has_the_documented_attributes_only():
    def key(kind="Processing", **arguments):
        return signature({"Name": "S", "Type": kind, "CacheConfig": {"Enabled": True}}, arguments)

    assert key(Environment={"A": "1"}, RoleArn="r") == key(Environment={"A": "1"}, RoleArn="other")
    assert key(Environment={"A": "1"}) != key(Environment={"A": "2"})
    ranges = {"HyperParameterRanges": {}, "RoleArn": "r"}
    assert key("Tuning", TrainingJobDefinition=ranges) == key(
        "Tuning", TrainingJobDefinition=ranges | {"RoleArn": "other"}
    )
    assert signature({"Name": "S", "Type": "Training", "CacheConfig": {"Enabled": False}}, {}) is None


def refusal(code):
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "CreateTrainingJob")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refusal("ThrottlingException"), "Step.THROTTLING"),
        (refusal("ResourceLimitExceeded"), "SageMaker.RESOURCE_LIMIT"),
        (refusal("ValidationException"), None),
        (StepFailed("InternalServerError: again"), "SageMaker.JOB_INTERNAL_ERROR"),
        (StepFailed("CapacityError: none"), "SageMaker.CAPACITY_ERROR"),
        (StepFailed("AlgorithmError: 1"), None),
    ],
)
def test_failure_has_the_type_that_policies_name(error, expected):
    assert exception_type(error) == expected


def test_policy_decides_how_often_and_how_long():
    policy = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 0.1, "BackoffRate": 2.0, "MaxAttempts": 3}
    assert list(waits([policy], "Step.THROTTLING")) == [0.1, 0.2, 0.4]
    assert list(waits([policy], "SageMaker.CAPACITY_ERROR")) == []
    assert list(waits([policy], None)) == []


def test_step_is_tried_again_as_its_policy_says():
    execution, record, runs = object.__new__(Execution), {"AttemptCount": 1}, []
    execution._stop = threading.Event()

    def run(step, record):
        runs.append(step)
        raise StepFailed("CapacityError: none" if len(runs) < 3 else "InternalServerError: once")

    policies = [{"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "IntervalSeconds": 0.001, "MaxAttempts": 2}]
    with pytest.raises(StepFailed, match="InternalServerError"):
        execution._attempt(run, {"Name": "S", "Type": "Training", "RetryPolicies": policies}, record)
    assert record["AttemptCount"] == len(runs) == 3


@pytest.fixture
def waiting(aws):
    """An execution with a callback step: its ARN, and a function that receives the next message."""
    sqs = aws.client("sqs")
    queue = sqs.create_queue(QueueName=aws.name("callbacks"))["QueueUrl"]
    step = {
        "Name": "Ask",
        "Type": "Callback",
        "SqsQueueUrl": queue,
        "Arguments": {"number": {"Get": "Parameters.Number"}},
        "OutputParameters": [{"OutputName": "answer", "OutputType": "Integer"}],
    }
    say = {"Std:Join": {"On": " ", "Values": ["it is", {"Get": "Steps.Ask.OutputParameters['answer']"}]}}
    fail = {"Name": "Say", "Type": "Fail", "Arguments": {"ErrorMessage": say}}
    parameters = [{"Name": "Number", "Type": "Integer", "DefaultValue": 20}]

    def receive():
        (message,) = wait(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return json.loads(message["Body"])

    return aws.start(aws.pipeline([step, fail], parameters), Number="21"), receive


def test_callback_step_waits_for_the_answer_to_its_message(aws, waiting):
    arn, receive = waiting
    message = receive()
    assert message | {"token": ""} == {
        "token": "", "pipelineExecutionArn": arn, "arguments": {"number": 21}, "status": "Executing",
    }  # fmt: skip
    answer = {"CallbackToken": message["token"], "OutputParameters": [{"Name": "answer", "Value": "42"}]}
    assert aws.sagemaker.send_pipeline_execution_step_success(**answer)["PipelineExecutionArn"] == arn
    execution, done = aws.finished(arn)
    assert execution["FailureReason"] == "it is 42"
    assert done["Ask"]["Metadata"]["Callback"]["OutputParameters"] == answer["OutputParameters"]
    with pytest.raises(ClientError, match="was answered before"):
        aws.sagemaker.send_pipeline_execution_step_success(**answer)


def test_execution_with_a_callback_step_stops_with_its_answer(aws, waiting):
    arn, receive = waiting
    receive()
    aws.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="s" * 32)
    message = receive()
    assert message["status"] == "Stopping"
    aws.sagemaker.send_pipeline_execution_step_failure(CallbackToken=message["token"], FailureReason="cleaned up")
    execution, done = aws.finished(arn)
    assert done["Ask"]["FailureReason"] == "cleaned up"
    assert execution["PipelineExecutionStatus"] in ("Stopped", "Failed")


def test_parameter_of_another_value_starts_nothing(aws):
    fail = {"Name": "Say", "Type": "Fail", "Arguments": {"ErrorMessage": "m"}}
    parameters = [
        {"Name": "Colour", "Type": "String", "DefaultValue": "red", "EnumValues": ["red", "blue"]},
        {"Name": "Rows", "Type": "Integer", "DefaultValue": 1},
    ]
    pipeline = aws.pipeline([fail], parameters)
    with pytest.raises(ClientError, match=r"\[Colour\] has the value \[green\], which is none of \[red, blue\]"):
        aws.start(pipeline, Colour="green")
    with pytest.raises(ClientError, match=r"\[Rows\] of type Integer has the value \[many\]"):
        aws.start(pipeline, Rows="many")
