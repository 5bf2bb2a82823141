"""Deployment of approved versions through a queue, and a role that may invoke the endpoint."""

from pathlib import Path

from aws_cdk import App, Aws, Duration, Stack, aws_iam, aws_s3

from model_factory import EndpointDeployer, ModelProps, TriggerQueue

MODEL = Path(__file__).resolve().parents[1] / "models" / "employment"

app = App()
stack = Stack(app, "EndpointDeployerExample")
bucket = aws_s3.Bucket(stack, "Bucket", enforce_ssl=True)
deploys = TriggerQueue(stack, "Deploys", function_timeout=Duration.minutes(2))
image = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/scikit-learn:1.9"
props = ModelProps.from_folder(
    stack, MODEL, image=image, data_bucket=bucket, artifacts_bucket=bucket, deploy_queue=deploys.queue
)
endpoint = EndpointDeployer(stack, "Endpoint", props)
caller = aws_iam.Role(stack, "Caller", assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"))
endpoint.grant_invoke(caller)
app.synth()
