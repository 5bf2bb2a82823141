"""CodeCommit's events, and the roles that act between a push and a build."""

import json
import subprocess
import time

import pytest

from local_aws.server import LocalAws

ACCOUNT, REGION = "999999999999", "eu-west-1"
REPOSITORY = f"arn:aws:codecommit:{REGION}:{ACCOUNT}:models"
READ = {"Action": ["codecommit:GetRepository", "codecommit:GetBranch", "codecommit:GetCommit"], "Resource": REPOSITORY}
STORE = {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::commits/*"}
PULL = {"Action": "codecommit:GitPull", "Resource": REPOSITORY}


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with LocalAws(tmp_path_factory.mktemp("aws")) as local:
        s3 = local.accounts.client("s3", ACCOUNT, REGION)
        s3.create_bucket(Bucket="commits", CreateBucketConfiguration={"LocationConstraint": REGION})
        yield local


@pytest.fixture(scope="module")
def client(local):
    return lambda service: local.accounts.client(service, ACCOUNT, REGION)


@pytest.fixture(scope="module")
def push(client, tmp_path_factory):
    """Pushes an empty commit to a branch; the commit."""
    repository = client("codecommit").create_repository(repositoryName="models")["repositoryMetadata"]
    assert repository["Arn"] == REPOSITORY
    clone = tmp_path_factory.mktemp("clone")
    git = ["git", "-C", str(clone), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "clone", "--quiet", repository["cloneUrlHttp"], clone], check=True, capture_output=True)

    def pushed(branch: str) -> str:
        subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "change"], check=True)
        subprocess.run([*git, "push", "--quiet", "origin", f"HEAD:{branch}"], check=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
        return head.stdout.strip()

    return pushed


@pytest.fixture(scope="module")
def role(client):
    def make(name: str, service: str, *allowed: dict) -> str:
        def document(*statements: dict) -> str:
            return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]})

        iam, principal = client("iam"), {"Service": f"{service}.amazonaws.com"}
        trust = document({"Action": "sts:AssumeRole", "Principal": principal})
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        if allowed:
            iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=document(*allowed))
        return arn

    return make


@pytest.fixture(scope="module")
def create(client, role):
    """Makes a pipeline of a source and a build, and the rule that starts it."""

    def created(name: str, source: list[dict], build: list[dict], start: list[dict], poll: str = "false") -> str:
        spec = json.dumps({"version": "0.2", "phases": {"build": {"commands": ["git log"]}}})
        client("codebuild").create_project(
            name=name,
            source={"type": "CODEPIPELINE", "buildspec": spec},
            artifacts={"type": "CODEPIPELINE"},
            environment={"type": "LINUX_CONTAINER", "image": "any", "computeType": "BUILD_GENERAL1_SMALL"},
            serviceRole=role(f"{name}-build", "codebuild", STORE, *build),
        )
        configuration = {"RepositoryName": "models", "BranchName": "main", "PollForSourceChanges": poll}
        stages = [
            _stage("Source", "CodeCommit", configuration | {"OutputArtifactFormat": "CODEBUILD_CLONE_REF"}),
            _stage("Build", "CodeBuild", {"ProjectName": name}),
        ]
        client("codepipeline").create_pipeline(
            pipeline={
                "name": name,
                "roleArn": role(f"{name}-pipeline", "codepipeline", STORE, *source),
                "artifactStore": {"type": "S3", "location": "commits"},
                "stages": stages,
            }
        )
        arn = f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{name}"
        detail = {"referenceName": [name], "event": ["referenceCreated", "referenceUpdated"]}
        client("events").put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.codecommit"], "detail": detail}))
        starter = role(f"{name}-start", "events", *start)
        client("events").put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn, "RoleArn": starter}])
        return name

    return created


def _stage(category: str, provider: str, configuration: dict[str, str]) -> dict:
    action = {
        "name": category,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "configuration": configuration,
        "outputArtifacts": [{"name": "Code"}] if category == "Source" else [],
        "inputArtifacts": [{"name": "Code"}] if category == "Build" else [],
    }
    return {"name": category, "actions": [action]}


def starting(name: str) -> dict:
    return {
        "Action": "codepipeline:StartPipelineExecution",
        "Resource": f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{name}",
    }


def ended(client, name: str) -> list[dict]:
    """All executions, the newest first, once all have ended."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = client("codepipeline").list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
        if all(each["status"] != "InProgress" for each in found):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{name} goes on: {found}")


def test_rule_starts_pipeline_that_builds_branch_commit(client, create, push):
    commit = push("main")
    name = create("all", [READ], [PULL], [starting("all")])
    ended(client, name)
    push("all")
    newest, first = ended(client, name)
    assert (newest["status"], newest["trigger"]["triggerType"]) == ("Succeeded", "CloudWatchEvent")
    assert newest["trigger"]["triggerDetail"] == f"arn:aws:events:{REGION}:{ACCOUNT}:rule/all"
    assert newest["sourceRevisions"][0]["revisionId"] == first["sourceRevisions"][0]["revisionId"] == commit


def test_rule_without_start_permission_starts_no_pipeline(client, create, push):
    name = create("no-start", [READ], [PULL], [])
    push("no-start")
    assert len(ended(client, name)) == 1


@pytest.mark.parametrize(
    ("name", "source", "build", "refused"),
    [("no-read", [], [PULL], "codecommit:GetRepository"), ("no-pull", [READ], [], "codecommit:GitPull")],
)
def test_repository_read_requires_permission(client, create, push, name, source, build, refused):
    push("main")
    create(name, source, build, [starting(name)])
    (execution,) = ended(client, name)
    assert execution["status"] == "Failed"
    assert f"not authorized to perform: {refused}" in execution["statusSummary"]


def test_polling_source_is_refused(client, create):
    with pytest.raises(client("codepipeline").exceptions.ClientError, match="does not poll"):
        create("polling", [READ], [PULL], [], poll="true")


def test_missing_resources_are_errors(client, push):
    push("main")
    codecommit = client("codecommit")
    with pytest.raises(codecommit.exceptions.RepositoryDoesNotExistException):
        codecommit.get_branch(repositoryName="nothing", branchName="main")
    with pytest.raises(codecommit.exceptions.BranchDoesNotExistException, match="No branch"):
        codecommit.get_branch(repositoryName="models", branchName="nowhere")
    with pytest.raises(codecommit.exceptions.RepositoryNameExistsException):
        codecommit.create_repository(repositoryName="models")
