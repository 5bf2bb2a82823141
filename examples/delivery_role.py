"""The role with which a delivery function in account 222222222222 works on the models of an environment."""

from aws_cdk import App, Stack

from model_factory import DeliveryRole, EnvironmentNames

app = App()
stack = Stack(app, "DeliveryRoleExample")
DeliveryRole(
    stack,
    "Delivery",
    names=EnvironmentNames.of(stack, factory="acme", environment="prod"),
    tooling=EnvironmentNames("acme", "delivery", account="222222222222", region="eu-west-1"),
)
app.synth()
