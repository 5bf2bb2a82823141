"""The scoring pipeline of a batch model: what starts it."""

import json

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template

from model_factory import EnvironmentNames, ModelProps, ScoringPipeline

MODEL = """\
name: churn
problem: binary_classification
data: {label: left}
gate: {metric: auc, minimum: 0.8}
serving: {mode: batch, batch: {schedule: "cron(0 6 * * ? *)", timezone: Europe/Berlin}}
"""
NAMES = EnvironmentNames("acme", "prod", "333333333333", "eu-west-1")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "churn"
    folder.mkdir()
    (folder / "model.yaml").write_text(MODEL)
    (folder / "model.py").write_text("")
    stack = Stack(App(), "S")
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "data")
    queue = sqs.Queue(stack, "Queue", fifo=True, queue_name="score.fifo")
    image = "333333333333.dkr.ecr.eu-west-1.amazonaws.com/churn:1"
    props = ModelProps.from_folder(stack, folder, names=NAMES, image=image, data_bucket=bucket, artifacts_bucket=bucket)
    object.__setattr__(props, "score_queue", queue)
    ScoringPipeline(stack, "Scoring", props)
    return Template.from_stack(stack)


def properties(template, kind):
    return [each["Properties"] for each in template.find_resources(f"AWS::{kind}").values()]


def test_messages_of_new_files_are_equal(template):
    rules = {each["Name"]: each for each in properties(template, "Events::Rule")}
    data, ended = rules["acme-prod-churn-scoring-data"], rules["acme-prod-churn-scoring-ended"]
    assert data["EventPattern"]["detail"]["object"] == {"key": [{"prefix": "churn/scoring/"}]}
    assert json.loads(data["Targets"][0]["Input"]) == {"model": "churn", "event": "data"}
    assert json.loads(ended["Targets"][0]["Input"]) == {"model": "churn", "event": "ended"}
    assert data["Targets"][0]["SqsParameters"] == {"MessageGroupId": "churn"}


def test_schedule_starts_the_pipeline_once_for_each_time(template):
    (schedule,) = properties(template, "Scheduler::Schedule")
    assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]) == (
        "cron(0 6 * * ? *)",
        "Europe/Berlin",
    )
    request = json.loads(schedule["Target"]["Input"])
    assert request["ClientRequestToken"] == "acme-prod-churn-score-<aws.scheduler.scheduled-time>"
