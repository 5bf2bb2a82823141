"""lambda/score: which messages start a run of the scoring pipeline."""

import json

import pytest

from .cloud import ROLE, message, policy

DEFINITION = {"Version": "2020-12-01", "Steps": [{"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "test"}}]}


class Scoring:
    """A model's scoring pipeline and the function."""

    def __init__(self, cloud, function):
        self.cloud, self.function, self.pipeline = cloud, function, f"{cloud.name}-score"
        self.sagemaker = cloud.client("sagemaker")
        self.sagemaker.create_pipeline(
            PipelineName=self.pipeline,
            PipelineDefinition=json.dumps(DEFINITION),
            RoleArn=ROLE,
            ClientRequestToken="0" * 32,
        )
        cloud.settings["scoring_pipeline"] = self.pipeline
        cloud.configure()

    def send(self, event):
        assert self.function(message({"model": self.cloud.model, "event": event}, self.cloud.model)) == []
        return self.function.logged()[-1]["message"]

    def runs(self):
        return self.sagemaker.list_pipeline_executions(PipelineName=self.pipeline)["PipelineExecutionSummaries"]

    def start(self, name, status):
        """An execution with this name and status."""
        arn = self.sagemaker.start_pipeline_execution(
            PipelineName=self.pipeline, PipelineExecutionDisplayName=name, ClientRequestToken=name.ljust(32, "0")
        )["PipelineExecutionArn"]
        self.set_status(arn, status)
        return arn

    def set_status(self, arn, status):
        execution = self.cloud.state.executions[arn]
        while "FailureReason" not in execution.record:
            pass
        execution.record["PipelineExecutionStatus"] = status


@pytest.fixture
def scoring(cloud, load):
    return Scoring(cloud, load("score"))


def test_new_files_start_one_run_for_each_message(scoring):
    record = message({"model": scoring.cloud.model, "event": "data"}, scoring.cloud.model)
    scoring.function(record)
    (run,) = scoring.runs()
    assert run["PipelineExecutionDisplayName"] == f"data-{record['messageId']}"
    scoring.set_status(run["PipelineExecutionArn"], "Succeeded")
    scoring.function(record)
    assert len(scoring.runs()) == 1, "the same message starts no second run"


def test_files_during_a_run_are_scored_after_its_end(scoring):
    running = scoring.start("schedule", "Executing")
    assert scoring.send("data") == "a run is in flight"
    assert scoring.send("data") == "a run is in flight"
    assert scoring.function.changes == ["UpdatePipelineExecution"], "the second message marks nothing again"
    scoring.set_status(running, "Failed")
    assert scoring.send("ended") == "a run is started"
    assert len(scoring.runs()) == 2


def test_end_of_a_run_without_new_files_starts_none(scoring):
    scoring.start("schedule", "Succeeded")
    assert scoring.send("ended") == "no files landed while the run was in flight"
    assert len(scoring.runs()) == 1


def test_run_of_a_request_delays_no_files(scoring):
    scoring.start("request-1", "Executing")
    assert scoring.send("data") == "a run is started"


def test_message_of_a_deleted_model_is_dropped(load):
    function = load("score")
    assert function(message({"model": "gone", "event": "data"}, "gone")) == []
    assert function.changes == []


@pytest.mark.parametrize(
    "body", [{"model": "churn"}, {"model": "churn", "event": "x"}, {"model": "Churn", "event": "data"}]
)
def test_invalid_message_moves_to_dead_letters(load, body):
    function = load("score")
    assert function(message(body)) == []
    assert function.changes == ["PutEvents", "SendMessage"]


class SageMaker:
    """Summaries of runs, newest first, and the calls."""

    def __init__(self, *runs):
        self.runs, self.calls = [dict(zip(("name", "status", "note"), run, strict=False)) for run in runs], []

    def list_pipeline_executions(self, **request):
        assert request == {
            "PipelineName": "p-score", "SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 100,
        }  # fmt: skip
        names = {"name": "PipelineExecutionDisplayName", "status": "PipelineExecutionStatus"}
        names |= {"note": "PipelineExecutionDescription"}
        return {
            "PipelineExecutionSummaries": [
                {"PipelineExecutionArn": f"arn/{number}"} | {names[key]: value for key, value in run.items() if value}
                for number, run in enumerate(self.runs)
            ]
        }

    def start_pipeline_execution(self, **request):
        self.calls.append(request)
        return {"PipelineExecutionArn": "arn/new"}

    def update_pipeline_execution(self, **request):
        self.calls.append(request)


FOLLOW = "files landed while it ran: another run follows"


@pytest.mark.parametrize(
    ("event", "runs", "message", "calls"),
    [
        ("data", [], "a run is started", 1),
        ("data", [("data-1", "Stopping", "")], "a run is in flight", 1),
        ("data", [("data-1", "Executing", FOLLOW)], "a run is in flight", 0),
        ("ended", [("data-1", "Executing", "")], "a run is in flight", 0),
        ("data", [("request-1", "Executing", ""), ("data-1", "Failed", "")], "a run is started", 1),
        ("data", [("", "Executing", "")], "a run is in flight", 1),
        ("ended", [], "no files landed while the run was in flight", 0),
        ("ended", [("data-2", "Succeeded", FOLLOW)], "a run is started", 1),
        ("ended", [("data-3", "Succeeded", ""), ("data-2", "Succeeded", FOLLOW)],
         "no files landed while the run was in flight", 0),
    ],
)  # fmt: skip
def test_newest_run_decides_about_the_next(modules, monkeypatch, event, runs, message, calls):
    loaded, sagemaker = modules("score", "runs")["runs"], SageMaker(*runs)
    monkeypatch.setattr(loaded, "client", lambda service: sagemaker)
    outcome = loaded.handle_event("p-score", event, "1a")
    assert (outcome.message, len(sagemaker.calls)) == (message, calls)
    if message == "a run is started":
        assert sagemaker.calls == [
            {
                "PipelineName": "p-score",
                "ClientRequestToken": "score-000000000000000000000000" + "1a",
                "PipelineExecutionDisplayName": "data-1a",
            }
        ]
        assert len(sagemaker.calls[0]["ClientRequestToken"]) == 32
        assert outcome.facts == {"execution": "arn/new"}
    elif calls:
        assert sagemaker.calls == [{"PipelineExecutionArn": "arn/0", "PipelineExecutionDescription": FOLLOW}]
    if message == "a run is in flight":
        assert outcome.facts == {"execution": "arn/0"}


def test_files_of_a_burst_are_one_message(cloud):
    """What the stack deploys: the bucket's events, a rule with a constant text, and a queue that removes equal messages."""
    s3, sqs, events = (cloud.client(each) for each in ("s3", "sqs", "events"))
    s3.put_bucket_notification_configuration(
        Bucket=cloud.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    url = sqs.create_queue(QueueName=f"{cloud.model}.fifo", Attributes=fifo)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(allowed | {"Resource": arn})})
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [cloud.bucket]}, "object": {"key": [{"prefix": f"{cloud.model}/scoring/"}]}},
    }
    events.put_rule(Name=cloud.model, EventPattern=json.dumps(pattern))
    text = json.dumps({"model": cloud.model, "event": "data"})
    target = {"Id": "Score", "Arn": arn, "Input": text, "SqsParameters": {"MessageGroupId": cloud.model}}
    assert events.put_targets(Rule=cloud.model, Targets=[target])["FailedEntryCount"] == 0
    for name in ("scoring/a.csv", "scoring/b.csv", "raw/c.csv"):
        s3.put_object(Bucket=cloud.bucket, Key=f"{cloud.model}/{name}", Body=b"x\n1\n")
    (received,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MaxNumberOfMessages=10)["Messages"]
    assert received["Body"] == text
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)
    events.remove_targets(Rule=cloud.model, Ids=["Score"])
    events.delete_rule(Name=cloud.model)
