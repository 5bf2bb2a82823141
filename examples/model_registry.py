"""A model package group, and a role that may approve its versions."""

from pathlib import Path

from aws_cdk import App, Aws, Stack, aws_iam

from model_factory import ModelProps, ModelRegistry

MODEL = Path(__file__).resolve().parents[1] / "models" / "employment"

app = App()
stack = Stack(app, "ModelRegistryExample")
image = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/scikit-learn:1.9"
props = ModelProps.from_folder(stack, MODEL, image=image)
registry = ModelRegistry(stack, "Registry", props)
reviewer = aws_iam.Role(stack, "Reviewer", assumed_by=aws_iam.AccountRootPrincipal())
registry.grant_approve(reviewer)
app.synth()
