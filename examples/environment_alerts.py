"""Notifications of failed SageMaker pipeline steps, with a dead-letter queue for events that SNS did not accept."""

from aws_cdk import App, Stack, aws_sqs

from model_factory import EnvironmentAlerts

app = App()
stack = Stack(app, "EnvironmentAlertsExample")
dead_letters = aws_sqs.Queue(stack, "DeadLetters", enforce_ssl=True)
EnvironmentAlerts(stack, "Alerts", emails=["oncall@example.com"], dead_letter_queue=dead_letters)
app.synth()
