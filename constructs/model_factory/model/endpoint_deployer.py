"""What brings an approved version into service, and takes the endpoint away with the stack.

The endpoint itself is lambda/deploy's: none can exist before the first version, and a deployment is no stack update.
"""

from aws_cdk import CustomResource, RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from ..core.network import job_interfaces
from ..core.permissions import allow, pull_images, read_objects, service_role, use_key, write_logs, write_objects
from .props import ModelProps
from .retrain_trigger import to_queue


class EndpointDeployer(Construct):
    """The rule from an approved version to the deploy queue, the role of the endpoint's models, and the clean-up."""

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps) -> None:
        super().__init__(scope, construct_id)
        self.role = service_role(
            self,
            "Role",
            names=props.shared,
            name=props.names.role("endpoint"),
            service="sagemaker",
            description=f"Endpoint of {props.config.name}",
            statements=_endpoint_statements(props),
            open_resources="Everything below the model's own prefixes; SageMaker names artifacts itself.",
        )
        # SageMaker would make it at the first line, without encryption and to be kept for ever.
        logs.LogGroup(
            self,
            "Logs",
            log_group_name=props.names.endpoint_log_group,
            encryption_key=kms.Key.from_key_arn(self, "Key", props.key_arn),
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=RemovalPolicy.DESTROY,
        )
        cleanup = CustomResource(
            self,
            "Cleanup",
            resource_type="Custom::EndpointCleanup",
            service_token=props.shared.arn("lambda", f"function:{props.shared.function('endpoint-cleanup')}"),
            properties={
                "EndpointName": props.names.endpoint,
                "ModelPackageGroupName": props.names.model_package_group,
                "DeleteVersions": str(props.environment.removal == "destroy").lower(),
            },
        )
        cleanup.node.add_dependency(self.role)
        rule = events.CfnRule(
            self,
            "ApprovedRule",
            name=props.names.rule("approved"),
            description=f"An approved version of {props.config.name} is deployed, at once or when the endpoint has settled",
            event_pattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Package State Change", "SageMaker Endpoint State Change"],
                "detail": {
                    "$or": [
                        {
                            "ModelPackageGroupName": [props.names.model_package_group],
                            "ModelApprovalStatus": ["Approved"],
                        },
                        # What was approved while the endpoint was being changed waits for this.
                        {"EndpointName": [props.names.endpoint], "EndpointStatus": ["IN_SERVICE", "FAILED"]},
                    ]
                },
            },
            targets=[to_queue(props, "deploy")],
        )
        # Deleted in the opposite order: nothing may be deployed while the endpoint is being removed.
        rule.node.add_dependency(cleanup)
        self.cleanup = cleanup


def _endpoint_statements(props: ModelProps) -> list[iam.PolicyStatement]:
    model, names = props.config.name, props.shared
    return [
        read_objects(names, "artifacts", f"{model}/executions/"),
        write_objects(names, "data", f"{model}/captured/"),
        use_key(props.key_arn),
        *pull_images(names, props.image),
        write_logs(names, f"{props.names.endpoint_log_group}*", make=False),
        # SageMaker looks at the roll-back alarms of a deployment as the endpoint's role.
        allow(["cloudwatch:DescribeAlarms"], [names.arn("cloudwatch", f"alarm:{props.names.prefix}-*")]),
        *job_interfaces(names, props.vpc),
    ]
