"""A schedule that sends a message to a queue every night."""

from aws_cdk import App, Stack, aws_scheduler

from model_factory import SchedulerRole, TriggerQueue

app = App()
stack = Stack(app, "SchedulerRoleExample")
queue = TriggerQueue(stack, "Score").queue
role = SchedulerRole(stack, "Scheduler", queues=[queue]).role
target = aws_scheduler.CfnSchedule.TargetProperty(
    arn=queue.queue_arn,
    role_arn=role.role_arn,
    input="{}",
    sqs_parameters={"messageGroupId": "nightly"},
)
aws_scheduler.CfnSchedule(
    stack,
    "Nightly",
    schedule_expression="cron(0 3 * * ? *)",
    flexible_time_window={"mode": "OFF"},
    target=target,
)
app.synth()
