"""Buckets for data, artifacts and records, and a role that may read them."""

from aws_cdk import App, RemovalPolicy, Stack, aws_iam

from model_factory import DataLake

app = App()
stack = Stack(app, "DataLakeExample")
lake = DataLake(stack, "DataLake", removal=RemovalPolicy.RETAIN, lock="governance")
analyst = aws_iam.Role(stack, "Analyst", assumed_by=aws_iam.AccountRootPrincipal())
lake.grant_read(analyst)
app.synth()
