"""A CodeCommit repository as source: an EventBridge rule starts the pipeline when its branch changes."""

import subprocess

import pytest
import yaml

from model_factory.ops.delivery.deliveries import Deliveries
from model_factory.ops.local.demo_delivery.workspace import Workspace

from .conftest import ENVIRONMENTS, TIMEOUT_SECONDS

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
# The build prints the history and a file, then fails, because these tests need no deployment.
FAILING_TEST = "git log --format=%s && ls models/sales/model.yaml no-such-file"


@pytest.fixture(scope="module")
def beta(delivered, tmp_path_factory):
    """Another factory in the same tooling account. Its pipeline is deployed before the first push."""
    root = tmp_path_factory.mktemp("beta") / "factory"
    subprocess.run(["git", "clone", "--quiet", delivered.workspace.root, root], check=True)
    workspace = Workspace(delivered.workspace.local, root)
    workspace.git("reset", "--quiet", "--hard", workspace.git("rev-list", "--max-parents=0", "HEAD"))
    workspace.git("rm", "--quiet", "-r", "models/offers")
    factory = yaml.safe_load((root / "factory.yaml").read_text())
    delivery = factory["delivery"] | {"source": "codecommit", "repository": "models", "test": FAILING_TEST}
    content = factory | {"name": "beta", "environments": ENVIRONMENTS[:1], "delivery": delivery}
    (root / "factory.yaml").write_text(yaml.safe_dump(content))
    repository = delivered.client("codecommit").create_repository(repositoryName="models")["repositoryMetadata"]
    workspace.git("remote", "set-url", "origin", repository["cloneUrlHttp"])
    workspace.deploy_pipeline()
    return workspace


@pytest.fixture(scope="module")
def deliveries(delivered, beta):
    return Deliveries(delivered.client("codepipeline"), "beta-delivery")


def test_rule_starts_pipeline_and_build_has_the_commit(delivered, beta, deliveries):
    (first,) = deliveries.executions()
    assert first["trigger"]["triggerType"] == "CreatePipeline"
    assert "No branch [main] found" in first["statusSummary"]
    commit = beta.push("the factory of a team with CodeCommit")
    execution, _ = deliveries.follow(commit, TIMEOUT_SECONDS)
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
    assert "no-such-file" in deliveries.failures(execution["pipelineExecutionId"])[0]


def test_push_to_other_branch_starts_no_execution(delivered, beta, deliveries):
    before = len(deliveries.executions())
    beta.git("push", "--quiet", "origin", "HEAD:refs/heads/other")
    assert len(deliveries.executions()) == before
    pipelines = {each["name"] for each in delivered.client("codepipeline").list_pipelines()["pipelines"]}
    assert pipelines == {"acme-delivery", "acme-pull-requests", "beta-delivery"}
