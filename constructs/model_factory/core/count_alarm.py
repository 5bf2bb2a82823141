"""The alarm that queues and functions have: by default any count above zero in five minutes."""

from collections.abc import Mapping

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from .names import EnvironmentNames


def count_alarm(
    scope: Construct,
    construct_id: str,
    *,
    names: EnvironmentNames | None,
    purpose: str,
    description: str,
    namespace: str,
    metric: str,
    dimensions: Mapping[str, str],
    statistic: str,
    alarm_topic: sns.ITopic | None,
    threshold: float = 0,
) -> cloudwatch.CfnAlarm:
    """An alarm on a metric above `threshold`, in five minutes.

    With `names` it is called `<prefix>-<purpose>`; without a topic it has no action.
    """
    return cloudwatch.CfnAlarm(
        scope,
        construct_id,
        alarm_name=f"{names.prefix}-{purpose}" if names else None,
        alarm_description=description,
        namespace=namespace,
        metric_name=metric,
        dimensions=[
            cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value) for name, value in dimensions.items()
        ],
        statistic=statistic,
        period=300,
        evaluation_periods=1,
        threshold=threshold,
        comparison_operator="GreaterThanThreshold",
        treat_missing_data="notBreaching",
        alarm_actions=[alarm_topic.topic_arn] if alarm_topic else None,
    )
