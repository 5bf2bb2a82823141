"""A FIFO queue with a dead-letter queue, whose alarm publishes to a topic, and a role that may send messages."""

from aws_cdk import App, Duration, Stack, aws_iam

from model_factory import AlertsTopic, TriggerQueue

app = App()
stack = Stack(app, "TriggerQueueExample")
topic = AlertsTopic(stack, "Alerts")
queue = TriggerQueue(stack, "Score", function_timeout=Duration.seconds(30), alarm_topic=topic)
sender = aws_iam.Role(stack, "Sender", assumed_by=aws_iam.ServicePrincipal("scheduler.amazonaws.com"))
queue.grant_send_messages(sender)
app.synth()
