"""A model's training pipeline and data, and what the retrain function does with a message."""

import json
import uuid
from datetime import UTC, datetime, timedelta

from .cloud import ROLE, message

DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": n, "Type": "String", "DefaultValue": ""} for n in ("Trigger", "Reason")],
    "Steps": [{"Name": "Reject", "Type": "Fail", "Arguments": {"ErrorMessage": "as every training of this test"}}],
}
HOUR = timedelta(hours=1)


class Training:
    """The pipeline and data of a test's model. Every training fails by itself."""

    def __init__(self, cloud):
        self.cloud, self.pipeline = cloud, f"{cloud.name}-train"
        self.sagemaker = cloud.client("sagemaker")
        self.sagemaker.create_pipeline(
            PipelineName=self.pipeline,
            PipelineDefinition=json.dumps(DEFINITION),
            RoleArn=ROLE,
            ClientRequestToken="0" * 32,
        )

    def data(self, key="dt=2026-11-24/records.csv"):
        self.cloud.client("s3").put_object(Bucket=self.cloud.bucket, Key=f"{self.cloud.model}/raw/{key}", Body=b"1")

    def executions(self):
        found = self.sagemaker.list_pipeline_executions(PipelineName=self.pipeline, MaxResults=100)[
            "PipelineExecutionSummaries"
        ]
        return [e["PipelineExecutionArn"] for e in found]

    def earlier(self, ago, status="Succeeded", kind="schedule"):
        """A training that our function started in the past; its ARN. `kind` None: a person started it in Studio."""
        before = set(self.executions())
        self.sagemaker.start_pipeline_execution(
            PipelineName=self.pipeline,
            PipelineExecutionDisplayName=f"{kind}-retrain-{uuid.uuid4()}" if kind else "from-studio",
            ClientRequestToken=f"{ago.total_seconds():032}",
        )
        (arn,) = set(self.executions()) - before
        execution = self.cloud.state.executions[arn]
        self.finish(arn, status)
        for key in ("StartTime", "CreationTime"):
            if key in execution.record:
                execution.record[key] = datetime.now(UTC) - ago
        return arn

    def finish(self, arn, status="Succeeded"):
        """Give an execution the status, once the embedded AWS has ended it."""
        execution = self.cloud.state.executions[arn]
        while "FailureReason" not in execution.record:
            pass
        execution.record["PipelineExecutionStatus"] = status

    def counted(self, metric):
        found = self.cloud.client("cloudwatch").get_metric_statistics(
            Namespace="ModelFactory",
            MetricName=metric,
            Dimensions=[{"Name": "Environment", "Value": "prod"}, {"Name": "Model", "Value": self.cloud.model}],
            StartTime=datetime.now(UTC) - HOUR,
            EndTime=datetime.now(UTC) + HOUR,
            Period=86400,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in found)


def remembered(retrain, training, record):
    """Handle a record that must wait for the running training; the logged reason."""
    before = training.executions()
    assert retrain(record) == []
    assert training.executions() == before
    (line,) = [line for line in retrain.logged() if line["message"] == "training remembered"]
    return line["reason"]


def ended(cloud, arn, status="Succeeded"):
    """The record of SageMaker's event about the end of an execution, or with Executing about its start."""
    event = cloud.event("training_ended")
    event["detail"] |= {"pipelineExecutionArn": arn, "currentPipelineExecutionStatus": status}
    return message(event, cloud.model)


def alerts(function):
    """Details of the alerts that the function sent since the start of the test."""
    entries = [entry for name, parameters in function.calls if name == "PutEvents" for entry in parameters["Entries"]]
    return [json.loads(entry["Detail"]) for entry in entries]


def skipped(retrain, training, record):
    """Handle a record that must be skipped; the logged reason."""
    before = training.executions()
    assert retrain(record) == []
    assert training.executions() == before
    assert (training.counted("RetrainSkipped"), training.counted("RetrainStarted")) == (1, 0)
    (line,) = [line for line in retrain.logged() if line["message"] == "training skipped"]
    assert line["model"] == training.cloud.model
    return line["reason"]


def started(retrain, training, record):
    """Handle a record that must start a training; the pipeline parameters."""
    before = set(training.executions())
    assert retrain(record) == []
    (arn,) = set(training.executions()) - before
    assert (training.counted("RetrainSkipped"), training.counted("RetrainStarted")) == (0, 1)
    (line,) = [line for line in retrain.logged() if line["message"] == "training started"]
    assert line["execution"] == arn
    parameters = training.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    return {p["Name"]: p["Value"] for p in parameters["PipelineParameters"]}
