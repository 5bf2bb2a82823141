"""The role that EventBridge Scheduler assumes for the schedules of every model of an environment."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ..core.names import EnvironmentNames, StackLocation
from ..core.permissions import allow, service_role, use_key

PURPOSE = "scheduler"


class SchedulerRole(Construct):
    """A role for schedules that send messages to queues and start SageMaker pipelines.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment: the role is `<prefix>-scheduler`; it may send to the environment's queues
            `retrain` and `undelivered`, start its scoring pipelines and invoke its functions `monitor` and `record-signer`.
            Default: CloudFormation generates the name, and the role has the permissions of `queues` and `pipelines` alone.
        key: Key of the environment's queues. Default: with names, the role may use no key.
        queues: Further queues that schedules send messages or dead letters to. Default: none.
        pipelines: Further SageMaker pipelines that schedules start. Default: none.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames | None = None,
        key: kms.IKey | None = None,
        queues: Sequence[sqs.IQueue] = (),
        pipelines: Sequence[sagemaker.CfnPipeline] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self.role: iam.Role = service_role(
            self,
            "Role",
            names=names,
            name=names.role(PURPOSE) if names else None,
            service="scheduler",
            description=f"Schedules of {names.prefix if names else self.node.path}",
            statements=_statements(names, key) if names else [],
            open_resources="One role for the schedules of all models, bounded to the factory's pipelines.",
        )
        """The role."""
        for queue in queues:
            queue.grant_send_messages(cast(iam.IGrantable, self.role))
        for pipeline in pipelines:
            self.grant_start(pipeline)

    @staticmethod
    def from_names(scope: Construct, construct_id: str, names: EnvironmentNames) -> iam.IRole:
        """Import the role of a deployed environment."""
        return iam.Role.from_role_arn(scope, construct_id, scheduler_role_arn(names), mutable=False)

    def grant_start(self, pipeline: sagemaker.CfnPipeline) -> iam.Grant:
        """Allow the role to start executions of `pipeline`."""
        arn = StackLocation.of(self).arn("sagemaker", f"pipeline/{pipeline.ref}")
        return iam.Grant.add_to_principal(
            grantee=cast(iam.IGrantable, self.role), actions=["sagemaker:StartPipelineExecution"], resource_arns=[arn]
        )


def scheduler_role_arn(names: EnvironmentNames) -> str:
    """ARN of the role, for schedules in other stacks."""
    return names.iam_arn(f"role/{names.role(PURPOSE)}")


def _statements(names: EnvironmentNames, key: kms.IKey | None) -> list[iam.PolicyStatement]:
    return [
        allow(
            ["sqs:SendMessage"],
            [names.arn("sqs", names.queue("retrain")), names.arn("sqs", names.undelivered_queue)],
        ),
        allow(
            ["sagemaker:StartPipelineExecution"],
            [names.arn("sagemaker", f"pipeline/{names.prefix}-*-score")],
        ),
        allow(
            ["lambda:InvokeFunction"],
            [names.arn("lambda", f"function:{names.function(purpose)}") for purpose in ("monitor", "record-signer")],
        ),
        *([use_key(key.key_arn)] if key else []),
    ]
