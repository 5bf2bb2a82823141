"""Starts a model's monitor pipeline, unless there is nothing to monitor: no endpoint, and no approved version.

EventBridge Scheduler invokes it for each check of each model. A job would come to the same answer, on an instance that is paid by
the minute. Where a version is approved the job runs also without an endpoint: it says why that is wrong, or reads scored files.

Needs sagemaker:ListModelPackages on the models' versions, sagemaker:DescribeEndpoint on their endpoints,
sagemaker:StartPipelineExecution on the monitor pipelines; cloudwatch:PutMetricData in our namespace; its log group.
"""

import os
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.parser import BaseModel
from pydantic import ConfigDict
from shared.clients import client
from shared.endpoints import describe_endpoint

NAMESPACE = os.environ["POWERTOOLS_METRICS_NAMESPACE"]
ENVIRONMENT = os.environ["FACTORY_ENVIRONMENT"]
NOTHING = "there is no endpoint and no approved version: there is nothing to monitor"

logger = Logger()


class Check(BaseModel):
    """The input of a model's schedule: names of the model and of its resources, and the time that the check stands for."""

    model_config = ConfigDict(extra="forbid")

    model: str
    pipeline: str
    endpoint: str
    model_package_group: str
    time: datetime


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Start the check, once for each scheduled time; its execution, or why there is none. Raises errors of SageMaker."""
    check = Check.model_validate(event)
    if _has_version(check.model_package_group) or describe_endpoint(client("sagemaker"), check.endpoint):
        execution = _start(check)
        logger.info("check started", model=check.model, execution=execution)
        return {"execution": execution}
    _report_no_rows(check)
    logger.info(NOTHING, model=check.model)
    return {"reason": NOTHING}


def _has_version(group: str) -> bool:
    """Whether a version is approved."""
    found = client("sagemaker").list_model_packages(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", MaxResults=1
    )
    return bool(found["ModelPackageSummaryList"])


def _start(check: Check) -> str:
    """The execution's ARN."""
    time = f"{check.time:%Y-%m-%dT%H:%M:%SZ}"
    return client("sagemaker").start_pipeline_execution(
        PipelineName=check.pipeline,
        # Lambda repeats a failed invocation, and EventBridge Scheduler an invocation that it is not sure of.
        ClientRequestToken=f"{check.pipeline}-{time}",
        PipelineParameters=[{"Name": "ScheduledTime", "Value": time}],
    )["PipelineExecutionArn"]


def _report_no_rows(check: Check) -> None:
    """The metric that the alarm monitor-missed waits for, as a check without an endpoint publishes it."""
    client("cloudwatch").put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[
            {
                "MetricName": "RowsObserved",
                "Dimensions": [
                    {"Name": "Environment", "Value": ENVIRONMENT},
                    {"Name": "Model", "Value": check.model},
                ],
                "Value": 0.0,
                "Timestamp": check.time,
            }
        ],
    )
