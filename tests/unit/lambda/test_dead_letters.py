"""Through a real queue: refused messages move to the dead-letter queue, and the valid one behind them does not."""

import io
import json
import time
import zipfile

import pytest

from model_factory.core.function_code import stage_function_code
from model_factory.ops.waiting import wait_for

from .cloud import ACCOUNT, REGION, ROOT, event, policy

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
    "sqs:SendMessage",
    "events:PutEvents",
]


@pytest.fixture
def queues(cloud, local, tmp_path):
    """URLs of the deployed function's queue and of its dead-letter queue."""
    name = f"{cloud.model}-retrain"
    iam, sqs, functions = cloud.client("iam"), cloud.client("sqs"), cloud.client("lambda")
    allow = {"Effect": "Allow", "Action": ALLOWED, "Resource": "*"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=policy(allow))
    dead = sqs.create_queue(QueueName=f"{name}-dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    redrive = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-dead.fifo", "maxReceiveCount": 5}
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
                "QUEUE_URL": queue,
                "DEAD_LETTER_QUEUE_URL": dead,
                "MAX_RECEIVES": "5",
                "RECORDER_QUEUE_URL": f"{local.endpoint_url}/{ACCOUNT}/acme-prod-recorder.fifo",
            },
        },
    )
    mapping = functions.create_event_source_mapping(
        FunctionName=name,
        EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}.fifo",
        BatchSize=1,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    yield queue, dead
    functions.delete_event_source_mapping(UUID=mapping["UUID"])


def test_refused_messages_move_to_dead_letter_queue_and_valid_one_starts_training(cloud, training, queues):
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
    received, deadline = {}, time.monotonic() + 60
    while len(received) < len(bad) and time.monotonic() < deadline:
        wanted = {"MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
        for found in sqs.receive_message(QueueUrl=dead, **wanted).get("Messages", []):
            received[found["Body"]] = found["MessageAttributes"]["Reason"]["StringValue"]
            sqs.delete_message(QueueUrl=dead, ReceiptHandle=found["ReceiptHandle"])
        time.sleep(0.2)
    assert [received[body].split(":")[0] for body in bad] == ["body", "account", "there is no model 'x' in prod"]
    wait_for("the training", lambda: training.executions() or None, 60)
    assert len(training.executions()) == 1
