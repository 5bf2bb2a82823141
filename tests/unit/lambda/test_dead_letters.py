"""Through a real queue: a refused message ends in the dead letters and does not take the one behind it along."""

import io
import json
import time
import zipfile

import pytest

from model_factory.function_code import stage_function_code

from .conftest import ACCOUNT, REGION, ROOT, event, policy
from .test_retrain import Training

TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
ALLOWED = [
    "ssm:GetParameter",
    "sagemaker:ListPipelineExecutions",
    "sagemaker:StartPipelineExecution",
    "s3:ListBucket",
    "cloudwatch:PutMetricData",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ChangeMessageVisibility",
]


@pytest.fixture
def queues(cloud, tmp_path):
    """URLs of the queue that the deployed function reads, and of its dead letters."""
    name = f"{cloud.model}-retrain"
    iam, sqs, functions = cloud.client("iam"), cloud.client("sqs"), cloud.client("lambda")
    allow = {"Effect": "Allow", "Action": ALLOWED, "Resource": "*"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=policy(allow))
    dead = sqs.create_queue(QueueName=f"{name}-dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    redrive = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-dead.fifo", "maxReceiveCount": 3}
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true", "RedrivePolicy": json.dumps(redrive)}
    queue = sqs.create_queue(QueueName=f"{name}.fifo", Attributes=fifo)["QueueUrl"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        for path in (folder := stage_function_code(ROOT / "lambda" / "retrain", tmp_path)).rglob("*.py"):
            archive.write(path, path.relative_to(folder))
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="handler.handler",
        Role=role,
        Code={"ZipFile": code.getvalue()},
        Timeout=60,
        Environment={
            "Variables": {
                "FACTORY_ENVIRONMENT": "prod",
                "MODELS_PARAMETER_PREFIX": "/acme/prod/models/",
                "POWERTOOLS_METRICS_NAMESPACE": "ModelFactory",
            },
        },
    )
    mapping = functions.create_event_source_mapping(
        FunctionName=name,
        EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}.fifo",
        BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    yield queue, dead
    functions.delete_event_source_mapping(UUID=mapping["UUID"])


def test_refused_messages_end_in_the_dead_letters_and_the_good_one_starts_a_training(cloud, queues):
    training = Training(cloud)
    training.data()
    queue, dead = queues
    sqs = cloud.client("sqs")
    bad = [
        "{",
        json.dumps(event("drift_alarm") | {"account": "999999999999"}),
        json.dumps(event("manual") | {"model": "x"}),
    ]
    for body in [*bad, json.dumps(cloud.event("manual"))]:
        sqs.send_message(QueueUrl=queue, MessageBody=body, MessageGroupId=cloud.model)
    came, deadline = [], time.monotonic() + 60
    while len(came) < len(bad) and time.monotonic() < deadline:
        for found in sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages", []):
            came.append(found["Body"])
            sqs.delete_message(QueueUrl=dead, ReceiptHandle=found["ReceiptHandle"])
        time.sleep(0.2)
    assert sorted(came) == sorted(bad)
    assert len(training.executions()) == 1
