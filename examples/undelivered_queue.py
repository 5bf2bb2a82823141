"""A rule, and the queue for its events that the target did not accept. An alarm says that the queue has messages."""

from aws_cdk import App, Duration, Stack, aws_events, aws_events_targets, aws_sns

from model_factory import AlertsTopic, UndeliveredQueue

app = App()
stack = Stack(app, "UndeliveredQueueExample")
undelivered = UndeliveredQueue(stack, "Undelivered", alarm_topic=AlertsTopic(stack, "Alerts"))
target = aws_events_targets.SnsTopic(aws_sns.Topic(stack, "Reports"), dead_letter_queue=undelivered.queue)
daily = aws_events.Schedule.rate(Duration.days(1))
aws_events.Rule(stack, "Daily", schedule=daily, targets=[target])
app.synth()
