"""The embedded AWS before its restart: every store has something. Run as a script with the folder of the state."""

import io
import json
import sys
import tarfile
import time
import zipfile
from pathlib import Path

from botocore.config import Config

from local_aws.server import LocalAws

SERVICES = (
    *("s3", "sqs", "sns", "iam", "kms", "ssm", "lambda", "events", "scheduler", "cloudwatch", "cloudformation"),
    *("sagemaker", "sagemaker-runtime"),
)
ACCOUNT, REGION = "123456789012", "us-east-1"
TOPIC, ALARM = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts", {"Namespace": "Test", "MetricName": "Errors"}
SERVE = """
import flask
def model_fn(model_dir):
    return None
def transform_fn(model, body, content_type, accept):
    return flask.Response("alive", content_type="text/plain")
"""
TEMPLATE = {
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "of-stack", "DelaySeconds": 1}},
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": "of-stack",
                **ALARM,
                "Statistic": "Sum",
                "Period": 86400,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            },
        },
    },
    "Outputs": {"Url": {"Value": {"Ref": "Queue"}, "Export": {"Name": "queue-url"}}},
}


def document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def clients(local):
    session, config = local.session(), Config(retries={"total_max_attempts": 1})
    return {name: session.client(name, config=config) for name in SERVICES}


def archive(name, text):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()


def job_zip():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as code:
        code.writestr("__main__.py", "import time; print('runs', flush=True); time.sleep(600)")
    return content.getvalue()


def role(aws):
    trust = document(
        Principal={"Service": [f"{each}.amazonaws.com" for each in ("sagemaker", "scheduler", "lambda")]},
        Action="sts:AssumeRole",
    )
    arn = aws["iam"].create_role(RoleName="worker", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    aws["iam"].put_role_policy(RoleName="worker", PolicyName="all", PolicyDocument=document(Action="*", Resource="*"))
    return arn


def fill_objects(aws):
    aws["s3"].create_bucket(Bucket="kept-data")
    aws["s3"].put_bucket_versioning(Bucket="kept-data", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"first", b"second"):
        aws["s3"].put_object(Bucket="kept-data", Key="rows.csv", Body=body)
    aws["s3"].put_object(Bucket="kept-data", Key="model.tar.gz", Body=archive("code/serve.py", SERVE))
    aws["s3"].put_object(Bucket="kept-data", Key="code/code.zip", Body=job_zip())


def fill_messages(aws):
    settings = {"FifoQueue": "true", "VisibilityTimeout": "1"}
    url = aws["sqs"].create_queue(QueueName="kept.fifo", Attributes=settings)["QueueUrl"]
    for text in ("taken", "waiting"):
        aws["sqs"].send_message(
            QueueUrl=url, MessageBody=text, MessageGroupId="model", MessageDeduplicationId=f"id-{text}"
        )
    assert aws["sqs"].receive_message(QueueUrl=url)["Messages"][0]["Body"] == "taken"
    aws["sns"].create_topic(Name="alerts")
    aws["sns"].subscribe(TopicArn=TOPIC, Protocol="email", Endpoint="ada@example.com")
    events = f"arn:aws:sqs:{REGION}:{ACCOUNT}:events"
    policy = document(Principal={"Service": "events.amazonaws.com"}, Action="sqs:SendMessage", Resource=events)
    aws["sqs"].create_queue(QueueName="events", Attributes={"Policy": policy})
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": [{"suffix": "Status Change"}, {"suffix": "Job State Change"}],
    }
    aws["events"].put_rule(Name="ends", EventPattern=json.dumps(pattern))
    aws["events"].put_targets(Rule="ends", Targets=[{"Id": "queue", "Arn": events}])
    return url


def fill_functions(aws, worker):
    aws["ssm"].put_parameter(Name="/kept/number", Value="1", Type="String")
    key = aws["kms"].create_key()["KeyMetadata"]["KeyId"]
    aws["kms"].create_alias(AliasName="alias/kept", TargetKeyId=key)
    queue = aws["sqs"].create_queue(QueueName="work")["QueueUrl"]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as code:
        code.writestr("handler.py", "def handle(event, context):\n    return event['n'] + 1\n")
    aws["lambda"].create_function(
        FunctionName="adder",
        Role=worker,
        Runtime="python3.12",
        Handler="handler.handle",
        Code={"ZipFile": content.getvalue()},
    )
    aws["lambda"].create_event_source_mapping(
        FunctionName="adder", EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:work"
    )
    assert queue


def fill_monitoring(aws, worker):
    target = {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:events", "RoleArn": worker, "Input": "{}"}
    aws["scheduler"].create_schedule(
        Name="nightly", ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
    )
    aws["cloudformation"].create_stack(StackName="small", TemplateBody=json.dumps(TEMPLATE))
    aws["cloudwatch"].put_metric_data(Namespace="Test", MetricData=[{"MetricName": "Errors", "Value": 5}])
    while not aws["cloudwatch"].describe_alarms(AlarmNames=["of-stack"], StateValue="ALARM")["MetricAlarms"]:
        time.sleep(0.02)


def fill_sagemaker(aws, worker):
    sagemaker = aws["sagemaker"]
    sagemaker.create_model_package_group(ModelPackageGroupName="models")
    container = {"Image": "image", "ModelDataUrl": "s3://kept-data/model.tar.gz"}
    sagemaker.create_model_package(
        ModelPackageGroupName="models",
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    program = {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    sagemaker.create_model(
        ModelName="live", PrimaryContainer=container | {"Environment": program}, ExecutionRoleArn=worker
    )
    variant = {"VariantName": "main", "ModelName": "live", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="live", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="live", EndpointConfigName="live")
    while (found := sagemaker.describe_endpoint(EndpointName="live"))["EndpointStatus"] == "Creating":
        time.sleep(0.05)
    assert found["EndpointStatus"] == "InService", found["FailureReason"]
    tune(sagemaker, aws["s3"], worker)
    definition = {"Version": "2020-12-01", "Steps": [{"Name": "Work", "Type": "Processing", "Arguments": job(worker)}]}
    sagemaker.create_pipeline(
        PipelineName="train", PipelineDefinition=json.dumps(definition), RoleArn=worker, ClientRequestToken="a" * 32
    )
    execution = sagemaker.start_pipeline_execution(PipelineName="train", ClientRequestToken="b" * 32)
    while not sagemaker.list_processing_jobs()["ProcessingJobSummaries"]:
        time.sleep(0.02)
    return execution["PipelineExecutionArn"]


def tune(sagemaker, s3, worker):
    """Start a tuning job whose training job does not end."""
    s3.put_object(Bucket="kept-data", Key="program/wait.py", Body=b"import signal; signal.pause()")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://kept-data/program/wait.py"}}
    image = {"TrainingImage": "image", "TrainingInputMode": "File"}
    ranges = {"IntegerParameterRanges": [{"Name": "n", "MinValue": "1", "MaxValue": "9"}]}
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="search",
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "auc"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": ranges,
        },
        TrainingJobDefinition={
            "RoleArn": worker,
            "AlgorithmSpecification": image | {"MetricDefinitions": [{"Name": "auc", "Regex": "auc=(.*)"}]},
            "InputDataConfig": [{"ChannelName": "program", "DataSource": source}],
            "OutputDataConfig": {"S3OutputPath": "s3://kept-data/searched"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "StaticHyperParameters": {
                "sagemaker_program": "wait.py",
                "sagemaker_submit_directory": "/opt/ml/input/data/program",
            },
        },
    )


def job(worker):
    source = {
        "S3Uri": "s3://kept-data/code/",
        "LocalPath": "/opt/ml/processing/input/code",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        },
        "AppSpecification": {
            "ImageUri": "image",
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/code.zip"],
        },
        "RoleArn": worker,
        "ProcessingInputs": [{"InputName": "code", "S3Input": source}],
    }


def first_life(folder):
    """Fill every store; what the second life needs to know."""
    with LocalAws(folder, keep=True) as local:
        aws = clients(local)
        worker = role(aws)
        fill_objects(aws)
        url = fill_messages(aws)
        fill_functions(aws, worker)
        fill_monitoring(aws, worker)
        execution = fill_sagemaker(aws, worker)
        (stack,) = aws["cloudformation"].describe_stacks(StackName="small")["Stacks"]
        return {"port": local.port, "url": url, "execution": execution, "outputs": stack["Outputs"]}


if __name__ == "__main__":
    print(json.dumps(first_life(Path(sys.argv[1]))))
