"""A training pipeline on buckets of one's own, a role that may start it, and an alarm of one's own."""

from pathlib import Path

from aws_cdk import App, Aws, Stack, aws_iam, aws_s3

from model_factory import ModelProps, ModelRegistry, TrainingPipeline

MODEL = Path(__file__).resolve().parents[1] / "models" / "employment"

app = App()
stack = Stack(app, "TrainingPipelineExample")
bucket = aws_s3.Bucket(stack, "Bucket", enforce_ssl=True, versioned=True)
# The default is AWS's scikit-learn image of the stack's region. A stack without region has to name an image.
image = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/scikit-learn:1.9"
props = ModelProps.from_folder(stack, MODEL, image=image, data_bucket=bucket, artifacts_bucket=bucket)
training = TrainingPipeline(stack, "Training", props)
training.node.add_dependency(ModelRegistry(stack, "Registry", props))
scientist = aws_iam.Role(stack, "Scientist", assumed_by=aws_iam.AccountRootPrincipal())
training.grant_start_execution(scientist)
training.metric_execution_failed().create_alarm(stack, "Failed", threshold=1, evaluation_periods=1)
app.synth()
