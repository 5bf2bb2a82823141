"""lambda/monitor: which checks start the monitor pipeline."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from .cloud import ROLE
from .deployments import Deployments

DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "ScheduledTime", "Type": "String", "DefaultValue": ""}],
    "Steps": [{"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "as every check of this test"}}],
}
NOW = datetime.now(UTC).replace(microsecond=0)
NOTHING = "there is no endpoint and no approved version: there is nothing to monitor"


class Monitored:
    """A model's monitor pipeline and the function."""

    def __init__(self, cloud, function):
        self.versions, self.cloud, self.function = Deployments(cloud, None), cloud, function
        self.pipeline, self.sagemaker = f"{self.cloud.name}-monitor", self.cloud.client("sagemaker")
        self.sagemaker.create_pipeline(
            PipelineName=self.pipeline,
            PipelineDefinition=json.dumps(DEFINITION),
            RoleArn=ROLE,
            ClientRequestToken="0" * 32,
        )

    def create_endpoint(self, version):
        """An endpoint that serves a version."""
        name = self.cloud.name
        container = {"ModelPackageName": self.versions.package_arn(version)}
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        variant = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1}
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant | {"InstanceType": "ml.m5.large"}]
        )
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def check(self, **changes):
        """What the function returns to the schedule's event."""
        event = {
            "model": self.cloud.model,
            "pipeline": self.pipeline,
            "endpoint": self.cloud.name,
            "model_package_group": self.cloud.name,
            "time": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
        }
        return self.function.invoke(event | changes)

    def executions(self):
        found = self.sagemaker.list_pipeline_executions(PipelineName=self.pipeline)["PipelineExecutionSummaries"]
        return [each["PipelineExecutionArn"] for each in found]

    def rows_observed(self):
        return self.cloud.client("cloudwatch").get_metric_statistics(
            Namespace="ModelFactory",
            MetricName="RowsObserved",
            Dimensions=[{"Name": "Environment", "Value": "prod"}, {"Name": "Model", "Value": self.cloud.model}],
            StartTime=NOW - timedelta(hours=1),
            EndTime=NOW + timedelta(hours=1),
            Period=60,
            Statistics=["Sum", "SampleCount"],
        )["Datapoints"]


@pytest.fixture
def monitored(cloud, load):
    return Monitored(cloud, load("monitor"))


def test_model_that_was_never_deployed_starts_no_job(monitored):
    monitored.versions.register(status="PendingManualApproval")
    assert monitored.check() == {"reason": NOTHING}
    assert monitored.executions() == []
    (point,) = monitored.rows_observed()
    assert (point["Sum"], point["SampleCount"]) == (0, 1)
    assert [(line["message"], line["model"]) for line in monitored.function.logged()] == [
        (NOTHING, monitored.cloud.model)
    ]


def test_live_version_is_checked_for_its_scheduled_time(monitored):
    monitored.create_endpoint(monitored.versions.register())
    found = monitored.check()
    assert found == {"execution": monitored.executions()[0]}
    parameters = monitored.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=found["execution"])
    assert parameters["PipelineParameters"] == [{"Name": "ScheduledTime", "Value": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"}]
    assert monitored.rows_observed() == []
    (line,) = [line for line in monitored.function.logged() if line["message"] == "check started"]
    assert (line["model"], line["execution"]) == (monitored.cloud.model, found["execution"])


def test_repeated_invocation_starts_one_check(monitored):
    monitored.versions.register()
    assert monitored.check() == monitored.check()
    assert len(monitored.executions()) == 1
    monitored.check(time=f"{NOW + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}")
    assert len(monitored.executions()) == 2


def test_approved_version_without_endpoint_is_checked(monitored):
    """Somebody deleted the endpoint: the job says that nothing serves requests. Or the model is scored in batches."""
    monitored.versions.register()
    assert monitored.check() == {"execution": monitored.executions()[0]}


def test_endpoint_without_approved_version_is_checked(monitored):
    """The live version was rejected, and there is no other one: it still serves requests."""
    version = monitored.versions.register()
    monitored.create_endpoint(version)
    monitored.versions.set_approval(version, "Rejected")
    assert "execution" in monitored.check()


def test_error_of_sagemaker_is_raised_and_repeated_by_lambda(monitored):
    monitored.versions.register()
    with pytest.raises(ClientError, match=r"does not exist|not found"):
        monitored.check(pipeline=f"{monitored.cloud.name}-gone-monitor")


@pytest.mark.parametrize("changes", [{"time": "soon"}, {"surprise": 1}])
def test_event_of_another_form_is_refused(monitored, changes):
    with pytest.raises(ValidationError):
        monitored.check(**changes)
    assert monitored.function.changes == []
