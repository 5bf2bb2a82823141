"""A repository of CodeCommit in the place of a connection: a push to its branch starts the pipeline by a rule."""

import subprocess

import pytest
import yaml

from model_factory.ops.delivery.deliveries import Deliveries
from model_factory.ops.local.demo_delivery.workspace import Workspace

from .conftest import ENVIRONMENTS, PATIENCE_SECONDS

pytestmark = pytest.mark.e2e
# As far as these tests go: the build has the commit's files and its history.
STOPS = "git log --format=%s && ls models/sales/model.yaml no-further"


@pytest.fixture(scope="module")
def beta(delivered, tmp_path_factory):
    """Another factory in the same tooling account. Its pipeline is there before anything is pushed."""
    root = tmp_path_factory.mktemp("beta") / "factory"
    subprocess.run(["git", "clone", "--quiet", delivered.workspace.root, root], check=True)
    workspace = Workspace(delivered.workspace.local, root)
    workspace.git("reset", "--quiet", "--hard", workspace.git("rev-list", "--max-parents=0", "HEAD"))
    workspace.git("rm", "--quiet", "-r", "models/offers")
    factory = yaml.safe_load((root / "factory.yaml").read_text())
    delivery = factory["delivery"] | {"source": "codecommit", "repository": "models", "test": STOPS}
    made = factory | {"name": "beta", "environments": ENVIRONMENTS[:1], "delivery": delivery}
    (root / "factory.yaml").write_text(yaml.safe_dump(made))
    repository = delivered.client("codecommit").create_repository(repositoryName="models")["repositoryMetadata"]
    workspace.git("remote", "set-url", "origin", repository["cloneUrlHttp"])
    workspace.deploy_pipeline()
    return workspace


@pytest.fixture(scope="module")
def deliveries(delivered, beta):
    return Deliveries(delivered.client("codepipeline"), "beta-delivery")


def test_a_push_starts_the_pipeline_by_the_rule_and_the_build_has_its_commit(delivered, beta, deliveries):
    (first,) = deliveries.executions()
    assert first["trigger"]["triggerType"] == "CreatePipeline"
    assert "No branch [main] found" in first["statusSummary"]
    commit = beta.push("the factory of a team with CodeCommit")
    execution, _ = deliveries.follow(commit, PATIENCE_SECONDS)
    (rule,) = [
        rule["Arn"]
        for rule in delivered.client("events").list_rules()["Rules"]
        if "aws.codecommit" in rule.get("EventPattern", "")
    ]
    assert execution["trigger"] == {"triggerType": "CloudWatchEvent", "triggerDetail": rule}
    source, build = deliveries.actions(execution["pipelineExecutionId"])
    assert (source["input"]["actionTypeId"]["provider"], source["status"]) == ("CodeCommit", "Succeeded")
    assert source["output"]["outputVariables"]["CommitId"] == commit
    group, _, stream = build["output"]["executionResult"]["externalExecutionUrl"].rpartition("/")
    events = delivered.client("logs").get_log_events(logGroupName=group, logStreamName=stream)["events"]
    log = [event["message"] for event in events]
    assert "the factory of a team with CodeCommit" in log
    assert "models/sales/model.yaml" in log
    assert "no-further" in deliveries.failures(execution["pipelineExecutionId"])[0]


def test_other_branches_and_pull_requests_start_nothing(delivered, beta, deliveries):
    before = len(deliveries.executions())
    beta.git("push", "--quiet", "origin", "HEAD:refs/heads/an-idea")
    assert len(deliveries.executions()) == before
    pipelines = {each["name"] for each in delivered.client("codepipeline").list_pipelines()["pipelines"]}
    assert pipelines == {"acme-delivery", "acme-pull-requests", "beta-delivery"}
