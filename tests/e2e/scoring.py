"""Scoring in the deployed factory: files that land, the queue without its delay, and runs of the scoring pipeline."""

import json

import pandas as pd

from model_factory.ops.operations.executions import ExecutionResult

from .conftest import Factory


def without_delay(factory: Factory) -> str:
    """Let messages of the score queue be received at once: SQS would wait five minutes. The queue's URL."""
    sqs = factory.client("sqs")
    url = sqs.get_queue_url(QueueName=factory.session.names.queue("score"))["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "0"})
    return url


def land(factory: Factory, data: pd.DataFrame, name: str) -> str:
    """Put a file where files are scored; its S3 URI with its version id."""
    bucket, key = factory.session.names.bucket("data"), f"{factory.model}/scoring/{name}"
    put = factory.client("s3").put_object(Bucket=bucket, Key=key, Body=data.to_csv(index=False).encode())
    return f"s3://{bucket}/{key}@{put['VersionId']}"


def send_event(factory: Factory, event: str) -> None:
    """Send what a rule of a batch model sends."""
    message = json.dumps({"model": factory.model, "event": event})
    factory.client("sqs").send_message(
        QueueUrl=without_delay(factory),
        MessageBody=message,
        MessageGroupId=factory.model,
        MessageDeduplicationId=f"{event}-{factory.newest_execution(factory.names.scoring_pipeline)}".replace(":", "-")[
            -128:
        ],
    )


def next_run(factory: Factory, after: str | None) -> ExecutionResult:
    """Wait for the next run of the scoring pipeline and its end."""
    return factory.wait_for_next_execution(factory.names.scoring_pipeline, after)
