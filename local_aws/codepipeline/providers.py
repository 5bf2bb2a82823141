"""The action providers: sources, builds, deployments, functions and approvals."""

import json
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ..authorization import AccessDeniedError
from ..json_api import ServiceError
from . import deployments
from .action import ActionExecution, ActionFailed
from .artifacts import clone_reference, write
from .connections import use_connection
from .repositories import GitError

CLONE = {"CODEBUILD_CLONE_REF", "FULL_CLONE"}
# On AWS a function with a continuation token is invoked again after about half a minute.
CONTINUATION_SECONDS = 0.5
ANSWER_SECONDS = 1200
POLL_SECONDS = 0.05


def _connection(action: ActionExecution) -> None:
    configuration, repositories = action.configuration, action.execution.state.repositories
    repository, branch, connection = (configuration[k] for k in ("FullRepositoryId", "BranchName", "ConnectionArn"))
    try:
        use_connection(action.local.authorization, action.role_arn, connection)
        commit = action.execution.overrides.get(action.name) or repositories.commit(repository, branch)
        message = repositories.message(repository, commit)
    except GitError as error:
        raise ActionFailed(str(error), "ConfigurationError") from None
    except AccessDeniedError as refusal:
        reason = f"Unable to use Connection: {connection}. The provided role does not have sufficient permissions."
        raise ActionFailed(f"{reason} ({refusal})", "PermissionError") from None
    _store_source(action, repository, branch, commit, message)
    action.variables |= {"ConnectionArn": connection, "FullRepositoryName": repository}


def _codecommit(action: ActionExecution) -> None:
    """Called as the action's role, which also needs codecommit:UploadArchive, unless builds clone the repository."""
    configuration, codecommit = action.configuration, action.client("codecommit")
    repository, branch = {"repositoryName": configuration["RepositoryName"]}, configuration["BranchName"]
    try:
        arn = codecommit.get_repository(**repository)["repositoryMetadata"]["Arn"]
        head = codecommit.get_branch(**repository, branchName=branch)["branch"]["commitId"]
        commit = action.execution.overrides.get(action.name) or head
        message = codecommit.get_commit(**repository, commitId=commit)["commit"]["message"]
        if configuration.get("OutputArtifactFormat") not in CLONE:
            action.local.authorization.check(action.role_arn, "codecommit:UploadArchive", arn)
    except (ClientError, AccessDeniedError) as error:
        raise ActionFailed(str(error), "ConfigurationError") from None
    full_name = f"codecommit/{action.account()}/{action.region}/{configuration['RepositoryName']}"
    _store_source(action, full_name, branch, commit, message)
    action.variables["RepositoryName"] = configuration["RepositoryName"]


def _store_source(action: ActionExecution, repository: str, branch: str, commit: str, message: str) -> None:
    """The commit's files as the output artifact, or where to clone it from."""
    if action.configuration.get("OutputArtifactFormat") in CLONE:
        content = clone_reference(repository, commit, action.configuration.get("ConnectionArn", ""))
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "source.zip"
            action.execution.state.repositories.archive(repository, commit, path)
            content = path.read_bytes()
    _, key = action.store(action.region)
    for name, artifact in action.outputs().items():
        write(action.client("s3"), artifact, content, key)
        revision = {"name": name, "revisionId": commit, "revisionSummary": message[:2048]}
        action.execution.revisions.append(revision)
    action.external_id = commit
    action.summary = message[:2048]
    action.variables |= {"CommitId": commit, "BranchName": branch, "CommitMessage": message}


def _codebuild(action: ActionExecution) -> None:
    configuration, inputs = action.configuration, action.inputs()
    builds = action.execution.state.builds.state(action.account(), action.region)
    try:
        build = builds.run(
            configuration["ProjectName"],
            inputs=inputs,
            primary=configuration.get("PrimarySource") or next(iter(inputs)),
            outputs=action.outputs(),
            variables=json.loads(configuration.get("EnvironmentVariables", "[]")),
            initiator=f"codepipeline/{action.execution.name}",
            kms_key=action.store(action.region)[1],
        )
    except ServiceError as error:
        raise ActionFailed(error.message, "ConfigurationError") from None
    action.external_id = build["id"]
    action.external_url = f"{build['logs']['groupName']}/{build['logs']['streamName']}"
    if build["buildStatus"] != "SUCCEEDED":
        phase = build["phases"][0]
        context = phase["contexts"][0]
        raise ActionFailed(
            f"Build terminated with state: FAILED. Phase: {phase['phaseType']}, Code: {context['statusCode']}, "
            f"Message: {context['message']}"
        )


def _lambda(action: ActionExecution) -> None:
    """Invoke the function until it answers without a continuation token."""
    jobs, token = action.execution.state.jobs, None
    name = action.configuration["FunctionName"]
    while True:
        job = jobs.open()
        client = action.client("lambda")
        answer = client.invoke(FunctionName=name, Payload=json.dumps(_job_event(action, job, token)).encode())
        if "FunctionError" in answer:
            raise ActionFailed(f"function {name} failed: {json.load(answer['Payload']).get('errorMessage')}")
        result = _wait_for_answer(action, job)
        if "failureDetails" in result:
            action.external_id = result["failureDetails"].get("externalExecutionId", "")
            raise ActionFailed(result["failureDetails"]["message"], result["failureDetails"]["type"])
        details = result.get("executionDetails", {})
        action.summary = details.get("summary", action.summary)
        action.external_id = details.get("externalExecutionId", action.external_id)
        action.variables |= result.get("outputVariables", {})
        token = result.get("continuationToken")
        if token is None:
            return
        if action.execution.state.stopping.wait(CONTINUATION_SECONDS):
            raise ActionFailed("the embedded AWS stops")


def _job_event(action: ActionExecution, job: str, token: str | None) -> dict[str, Any]:
    credentials = action.local.accounts.assume(action.role_arn, "artifacts")
    data: dict[str, Any] = {
        "actionConfiguration": {"configuration": action.configuration},
        "inputArtifacts": [
            {
                "name": name,
                "revision": None,
                "location": {"type": "S3", "s3Location": {"bucketName": at.bucket, "objectKey": at.key}},
            }
            for name, at in action.inputs().items()
        ],
        "outputArtifacts": [],
        "artifactCredentials": {
            "accessKeyId": credentials["AWS_ACCESS_KEY_ID"],
            "secretAccessKey": credentials["AWS_SECRET_ACCESS_KEY"],
            "sessionToken": credentials["AWS_SESSION_TOKEN"],
        },
    }
    if token is not None:
        data["continuationToken"] = token
    return {"CodePipeline.job": {"id": job, "accountId": action.execution.state.account, "data": data}}


def _wait_for_answer(action: ActionExecution, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + ANSWER_SECONDS
    while (answer := action.execution.state.jobs.look(job)) is None:
        if time.monotonic() > deadline or action.execution.state.stopping.wait(POLL_SECONDS):
            raise ActionFailed(f"the function did not answer for job {job}", "JobTimedOut")
    return answer


def _manual(action: ActionExecution) -> None:
    action.external_url = action.configuration.get("ExternalEntityLink", "")
    if topic := action.configuration.get("NotificationArn"):
        action.client("sns").publish(TopicArn=topic, Message=action.configuration.get("CustomData", ""))
    action.token = str(uuid.uuid4())
    while action.decision is None:
        if not action.execution.goes_on or action.execution.state.stopping.wait(POLL_SECONDS):
            raise ActionFailed("the execution ended before the approval", "Abandoned")
    action.token, action.summary = None, action.decision["summary"]
    if action.decision["status"] == "Rejected":
        raise ActionFailed(f"Rejected: {action.summary}", "ApprovalRejected")


def _cloudformation(action: ActionExecution) -> None:
    try:
        deployments.deploy(action)
    except ClientError as error:
        raise ActionFailed(str(error), "ConfigurationError") from None


PROVIDERS = {
    "CodeStarSourceConnection": _connection,
    "CodeCommit": _codecommit,
    "CodeBuild": _codebuild,
    "Lambda": _lambda,
    "Manual": _manual,
    "CloudFormation": _cloudformation,
}
