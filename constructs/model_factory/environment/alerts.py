"""Where people are told: one encrypted topic per environment, and what is published to it for every model."""

from collections.abc import Sequence

from aws_cdk import aws_kms as kms
from constructs import Construct

from ..core.alerts_topic import AlertsTopic
from ..core.names import EnvironmentNames


class Alerts(Construct):
    """The topic `<factory>-<env>-alerts`: alarms, failed pipeline executions, and the addresses of factory.yaml."""

    def __init__(
        self, scope: Construct, construct_id: str, *, names: EnvironmentNames, key: kms.IKey, emails: Sequence[str]
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = AlertsTopic(self, "Topic", names=names, key=key, emails=emails)
        self.topic.add_notification_rule(
            "PipelineFailed",
            purpose="pipeline-failed",
            description="A training or monitoring that failed is told with its step and reason",
            pattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Building Pipeline Execution Step Status Change"],
                "detail": {
                    "pipelineArn": [{"prefix": names.arn("sagemaker", f"pipeline/{names.prefix}-")}],
                    "currentStepStatus": ["Failed"],
                },
            },
            facts={
                "step": "$.detail.stepName",
                "execution": "$.detail.pipelineExecutionArn",
                "reason": "$.detail.failureReason",
            },
            sentence="Step <step> of <execution> failed: <reason>",
        )
