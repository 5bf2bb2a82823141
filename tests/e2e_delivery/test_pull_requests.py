"""Pull requests: built and tested as a push would be, and nothing is deployed."""

import pytest

from model_factory.ops.delivery.deliveries import Deliveries

from .conftest import PATIENCE_SECONDS

pytestmark = pytest.mark.e2e


@pytest.fixture
def propose(delivered):
    """Opens a pull request with one change of model.yaml and follows what it starts."""
    workspace = delivered.workspace
    requests = Deliveries(delivered.client("codepipeline"), "acme-pull-requests")
    first = workspace.git("rev-list", "--max-parents=0", "HEAD")

    def opened(branch, old, new):
        workspace.git("checkout", "--quiet", "-b", branch, first)
        workspace.change("models/sales/model.yaml", old, new)
        workspace.git("commit", "--quiet", "--all", "--message", branch)
        workspace.git("push", "--quiet", "origin", branch)
        commit = workspace.git("rev-parse", "HEAD")
        workspace.git("checkout", "--quiet", "main")
        workspace.local.post("pull-request", repository="acme/models", branch=branch, target="main")
        execution, approval = requests.follow(commit, PATIENCE_SECONDS, delivered.lines.append)
        assert approval is None
        return execution, requests.failures(execution["pipelineExecutionId"])

    return opened


def test_a_pull_request_is_tested_and_deploys_nothing(delivered, propose):
    before, deliveries = delivered.versions(), len(delivered.deliveries.executions())
    execution, failures = propose("a-better-margin", "champion_margin: 0.05", "champion_margin: 0.02")
    assert (execution["status"], failures) == ("Succeeded", [])
    assert delivered.versions() == before
    assert len(delivered.deliveries.executions()) == deliveries
