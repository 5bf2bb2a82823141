"""Pull requests are built and tested; nothing is deployed."""

import pytest

from model_factory.ops.delivery.deliveries import Deliveries

from .conftest import TIMEOUT_SECONDS

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def open_pull_request(delivered):
    """Opens a pull request with a change of model.yaml; returns the ended execution and its failures."""
    workspace = delivered.workspace
    requests = Deliveries(delivered.client("codepipeline"), "acme-pull-requests")
    first = workspace.git("rev-list", "--max-parents=0", "HEAD")

    def open_and_wait(branch, old, new):
        workspace.git("checkout", "--quiet", "-b", branch, first)
        workspace.change("models/sales/model.yaml", old, new)
        workspace.git("commit", "--quiet", "--all", "--message", branch)
        workspace.git("push", "--quiet", "origin", branch)
        commit = workspace.git("rev-parse", "HEAD")
        workspace.git("checkout", "--quiet", "main")
        workspace.local.post("pull-request", repository="acme/models", branch=branch, target="main")
        execution, approval = requests.follow(commit, TIMEOUT_SECONDS, delivered.lines.append)
        assert approval is None
        return execution, requests.failures(execution["pipelineExecutionId"])

    return open_and_wait


def test_pull_request_is_tested_and_not_deployed(delivered, open_pull_request):
    before, deliveries = delivered.versions(), len(delivered.deliveries.executions())
    execution, failures = open_pull_request("smaller-margin", "champion_margin: 0.05", "champion_margin: 0.02")
    assert (execution["status"], failures) == ("Succeeded", [])
    assert delivered.versions() == before
    assert len(delivered.deliveries.executions()) == deliveries
