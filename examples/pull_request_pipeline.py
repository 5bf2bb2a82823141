"""A pipeline that tests and synthesizes every pull request to the main branch."""

from aws_cdk import App, Stack

from model_factory import Delivery, PullRequestPipeline

CONNECTION = "arn:aws:codeconnections:eu-west-1:222222222222:connection/00000000-0000-0000-0000-000000000000"

app = App()
stack = Stack(app, "PullRequestPipelineExample")
delivery = Delivery(account="222222222222", region="eu-west-1", source=CONNECTION, repository="acme/models")
PullRequestPipeline(stack, "PullRequests", delivery=delivery)
app.synth()
