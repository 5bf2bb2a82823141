"""A construct of one's own beside the library's, in the stack of every model: a second alarm on failed trainings."""

from pathlib import Path

from aws_cdk import Duration, aws_cloudwatch
from constructs import Construct

from model_factory import FactoryApp, ModelStack


class WeeklyFailures(Construct):
    """An alarm for a model whose trainings fail again and again."""

    def __init__(self, scope: ModelStack, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        failed = scope.training_pipeline.metric_execution_failed(period=Duration.days(7))
        name = f"{scope.names.prefix}-weekly-failures"
        aws_cloudwatch.Alarm(self, "Alarm", alarm_name=name, metric=failed, threshold=3, evaluation_periods=1)


app = FactoryApp(Path(__file__).resolve().parents[1])
for stack in app.model_stacks:
    WeeklyFailures(stack, "WeeklyFailures")
app.synth()
