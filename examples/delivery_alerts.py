"""Notifications of failed actions and of approvals, for every pipeline of the account and region."""

from aws_cdk import App, Stack

from model_factory import DeliveryAlerts

app = App()
stack = Stack(app, "DeliveryAlertsExample")
DeliveryAlerts(stack, "Alerts", emails=["releases@example.com"])
app.synth()
