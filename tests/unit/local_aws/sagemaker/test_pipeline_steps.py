"""Steps of a pipeline that run no job of their own, and jobs that are stopped from outside."""

import io
import zipfile

from .endpoint import wait


def function(aws, code):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", code)
    return aws.client("lambda").create_function(
        FunctionName=aws.name("function"),
        Runtime="python3.12",
        Role=aws.role,
        Handler="handler.handle",
        Code={"ZipFile": content.getvalue()},
    )["FunctionArn"]


def test_lambda_step_output_is_available_to_next_step(aws):
    arn = function(aws, "def handle(event, context):\n    return {'doubled': event['number'] * 2}\n")
    step = {
        "Name": "Double",
        "Type": "Lambda",
        "FunctionArn": arn,
        "Arguments": {"number": 21},
        "OutputParameters": [{"OutputName": "doubled", "OutputType": "Integer"}],
    }
    message = {"Std:Join": {"On": " ", "Values": ["it is", {"Get": "Steps.Double.OutputParameters['doubled']"}]}}
    fail = {"Name": "Tell", "Type": "Fail", "Arguments": {"ErrorMessage": message}}

    execution, done = aws.finished(aws.start(aws.pipeline([fail, step])))

    assert "it is 42" in execution["FailureReason"]
    assert done["Double"]["Metadata"]["Lambda"]["Arn"] == arn


def test_model_step_creates_model(aws):
    container = {"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz"}
    arguments = {"ExecutionRoleArn": aws.role, "PrimaryContainer": container}
    events = aws.listen("SageMaker Model State Change")

    _, done = aws.finished(aws.start(aws.pipeline([{"Name": "Make", "Type": "Model", "Arguments": arguments}])))

    arn = done["Make"]["Metadata"]["Model"]["Arn"]
    assert aws.sagemaker.describe_model(ModelName=arn.rsplit("/", 1)[-1])["PrimaryContainer"] == container
    assert wait(lambda: [event for event in events() if event["resources"] == [arn]])


def test_stopped_job_fails_its_step(aws):
    sleep = {"Name": "Sleep", "Type": "Processing", "Arguments": aws.processing("import time; time.sleep(60)")}
    after = {"Name": "After", "Type": "Processing", "DependsOn": ["Sleep"], "Arguments": aws.processing("")}
    arn = aws.start(aws.pipeline([sleep, after]))
    job = wait(lambda: aws.steps(arn).get("Sleep", {}).get("Metadata"))["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]

    aws.sagemaker.stop_processing_job(ProcessingJobName=job)
    execution, done = aws.finished(arn)

    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "was stopped" in done["Sleep"]["FailureReason"]
    assert "After" not in done
