"""Delete the stack of a model that is no longer in models/, and say what stays."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from botocore.exceptions import ClientError

from model_factory.core.names import FOUNDATION, ModelNames
from model_factory.functions.shared.executions import RUNNING

from ..operations.leftovers import find_leftovers
from ..project import EnvironmentSession, UsageError
from ..waiting import wait_for

TIMEOUT_SECONDS = 3600
_RETAINED = ("Retain", "RetainExceptOnCreate")
_GROUP = "AWS::SageMaker::ModelPackageGroup"


@dataclass(frozen=True)
class Removal:
    """The stack to delete, by name and id, and what stays, one thing a line."""

    stack: str
    stack_id: str
    kept: tuple[str, ...]


def plan_removal(session: EnvironmentSession, model: str) -> Removal:
    """Check that the stack of a model can be deleted. Raises UsageError."""
    names, where = session.names.model(model), session.environment.name
    if model in session.project.models:
        raise UsageError(
            f"{model} is in models/, so the next deployment would create its stack again: delete models/{model} first, and "
            "deliver (git push) or deploy that"
        )
    stack = describe_stack(session.client("cloudformation"), names.stack)
    if stack is None or model == FOUNDATION:
        found = ", ".join(each.model for each in find_leftovers(session)) or "none"
        raise UsageError(f"{where} has no model {model!r}; deployed there and not in models/: {found}")
    if stack.get("EnableTerminationProtection"):
        raise UsageError(
            f"the stack {names.stack} has termination protection; switch it off, then run this again: aws cloudformation "
            f"update-termination-protection --no-enable-termination-protection --stack-name {names.stack} "
            f"--region {session.environment.region}"
        )
    for pipeline in (names.training_pipeline, names.monitor_pipeline):
        if arn := _running(session, pipeline):
            raise UsageError(
                f"SageMaker deletes no pipeline that is running, and {pipeline} is: wait for its end, or stop it with "
                f"aws sagemaker stop-pipeline-execution --pipeline-execution-arn {arn}"
            )
    return Removal(names.stack, stack["StackId"], tuple(_kept(session, names)))


def remove(session: EnvironmentSession, removal: Removal, log: Callable[[str], None]) -> None:
    """Delete the stack and wait for the end. Raises UsageError with the resources that could not be deleted.

    CloudFormation deletes with the role of the stack's last deployment.
    """
    cloudformation = session.client("cloudformation")
    cloudformation.delete_stack(StackName=removal.stack_id)
    log(f"deleting {removal.stack}; its endpoint goes first")

    def ended() -> str | None:
        stack = describe_stack(cloudformation, removal.stack_id)
        status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
        return status if status in ("DELETE_COMPLETE", "DELETE_FAILED") else None

    if wait_for(f"the deletion of {removal.stack}", ended, TIMEOUT_SECONDS) == "DELETE_FAILED":
        raise UsageError(
            f"{removal.stack} could not be deleted: {'; '.join(_failures(session, removal.stack_id))}. Remove the cause, then "
            "run this again"
        )


def _kept(session: EnvironmentSession, names: ModelNames) -> Iterator[str]:
    """What the deployed template retains, and the model's objects in the environment's buckets."""
    body: Any = session.client("cloudformation").get_template(StackName=names.stack)["TemplateBody"]
    template: dict[str, Any] = yaml.safe_load(body) if isinstance(body, str) else dict(body)
    resources: dict[str, Any] = template["Resources"]
    for name, resource in resources.items():
        if resource.get("DeletionPolicy") not in _RETAINED:
            continue
        if resource["Type"] == _GROUP:
            yield (
                f"the model package group {names.model_package_group} with its versions; before a model is called "
                f"{names.model} again, delete it or import it into the new stack (cdk import)"
            )
        else:
            yield f"{name} ({resource['Type']})"
    for purpose in ("data", "artifacts", "records"):
        yield f"s3://{session.names.bucket(purpose)}/{names.model}/"


def describe_stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """DescribeStacks of one stack, by name or id; None when there is none."""
    try:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise


def _running(session: EnvironmentSession, pipeline: str) -> str | None:
    """ARN of a running execution of a pipeline; None when none runs, or there is no such pipeline."""
    sagemaker = session.client("sagemaker")
    try:
        executions = sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    except sagemaker.exceptions.ResourceNotFound:
        return None
    return next(
        (each["PipelineExecutionArn"] for each in executions if each["PipelineExecutionStatus"] in RUNNING), None
    )


def _failures(session: EnvironmentSession, stack_id: str) -> Iterator[str]:
    events = session.client("cloudformation").describe_stack_events(StackName=stack_id)["StackEvents"]
    for event in events:  # the newest first
        if event["ResourceType"] == "AWS::CloudFormation::Stack" and event["ResourceStatus"] == "DELETE_IN_PROGRESS":
            return
        if event["ResourceStatus"] == "DELETE_FAILED" and event["ResourceType"] != "AWS::CloudFormation::Stack":
            reason = event.get("ResourceStatusReason", "no reason given")
            yield f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
