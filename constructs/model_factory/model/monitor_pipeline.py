"""The pipeline that watches the live version, and the schedule that starts it."""

import json

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from ..core.permissions import allow, list_objects, put_metrics, read_objects, service_role, write_objects
from ..definition import Parameter, PipelineDefinition, ProcessingStep
from ..environment.scheduler_role import scheduler_role_arn
from .jobs import RETRY_JOB, execution_uri, job_environment, job_statements, pipeline_statements, processing_arguments
from .model_registry import versions_arn
from .props import ModelProps

SCHEDULED_TIME = Parameter("ScheduledTime", "")
_TIME = "<aws.scheduler.scheduled-time>"


class MonitorPipeline(Construct):
    """The SageMaker pipeline `…-monitor`, a role for it and another for its job, and its schedule."""

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps) -> None:
        super().__init__(scope, construct_id)
        self.job_role = service_role(
            self,
            "JobRole",
            names=props.shared,
            name=props.names.role("monitor-job"),
            service="sagemaker",
            description=f"Jobs that watch {props.config.name}",
            statements=_job_role_statements(props),
            open_resources="Everything below the model's own prefixes; metrics are bounded by their namespace.",
        )
        self.role = service_role(
            self,
            "Role",
            names=props.shared,
            name=props.names.role("monitor"),
            service="sagemaker",
            description=f"Monitor pipeline of {props.config.name}",
            statements=pipeline_statements(props, ["Processing"], self.job_role.role_arn),
            open_resources="SageMaker names the jobs of a pipeline itself.",
        )
        definition = monitor_definition(props, self.job_role.role_arn)
        self.pipeline = sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=props.names.monitor_pipeline,
            pipeline_description=f"Watches {props.config.name} in service",
            pipeline_definition={"PipelineDefinitionBody": Stack.of(self).to_json_string(definition.render())},
            role_arn=self.role.role_arn,
        )
        self._schedule(props)

    def _schedule(self, props: ModelProps) -> None:
        monitoring = props.config.monitoring
        request = {
            "PipelineName": props.names.monitor_pipeline,
            # The same time asks with the same token, so a delivery that is repeated starts nothing twice.
            "ClientRequestToken": f"{props.names.monitor_pipeline}-{_TIME}",
            "PipelineParameters": [{"Name": SCHEDULED_TIME.name, "Value": _TIME}],
        }
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            name=props.names.schedule("monitor"),
            description=f"Watches {props.config.name}",
            schedule_expression=monitoring.schedule,
            schedule_expression_timezone=monitoring.timezone,
            flexible_time_window={"mode": "OFF"},
            target=scheduler.CfnSchedule.TargetProperty(
                arn=f"arn:{props.shared.partition}:scheduler:::aws-sdk:sagemaker:startPipelineExecution",
                role_arn=scheduler_role_arn(props.shared),
                input=json.dumps(request),
                retry_policy={"maximumRetryAttempts": 3, "maximumEventAgeInSeconds": 900},
                dead_letter_config={"arn": props.shared.arn("sqs", props.shared.undelivered_queue)},
            ),
        )
        schedule.node.add_dependency(self.pipeline)


def monitor_definition(props: ModelProps, job_role_arn: str) -> PipelineDefinition:
    """One step: the monitor job reads captured requests through S3, because which ones are new is its own to know."""
    monitor = ProcessingStep(
        "Monitor",
        processing_arguments(
            props,
            "monitor",
            role_arn=job_role_arn,
            environment=job_environment(props, SCHEDULED_TIME=SCHEDULED_TIME),
            inputs={},
            outputs={"report": execution_uri(props, "monitor")},
        ),
        display_name="Monitor",
        description="Drift, data quality and model quality of what the endpoint answered",
        retry_policies=RETRY_JOB,
    )
    return PipelineDefinition([monitor], [SCHEDULED_TIME])


def _job_role_statements(props: ModelProps) -> list[iam.PolicyStatement]:
    model, names, endpoint = props.config.name, props.shared, props.names.endpoint
    return [
        *job_statements(props),
        list_objects(names, "data", f"{model}/captured/"),
        read_objects(names, "data", f"{model}/captured/"),
        list_objects(names, "data", f"{model}/ground-truth/"),
        read_objects(names, "data", f"{model}/ground-truth/"),
        list_objects(names, "artifacts", f"{model}/"),
        read_objects(names, "artifacts", f"{model}/"),
        write_objects(names, "artifacts", f"{model}/monitor/"),
        allow(["sagemaker:DescribeModelPackage"], [versions_arn(props)]),
        allow(["sagemaker:DescribeEndpoint"], [names.arn("sagemaker", f"endpoint/{endpoint}")]),
        allow(["sagemaker:DescribeEndpointConfig"], [names.arn("sagemaker", f"endpoint-config/{endpoint}-*")]),
        allow(["sagemaker:DescribeModel"], [names.arn("sagemaker", f"model/{endpoint}-*")]),
        put_metrics(),
    ]
