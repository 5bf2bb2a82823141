"""CloudFormation actions: create and execute change sets under the action's role, in its account."""

import json
from typing import Any

from botocore.exceptions import ClientError

from .action import ActionExecution, ActionFailed
from .artifacts import read

NO_CHANGES = "didn't contain changes"
BEGINS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")


def deploy(action: ActionExecution) -> None:
    """Perform the ActionMode. Raises ActionFailed with the reason of the first resource that failed."""
    mode = action.configuration["ActionMode"]
    if mode == "CHANGE_SET_REPLACE":
        _replace_change_set(action)
    elif mode == "CHANGE_SET_EXECUTE":
        _execute_change_set(action)
    else:
        raise ActionFailed(f"the embedded AWS does not support the CloudFormation action mode {mode}")


def _replace_change_set(action: ActionExecution) -> None:
    cloudformation, configuration = action.client("cloudformation"), action.configuration
    which = {"StackName": configuration["StackName"], "ChangeSetName": configuration["ChangeSetName"]}
    kind = "UPDATE" if _exists(cloudformation, configuration["StackName"]) else "CREATE"
    cloudformation.delete_change_set(**which)
    made = cloudformation.create_change_set(
        **which,
        ChangeSetType=kind,
        TemplateBody=_file(action, configuration["TemplatePath"]).decode(),
        Parameters=_parameters(configuration),
        Capabilities=configuration.get("Capabilities", "").split(","),
        RoleARN=configuration["RoleArn"],
    )
    found = cloudformation.describe_change_set(ChangeSetName=made["Id"])
    if found["Status"] == "FAILED" and NO_CHANGES not in found.get("StatusReason", ""):
        raise ActionFailed(found.get("StatusReason", "the change set failed"), "ConfigurationError")
    action.external_id = made["Id"]
    action.summary = "no changes" if found["Status"] == "FAILED" else "change set created"


def _execute_change_set(action: ActionExecution) -> None:
    cloudformation, stack = action.client("cloudformation"), action.configuration["StackName"]
    which = {"StackName": stack, "ChangeSetName": action.configuration["ChangeSetName"]}
    if cloudformation.describe_change_set(**which)["Status"] == "FAILED":
        action.summary = "no changes"
        return
    cloudformation.execute_change_set(**which)
    status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    action.external_id, action.summary = stack, status
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise ActionFailed(f"Stack {stack} is {status}.{_first_failed(cloudformation, stack)}")


def _first_failed(cloudformation: Any, stack: str) -> str:
    """The first resource that failed and why, where the action's role may read the stack's events."""
    try:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    except ClientError:
        return ""
    reason = ""
    for event in events:  # the newest first
        if event["ResourceType"] == "AWS::CloudFormation::Stack" and event["ResourceStatus"] in BEGINS:
            break
        if event["ResourceStatus"].endswith("_FAILED") and event["ResourceType"] != "AWS::CloudFormation::Stack":
            reason = f" {event['LogicalResourceId']} ({event['ResourceType']}): {event['ResourceStatusReason']}"
    return reason


def _exists(cloudformation: Any, stack: str) -> bool:
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError:
        return False
    return found[0]["StackStatus"] != "REVIEW_IN_PROGRESS"


def _parameters(configuration: dict[str, str]) -> list[dict[str, str]]:
    given = json.loads(configuration.get("ParameterOverrides", "{}"))
    return [{"ParameterKey": key, "ParameterValue": str(value)} for key, value in given.items()]


def _file(action: ActionExecution, reference: str) -> bytes:
    """A file of an input artifact, `<artifact>::<path>`."""
    name, _, path = reference.partition("::")
    archive = read(action.client("s3"), action.inputs()[name])
    try:
        return archive.read(path)
    except KeyError:
        raise ActionFailed(f"the artifact {name} has no file {path}", "ConfigurationError") from None
