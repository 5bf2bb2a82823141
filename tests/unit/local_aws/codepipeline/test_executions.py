"""Pipelines made through boto3 and executed: builds, approvals, functions, rollbacks, and executions that overtake others."""

import io
import json
import subprocess
import time
import uuid
import zipfile

import pytest

from local_aws.server import LocalAws

ACCOUNT, REGION = "999999999999", "eu-west-1"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["lambda:InvokeFunction", "codepipeline:PutJobSuccessResult"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["codepipeline:PutJobFailureResult"], "Resource": "*"},
    ],
}
FUNCTION = """
import boto3, json

def handler(event, context):
    job = event["CodePipeline.job"]
    wanted = job["data"]["actionConfiguration"]["configuration"]["UserParameters"]
    client = boto3.client("codepipeline")
    if wanted == "fail":
        details = {"type": "JobFailed", "message": "model churn: too bad"}
        client.put_job_failure_result(jobId=job["id"], failureDetails=details)
    elif "continuationToken" not in job["data"]:
        client.put_job_success_result(jobId=job["id"], continuationToken="again")
    else:
        client.put_job_success_result(jobId=job["id"], outputVariables={"word": "hello " + wanted})
"""


class World:
    """One account with a role, an artifact bucket, a repository and a function."""

    def __init__(self, local: LocalAws, folder) -> None:
        self.local, self.clone = local, folder
        self.pipeline = self.client("codepipeline")
        iam = self.client("iam")
        principals = ["codepipeline.amazonaws.com", "codebuild.amazonaws.com", "lambda.amazonaws.com"]
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": principals}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.role = iam.create_role(RoleName="work", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        iam.put_role_policy(RoleName="work", PolicyName="Work", PolicyDocument=json.dumps(POLICY))
        self.client("s3").create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION})
        self._function()
        self._git("clone", "-q", str(local.repositories.create("acme/models")), str(folder), at=folder.parent)

    def client(self, service: str):
        return self.local.accounts.client(service, ACCOUNT, REGION)

    def _function(self) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("handler.py", FUNCTION)
        self.client("lambda").create_function(
            FunctionName="work",
            Runtime="python3.12",
            Role=self.role,
            Handler="handler.handler",
            Code={"ZipFile": buffer.getvalue()},
            Timeout=30,
        )

    def _git(self, *arguments: str, at=None) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        command = ["git", "-C", str(at or self.clone), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def push(self, **files: str) -> str:
        for name, text in files.items():
            (self.clone / name).write_text(text)
        self._git("add", ".")
        self._git("commit", "-q", "--allow-empty", "-m", "change")
        self._git("push", "-q", "origin", "HEAD:main")
        return self._git("rev-parse", "HEAD")

    def project(self, *commands: str) -> str:
        name = f"project-{uuid.uuid4().hex[:6]}"
        spec = {"version": "0.2", "phases": {"build": {"commands": commands}}, "artifacts": {"files": ["**/*"]}}
        self.client("codebuild").create_project(
            name=name,
            source={"type": "CODEPIPELINE", "buildspec": json.dumps(spec)},
            artifacts={"type": "CODEPIPELINE"},
            environment={"type": "LINUX_CONTAINER", "image": "any", "computeType": "BUILD_GENERAL1_SMALL"},
            serviceRole=self.role,
        )
        return name

    def create(self, *stages, **more) -> str:
        """A pipeline of a source and these stages; it starts at once."""
        name = f"pipeline-{uuid.uuid4().hex[:6]}"
        configuration = {"FullRepositoryId": "acme/models", "BranchName": "main", "ConnectionArn": "arn:any"}
        source = action("Source", "Source", "CodeStarSourceConnection", configuration, output="Code")
        declared = {
            "name": name,
            "roleArn": self.role,
            "artifactStore": {"type": "S3", "location": "artifacts"},
            "pipelineType": "V2",
            "stages": [{"name": "Source", "actions": [source]}, *stages],
            **more,
        }
        self.pipeline.create_pipeline(pipeline=declared)
        return name

    def executions(self, name: str) -> list[dict]:
        return self.pipeline.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]

    def wait(self, look, seconds: float = 30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(0.05)
        raise AssertionError("waited in vain")

    def ended(self, name: str, execution: str | None = None) -> dict:
        """The execution (default: the newest) once it is over."""

        def look():
            for found in self.executions(name):
                if execution in (None, found["pipelineExecutionId"]):
                    return found if found["status"] != "InProgress" else None
            return None

        return self.wait(look)

    def token(self, name: str, stage: str) -> str:
        def look():
            states = self.pipeline.get_pipeline_state(name=name)["stageStates"]
            found = next(state for state in states if state["stageName"] == stage)
            return found["actionStates"][0].get("latestExecution", {}).get("token")

        return self.wait(look)

    def decide(self, name: str, stage: str, status: str) -> None:
        self.pipeline.put_approval_result(
            pipelineName=name,
            stageName=stage,
            actionName="Approve",
            token=self.token(name, stage),
            result={"status": status, "summary": "because"},
        )

    def actions(self, name: str, execution: str) -> dict[str, dict]:
        found = self.pipeline.list_action_executions(pipelineName=name, filter={"pipelineExecutionId": execution})
        return {one["actionName"]: one for one in found["actionExecutionDetails"]}


def action(name, category, provider, configuration, *, output=None, inputs=(), **more):
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "configuration": configuration,
        "outputArtifacts": [{"name": output}] if output else [],
        "inputArtifacts": [{"name": one} for one in inputs],
        **more,
    }


def build(project, **more):
    return action("Build", "Build", "CodeBuild", {"ProjectName": project}, inputs=["Code"], **more)


def invoke(parameters, **more):
    return action("Invoke", "Invoke", "Lambda", {"FunctionName": "work", "UserParameters": parameters}, **more)


APPROVE = {"name": "Gate", "actions": [action("Approve", "Approval", "Manual", {})]}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    with LocalAws(folder / "aws") as local:
        (folder / "aws").mkdir(exist_ok=True)
        made = World(local, folder / "clone")
        made.push(file="first")
        yield made


def test_a_new_pipeline_runs_and_a_build_sees_the_commit_that_was_pushed(world):
    commit = world.push(file="content")
    project = world.project("cat file", "test $(cat file) = content")
    name = world.create({"name": "Build", "actions": [build(project, output="Built")]})
    execution = world.ended(name)
    assert (execution["status"], execution["trigger"]["triggerType"]) == ("Succeeded", "CreatePipeline")
    assert execution["sourceRevisions"][0]["revisionId"] == commit
    (identifier,) = world.client("codebuild").list_builds_for_project(projectName=project)["ids"]
    (record,) = world.client("codebuild").batch_get_builds(ids=[identifier])["builds"]
    assert record["buildStatus"] == "SUCCEEDED"


def test_a_build_that_fails_says_which_command(world):
    name = world.create({"name": "Build", "actions": [build(world.project("false"))]})
    execution = world.ended(name)
    assert execution["status"] == "Failed"
    details = world.actions(name, execution["pipelineExecutionId"])["Build"]["output"]["executionResult"][
        "errorDetails"
    ]
    assert details["code"] == "JobFailed"
    assert "Error while executing command: false. Reason: exit status 1" in details["message"]


def test_a_function_is_asked_again_until_it_is_done_and_its_variables_are_used(world):
    second = action("Approve", "Approval", "Manual", {"CustomData": "#{first.word}"})
    name = world.create(
        {"name": "Work", "actions": [invoke("world", namespace="first")]}, {"name": "Gate", "actions": [second]}
    )
    world.decide(name, "Gate", "Approved")
    execution = world.ended(name)
    assert execution["status"] == "Succeeded"
    approve = world.actions(name, execution["pipelineExecutionId"])["Approve"]
    assert approve["input"]["resolvedConfiguration"]["CustomData"] == "hello world"
    assert approve["updatedBy"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/")


def test_a_functions_own_words_are_the_reason_of_a_failure(world):
    name = world.create({"name": "Work", "actions": [invoke("fail")]})
    execution = world.ended(name)
    assert execution["status"] == "Failed"
    assert execution["statusSummary"] == "Work: Invoke: model churn: too bad"


def test_a_rejected_approval_stops_the_execution_and_cannot_be_decided_twice(world):
    name = world.create(APPROVE, {"name": "After", "actions": [invoke("world")]})
    token = world.token(name, "Gate")
    world.decide(name, "Gate", "Rejected")
    execution = world.ended(name)
    assert execution["status"] == "Failed"
    assert "Invoke" not in world.actions(name, execution["pipelineExecutionId"])
    errors = world.pipeline.exceptions
    with pytest.raises(errors.ApprovalAlreadyCompletedException):
        world.pipeline.put_approval_result(
            pipelineName=name,
            stageName="Gate",
            actionName="Approve",
            token=token,
            result={"status": "Approved", "summary": "too late"},
        )


def test_a_stage_that_fails_runs_again_as_it_last_succeeded(world):
    world.push(file="good")
    project = world.project("test $(cat file) = good")
    stage = {"name": "Build", "actions": [build(project)], "onFailure": {"result": "ROLLBACK"}}
    name = world.create(stage)
    good = world.ended(name)["pipelineExecutionId"]
    world.push(file="bad")
    executions = world.wait(lambda: (found := world.executions(name)) and len(found) >= 3 and found)
    world.ended(name)
    rollback, failed, _ = world.executions(name)[:3]
    assert failed["status"] == "Failed"
    assert rollback["executionType"] == "ROLLBACK"
    assert rollback["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == good
    assert rollback["status"] == "Succeeded", executions
    assert "Source" not in world.actions(name, rollback["pipelineExecutionId"])


def test_a_role_that_does_not_trust_who_takes_it_on_is_not_taken(world):
    """The action's own, the pipeline's and a build's: each by its trust policy alone."""

    def role(name: str, principal: dict) -> str:
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam = world.client("iam")
        iam.put_role_policy(
            RoleName=iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["RoleName"],
            PolicyName="Work",
            PolicyDocument=json.dumps(POLICY),
        )
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"

    def why(*stages, **more) -> str:
        execution = world.ended(world.create(*stages, **more))
        return execution.get("statusSummary") or execution["status"]

    def acts_as(arn: str) -> str:
        return why({"name": "Work", "actions": [invoke("world", roleArn=arn)]})

    stranger = role("strangers", {"Service": "ec2.amazonaws.com"})
    refused = f"CodePipeline is not authorized to perform AssumeRole on role {stranger} (User: "
    assert acts_as(role("trusting", {"AWS": world.role})) == "Succeeded"
    assert acts_as(stranger).startswith(f"Work: Invoke: {refused}arn:aws:sts::{ACCOUNT}:assumed-role/work/")
    # It leaves it to the account's policies, and the pipeline's role has none for it.
    assert "no identity-based policy allows" in acts_as(role("left-to-policies", {"AWS": ACCOUNT}))
    assert why(APPROVE, roleArn=stranger).startswith(f"Source: Source: {refused}codepipeline.amazonaws.com")
    project = world.project("true")
    world.client("codebuild").update_project(name=project, serviceRole=stranger)
    assert "codebuild.amazonaws.com is not authorized to perform: sts:AssumeRole" in why(
        {"name": "Build", "actions": [build(project)]}
    )


def test_a_newer_execution_takes_the_place_of_one_that_waits(world):
    project = world.project("true")
    name = world.create(APPROVE, {"name": "Build", "actions": [build(project)]}, executionMode="SUPERSEDED")
    world.token(name, "Gate")
    second = world.pipeline.start_pipeline_execution(name=name)["pipelineExecutionId"]
    world.wait(lambda: "Source" in world.actions(name, second))
    world.pipeline.start_pipeline_execution(name=name)
    assert world.ended(name, second)["status"] == "Superseded"


def test_an_update_cancels_what_runs(world):
    name = world.create(APPROVE)
    world.token(name, "Gate")
    declared = world.pipeline.get_pipeline(name=name)["pipeline"]
    declared.pop("version")
    updated = world.pipeline.update_pipeline(pipeline=declared)["pipeline"]
    assert updated["version"] == 2
    assert world.ended(name)["status"] == "Cancelled"


def test_a_missing_branch_is_told_by_the_source(world):
    name = world.create({"name": "Build", "actions": [build(world.project("true"))]})
    world.ended(name)
    declared = world.pipeline.get_pipeline(name=name)["pipeline"]
    declared["stages"][0]["actions"][0]["configuration"]["BranchName"] = "nowhere"
    world.pipeline.update_pipeline(pipeline=declared)
    started = world.pipeline.start_pipeline_execution(name=name)["pipelineExecutionId"]
    assert "No branch [nowhere] found" in world.ended(name, started)["statusSummary"]


def test_what_is_not_executed_is_refused_by_name(world):
    unknown = action("Deploy", "Deploy", "ElasticBeanstalk", {})
    with pytest.raises(world.pipeline.exceptions.ClientError, match="does not support Deploy/ElasticBeanstalk"):
        world.create({"name": "Deploy", "actions": [unknown]})


def test_a_failed_action_is_an_event_that_carries_the_reason(world):
    sqs, events = world.client("sqs"), world.client("events")
    url = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:told"
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [allowed | {"Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    pattern = {
        "source": ["aws.codepipeline"],
        "detail-type": ["CodePipeline Action Execution State Change"],
        "detail": {"state": ["FAILED"], "action": ["Invoke"]},
    }
    events.put_rule(Name="failed", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="failed", Targets=[{"Id": "queue", "Arn": arn}])
    name = world.create({"name": "Work", "actions": [invoke("fail")]})
    execution = world.ended(name)["pipelineExecutionId"]
    (message,) = world.wait(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    detail = json.loads(message["Body"])["detail"]
    assert (detail["pipeline"], detail["stage"], detail["execution-id"]) == (name, "Work", execution)
    assert detail["execution-result"]["external-execution-summary"] == "model churn: too bad"
