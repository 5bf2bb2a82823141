"""An account with everything that a pipeline needs: a role, an artifact bucket, a repository and a function."""

import io
import json
import subprocess
import time
import uuid
import zipfile

from local_aws.server import LocalAws

ACCOUNT, REGION = "999999999999", "eu-west-1"
CONNECTION = f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/11111111-2222-4333-8444-555555555555"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["lambda:InvokeFunction", "codepipeline:PutJobSuccessResult"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["codepipeline:PutJobFailureResult"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["codeconnections:UseConnection"], "Resource": CONNECTION},
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

    def create(self, *stages, connection: str = CONNECTION, **more) -> str:
        """A pipeline of a source and these stages; it starts at once."""
        name = f"pipeline-{uuid.uuid4().hex[:6]}"
        configuration = {"FullRepositoryId": "acme/models", "BranchName": "main", "ConnectionArn": connection}
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

    def wait(self, look, seconds: float = 120):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(0.05)
        raise AssertionError("the expected state was not reached")

    def ended(self, name: str, execution: str | None = None) -> dict:
        """The execution (default: the newest) once it has ended."""

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
