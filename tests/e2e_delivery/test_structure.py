"""A push that changes the delivery itself: staging and the model `offers` are removed, an environment is added.

The endpoint of `sales` becomes an asynchronous one with it.

It runs after the other tests, except those of permissions, because it ends with another pipeline.
"""

import re
import shutil

import pytest
import yaml

from local_aws.bootstrap import bootstrap_places, write_profiles
from model_factory.ops.acceptance.alerts import subscribed_queue
from model_factory.ops.delivery.left_behind import left_behind
from model_factory.ops.delivery.removal import plan_removal, remove
from model_factory.ops.local.demo_delivery.workspace import TOOLING
from model_factory.ops.operations.leftovers import find_leftovers

from .conftest import ENVIRONMENTS

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
ADDED = {"name": "qa", "account": "444444444444", "region": "eu-west-1", "approval": "automatic", "removal": "destroy"}


@pytest.fixture(scope="module")
def restructured(live, alerts):
    """The execution of the push, which waits for the approval of prod; `dev_alerts`: messages of dev's topic since then."""
    workspace, dev = live.workspace, live.session("dev")
    for one in ENVIRONMENTS:
        live.role(one["account"], f"acme-{one['name']}-delivery")
    live.restore_models()
    live.trained_before = live.trainings("dev", "offers")
    shutil.rmtree(workspace.root / "models" / "offers")
    serving = "{mode: async, capture_percent: 0, max_latency: 1m}"
    workspace.change("models/sales/model.yaml", "{scaling: {minimum: 1, maximum: 2}, max_latency: 1m}", serving)
    factory = yaml.safe_load((workspace.root / "factory.yaml").read_text())
    factory["environments"] = [ENVIRONMENTS[0], ADDED, ENVIRONMENTS[2]]
    (workspace.root / "factory.yaml").write_text(yaml.safe_dump(factory, sort_keys=False))
    bootstrap_places(workspace.local, [(ADDED["account"], ADDED["region"])], trust=TOOLING[0])
    profiles = {f"acme-{one['name']}": (one["account"], one["region"]) for one in [*ENVIRONMENTS, ADDED]}
    write_profiles(workspace.local, profiles | {"acme-delivery": TOOLING})
    with subscribed_queue(dev.client, dev.names) as dev_alerts:
        live.dev_alerts = dev_alerts
        execution, approval = live.push("qa instead of staging, no more offers")
        assert approval, live.failures(execution)
        yield execution


def summaries(live, execution) -> dict[str, str]:
    """What the actions of an execution did, by action."""
    actions = live.deliveries.actions(execution["pipelineExecutionId"])
    return {a["actionName"]: a["output"]["executionResult"].get("externalExecutionSummary", "") for a in actions}


def test_added_environment_is_deployed_and_removed_one_is_not(live, restructured):
    done = summaries(live, restructured)
    assert done["Retrain-qa"] == "no data yet: sales; unchanged: 0"
    assert done["Smoke-qa"] == "sales: no approved version yet"
    assert not [name for name in done if "staging" in name or "offers" in name]


def test_smoke_test_waits_for_answer_of_asynchronous_endpoint(live, restructured):
    assert re.fullmatch(r"sales v\d+ \(auc 0\.\d{4}\) answered 0\.\d{4}", summaries(live, restructured)["Smoke-dev"])
    assert "AsyncInferenceConfig" in live.reader("dev").endpoint_or_none()


def test_deleted_model_is_not_retrained_and_reported(live, restructured):
    assert summaries(live, restructured)["Retrain-dev"] == "trained: sales; not in this commit: offers; unchanged: 0"
    assert live.trainings("dev", "offers") == live.trained_before
    message = live.dev_alerts("offers is deployed in dev, but not in the delivered commit")
    assert "model-factory remove-model offers --env dev" in message


def test_removed_environment_is_reported_with_its_stacks(live, restructured, alerts):
    stacks = "acme-staging-foundation, acme-staging-offers, acme-staging-sales"
    assert f"its stacks stay: {stacks}." in alerts("The environment staging is no longer delivered to")
    lines = list(left_behind(live.workspace.project, live.deliveries))
    assert any(f"({stacks})" in line and "cdk destroy 'staging/*'" in line for line in lines)
    assert any("model-factory remove-model offers --env dev" in line for line in lines)


def test_leftover_model_is_removed_by_command(live, restructured):
    session = live.workspace.project.environment("dev")
    assert [each.model for each in find_leftovers(session)] == ["offers"]
    remove(session, plan_removal(session, "offers"), live.lines.append)
    assert find_leftovers(session) == []
    assert live.reader("dev", "offers").endpoint_or_none() is None
