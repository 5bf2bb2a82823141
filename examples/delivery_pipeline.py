"""A pipeline that deploys your own stack to one environment, after an approval, for every push."""

from aws_cdk import App, Stack, Stage, aws_sqs

from model_factory import Delivery, DeliveryPipeline, Environment

CONNECTION = "arn:aws:codeconnections:eu-west-1:222222222222:connection/00000000-0000-0000-0000-000000000000"

app = App()
prod = Environment(name="prod", account="333333333333", region="eu-west-1", approval="manual")
stage = Stage(app, "prod", env={"account": prod.account, "region": prod.region})
aws_sqs.Queue(Stack(stage, "Service"), "Queue", enforce_ssl=True)

delivery = Delivery(account="222222222222", region="eu-west-1", source=CONNECTION, repository="acme/service")
stack = Stack(app, "Delivery", env={"account": delivery.account, "region": delivery.region})
DeliveryPipeline(stack, "Pipeline", delivery=delivery, environments=[(prod, stage)])
app.synth()
