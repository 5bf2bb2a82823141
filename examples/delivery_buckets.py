"""Buckets for the artifacts and the approval reports of pipelines, and a role that may write reports."""

from aws_cdk import App, Stack, aws_iam

from model_factory import DeliveryBuckets

app = App()
stack = Stack(app, "DeliveryBucketsExample")
buckets = DeliveryBuckets(stack, "Buckets")
builds = aws_iam.Role(stack, "Builds", assumed_by=aws_iam.ServicePrincipal("codebuild.amazonaws.com"))
buckets.records.grant_put(builds)
app.synth()
