"""CloudWatch alarms and dashboards, and EventBridge schedules."""

from typing import Any

from .resource_types import Context, Physical, Properties, ResourceType, put_again, request


def _put_alarm(cloudwatch: Any, properties: Properties, context: Context) -> Physical:
    name = properties.get("AlarmName") or context.name
    cloudwatch.put_metric_alarm(**request("cloudwatch", "PutMetricAlarm", {**properties, "AlarmName": name}))
    return Physical(name, {"Arn": f"arn:aws:cloudwatch:{context.region}:{context.account}:alarm:{name}"})


def _put_composite(cloudwatch: Any, properties: Properties, context: Context) -> Physical:
    name = properties.get("AlarmName") or context.name
    cloudwatch.put_composite_alarm(**request("cloudwatch", "PutCompositeAlarm", {**properties, "AlarmName": name}))
    return Physical(name, {"Arn": f"arn:aws:cloudwatch:{context.region}:{context.account}:alarm:{name}"})


def _put_dashboard(cloudwatch: Any, properties: Properties, context: Context) -> Physical:
    name = properties.get("DashboardName") or context.name
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody=properties["DashboardBody"])
    return Physical(name)


def _create_schedule(scheduler: Any, properties: Properties, context: Context) -> Physical:
    name = properties.get("Name") or context.name[:64]
    made = scheduler.create_schedule(**request("scheduler", "CreateSchedule", {**properties, "Name": name}))
    return Physical(name, {"Arn": made["ScheduleArn"]})


def _update_schedule(scheduler: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    made = {**properties, "Name": physical.identifier}
    scheduler.update_schedule(**request("scheduler", "UpdateSchedule", made))
    return physical


TYPES = [
    ResourceType(
        "AWS::CloudWatch::Alarm",
        "cloudwatch",
        _put_alarm,
        lambda cloudwatch, physical: cloudwatch.delete_alarms(AlarmNames=[physical.identifier]),
        put_again(_put_alarm),
        "AlarmName",
        lambda cloudwatch, name: bool(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]),
    ),
    ResourceType(
        "AWS::CloudWatch::CompositeAlarm",
        "cloudwatch",
        _put_composite,
        lambda cloudwatch, physical: cloudwatch.delete_alarms(AlarmNames=[physical.identifier]),
        put_again(_put_composite),
        "AlarmName",
    ),
    ResourceType(
        "AWS::CloudWatch::Dashboard",
        "cloudwatch",
        _put_dashboard,
        lambda cloudwatch, physical: cloudwatch.delete_dashboards(DashboardNames=[physical.identifier]),
        put_again(_put_dashboard),
        "DashboardName",
    ),
    ResourceType(
        "AWS::Scheduler::Schedule",
        "scheduler",
        _create_schedule,
        lambda scheduler, physical: scheduler.delete_schedule(Name=physical.identifier),
        _update_schedule,
        "Name",
    ),
]
