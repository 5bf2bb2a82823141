"""The role with which EventBridge Scheduler works for every model of an environment."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from ..core.names import EnvironmentNames
from ..core.permissions import allow, service_role, use_key

PURPOSE = "scheduler"


class SchedulerRole(Construct):
    """May ask for a retraining, start monitor pipelines, and put aside what it could not deliver."""

    def __init__(self, scope: Construct, construct_id: str, *, names: EnvironmentNames, key_arn: str) -> None:
        super().__init__(scope, construct_id)
        self.role: iam.Role = service_role(
            self,
            "Role",
            names=names,
            name=names.role(PURPOSE),
            service="scheduler",
            description=f"Schedules of {names.prefix}",
            statements=[
                allow(
                    ["sqs:SendMessage"],
                    [names.arn("sqs", names.queue("retrain")), names.arn("sqs", names.undelivered_queue)],
                ),
                allow(
                    ["sagemaker:StartPipelineExecution"],
                    [names.arn("sagemaker", f"pipeline/{names.prefix}-*-monitor")],
                ),
                use_key(key_arn),
            ],
            open_resources="One role for the schedules of all models, bounded to the factory's monitor pipelines.",
        )


def scheduler_role_arn(names: EnvironmentNames) -> str:
    """ARN of the role, for schedules in other stacks."""
    return names.iam_arn(f"role/{names.role(PURPOSE)}")
