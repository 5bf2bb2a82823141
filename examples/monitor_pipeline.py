"""A monitor pipeline with its schedule, and a dashboard with the drift that it measures."""

from pathlib import Path

from aws_cdk import App, Aws, Stack, aws_cloudwatch, aws_s3

from model_factory import ModelProps, MonitorPipeline

MODEL = Path(__file__).resolve().parents[1] / "models" / "employment"

app = App()
stack = Stack(app, "MonitorPipelineExample")
data = aws_s3.Bucket(stack, "Data", enforce_ssl=True)
artifacts = aws_s3.Bucket(stack, "Artifacts", enforce_ssl=True)
image = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/scikit-learn:1.9"
props = ModelProps.from_folder(stack, MODEL, image=image, data_bucket=data, artifacts_bucket=artifacts)
monitor = MonitorPipeline(stack, "Monitor", props)
graph = aws_cloudwatch.GraphWidget(title="Drift", left=[monitor.metric_drifted_features()])
aws_cloudwatch.Dashboard(stack, "Dashboard", widgets=[[graph]])
app.synth()
