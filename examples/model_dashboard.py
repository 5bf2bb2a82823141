"""The dashboard of a model."""

from pathlib import Path

from aws_cdk import App, Aws, Stack

from model_factory import ModelAlarms, ModelDashboard, ModelProps

MODEL = Path(__file__).resolve().parents[1] / "models" / "employment"

app = App()
stack = Stack(app, "ModelDashboardExample")
image = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/scikit-learn:1.9"
props = ModelProps.from_folder(stack, MODEL, image=image)
ModelAlarms(stack, "Alarms", props)
ModelDashboard(stack, "Dashboard", props)
app.synth()
