"""The SSM parameter that the functions of a deployed environment read, for a model in a stack of one's own."""

from pathlib import Path

from aws_cdk import App, Aws, Stack, aws_iam, aws_kms

from model_factory import EnvironmentNames, EnvironmentResources, ModelProps, ModelSettings

MODEL = Path(__file__).resolve().parents[1] / "models" / "employment"

app = App()
stack = Stack(app, "ModelSettingsExample")
names = EnvironmentNames.of(stack, factory="acme", environment="dev")
key = aws_kms.Key(stack, "Key", enable_key_rotation=True)
resources = EnvironmentResources.from_names(stack, names, key=key)
image = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/scikit-learn:1.9"
props = ModelProps.from_folder(stack, MODEL, names=names, image=image, resources=resources)
role = aws_iam.Role(stack, "Endpoint", assumed_by=aws_iam.ServicePrincipal("sagemaker.amazonaws.com"))
ModelSettings(stack, "Settings", props, endpoint_role=role)
app.synth()
