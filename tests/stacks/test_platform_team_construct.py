"""A construct of the platform team's own in the stack of every model."""

from pathlib import Path

from aws_cdk import App, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk.assertions import Match, Template
from constructs import Construct

from model_factory.stacks.factory import add_factory
from model_factory.stacks.model import ModelStack

STACKS = Path(__file__).parent


class TeamAlarm(Construct):
    """What a platform team may add to the stack of every model."""

    def __init__(self, scope: ModelStack, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        metric = scope.training_pipeline.metric_execution_failed(period=Duration.days(1))
        cloudwatch.Alarm(
            self,
            "Alarm",
            alarm_name=f"{scope.names.prefix}-team",
            alarm_description=f"{scope.model.name} in {scope.environment_config.name}",
            metric=metric,
            threshold=1,
            evaluation_periods=1,
        ).add_alarm_action(actions.SnsAction(scope.resources.alarm_topic))


def test_construct_of_platform_team_stands_in_model_stack(tmp_path):
    app = App(outdir=str(tmp_path))
    stacks = add_factory(app, factory=STACKS / "factory.yaml", models=STACKS / "models")
    for stack in stacks:
        TeamAlarm(stack, "Team")
    assert [stack.stack_name for stack in stacks] == ["acme-dev-churn", "acme-prod-churn"]
    Template.from_stack(stacks[1]).has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "AlarmName": "acme-prod-churn-team",
            "AlarmDescription": "churn in prod",
            "MetricName": "ExecutionFailed",
            "Dimensions": [{"Name": "PipelineName", "Value": "acme-prod-churn-train"}],
            "Threshold": 1,
            "AlarmActions": [Match.any_value()],
        },
    )
    attributes = (stacks[1].registry, stacks[1].monitor_pipeline, stacks[1].endpoint, stacks[1].alarms)
    assert [type(each).__name__ for each in attributes] == [
        "ModelRegistry",
        "MonitorPipeline",
        "EndpointDeployer",
        "ModelAlarms",
    ]
