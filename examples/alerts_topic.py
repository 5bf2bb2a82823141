"""A topic with an e-mail subscription, and a notification for each training job that fails."""

from aws_cdk import App, Stack

from model_factory import AlertsTopic

app = App()
stack = Stack(app, "AlertsTopicExample")
topic = AlertsTopic(stack, "Alerts", emails=["oncall@example.com"])
topic.add_notification_rule(
    "TrainingJobFailed",
    description="Notifies of failed training jobs",
    pattern={
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Training Job State Change"],
        "detail": {"TrainingJobStatus": ["Failed"]},
    },
    facts={"job": "$.detail.TrainingJobName", "reason": "$.detail.FailureReason"},
    sentence="Training job <job> failed: <reason>",
)
app.synth()
