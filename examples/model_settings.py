"""The SSM parameter that the functions of a deployed environment read, for a model in a stack of one's own."""

from pathlib import Path

from aws_cdk import App, Environment, Stack, aws_iam, aws_kms

from model_factory import EnvironmentNames, EnvironmentResources, ModelProps, ModelSettings

MODEL = Path(__file__).resolve().parents[1] / "models" / "employment"

app = App()
stack = Stack(app, "ModelSettingsExample", env=Environment(account="111111111111", region="eu-west-1"))
names = EnvironmentNames.of(stack, factory="acme", environment="dev")
key = aws_kms.Key(stack, "Key", enable_key_rotation=True)
resources = EnvironmentResources.from_names(stack, names, key=key)
props = ModelProps.from_folder(stack, MODEL, names=names, resources=resources)
role = aws_iam.Role(stack, "Endpoint", assumed_by=aws_iam.ServicePrincipal("sagemaker.amazonaws.com"))
ModelSettings(stack, "Settings", props, endpoint_role=role)
app.synth()
