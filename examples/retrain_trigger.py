"""The schedule and the alarm rule that request trainings, on a queue of one's own."""

from pathlib import Path

from aws_cdk import App, Aws, Stack, aws_iam, aws_sqs

from model_factory import ModelProps, RetrainTrigger

MODEL = Path(__file__).resolve().parents[1] / "models" / "employment"

app = App()
stack = Stack(app, "RetrainTriggerExample")
queue = aws_sqs.Queue(stack, "Queue", fifo=True, content_based_deduplication=True, enforce_ssl=True)
queue.grant_send_messages(aws_iam.ServicePrincipal("events.amazonaws.com"))
image = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/scikit-learn:1.9"
trigger = RetrainTrigger(stack, "Retrain", ModelProps.from_folder(stack, MODEL, image=image, retrain_queue=queue))
trigger.metric_retrain_skipped().create_alarm(stack, "Skipped", threshold=10, evaluation_periods=1)
app.synth()
