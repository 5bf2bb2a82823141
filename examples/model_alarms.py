"""The alarms of a model on a topic of one's own, one of them with a second action."""

from pathlib import Path

from aws_cdk import App, Aws, Stack, aws_cloudwatch_actions, aws_sns

from model_factory import ModelAlarms, ModelProps

MODEL = Path(__file__).resolve().parents[1] / "models" / "employment"

app = App()
stack = Stack(app, "ModelAlarmsExample")
everybody, on_call = aws_sns.Topic(stack, "Everybody"), aws_sns.Topic(stack, "OnCall")
image = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/scikit-learn:1.9"
alarms = ModelAlarms(stack, "Alarms", ModelProps.from_folder(stack, MODEL, image=image, alarm_topic=everybody))
alarms["endpoint-errors"].add_alarm_action(aws_cloudwatch_actions.SnsAction(on_call))
app.synth()
