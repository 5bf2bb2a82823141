"""Trials in the deployed factory: a new version gets copies of the requests, and late labels promote or reject it."""

from datetime import UTC, datetime, timedelta

import pytest

from model_factory.ops.waiting import wait_for

from .sales import records
from .test_alarm_chain import reset_data, run_monitor, send_requests

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def trials(live):
    """A function that deploys the model with a `serving.challenger`, given as YAML; afterwards the model is as before."""
    path = live.root / "models/sales/model.yaml"
    before = path.read_text()

    def deploy(challenger):
        settings = before.replace("serving: {", f"serving: {{challenger: {challenger}, ")
        if path.read_text() != settings:
            path.write_text(settings)
            live.deploy(live.names.stack, output="cdk.trials")
        return live

    yield deploy
    path.write_text(before)
    live.deploy_again(live.names.stack)
    wait_for("the end of trials", lambda: variants(live) == ["AllTraffic"], 120)
    reset_data(live)


def variants(factory):
    """Names of the variants of the endpoint in service; None while it is being changed."""
    endpoint = factory.client("sagemaker").describe_endpoint(EndpointName=factory.names.endpoint)
    all_variants = [*endpoint["ProductionVariants"], *endpoint.get("ShadowProductionVariants", [])]
    return [each["VariantName"] for each in all_variants] if endpoint["EndpointStatus"] == "InService" else None


def train(factory, variant):
    """Train a version, and wait until it is on trial as this variant; its number."""
    finished = factory.retrain("manual")
    assert finished.status == "Succeeded", finished.reason
    wait_for("the trial", lambda: variants(factory) == ["AllTraffic", variant], 120)
    return newest_version(factory)["ModelPackageVersion"]


def newest_version(factory):
    found = factory.client("sagemaker").list_model_packages(
        ModelPackageGroupName=factory.names.model_package_group, SortBy="CreationTime", SortOrder="Descending"
    )
    return found["ModelPackageSummaryList"][0]


def judge(factory, data, name):
    """Send labelled requests and their labels, and run the monitor; what it says of the trial."""
    factory.upload_labels(send_requests(factory, data, name), f"{name}.csv")
    return run_monitor(factory, datetime.now(UTC) + timedelta(minutes=1))["trial"]


def wait_for_end(factory, version):
    """Wait until the live version is alone; result of the trial and who decided, as its record has them."""
    wait_for("the end of the trial", lambda: variants(factory) == ["AllTraffic"], 180)
    facts = factory.record("trial", version).record["facts"]
    return facts["result"], facts["decided_by"]


def test_challenger_that_is_not_worse_becomes_live(trials, alerts):
    factory = trials("{mode: shadow}")
    live = factory.reader.live_version()
    version = train(factory, "Shadow")
    assert factory.reader.live_version() == live
    found = judge(factory, records(500, seed=80), "trial-good")
    judged = (found["live"], found["challenger"], found["result"], found["labelled"])
    assert judged == (live, version, "better", 500), found["reason"]
    wait_for("the promotion", lambda: factory.reader.live_version() == version, 180)
    assert wait_for_end(factory, version) == ("promoted", "labels")
    deployment = factory.record("deployment", version).record["facts"]
    assert (deployment["outcome"], deployment["rollback_alarms_left_out"]) == ("succeeded", [])
    assert "not worse by more than the margin 0.05" in alerts(f"The trial of version {version} of sales")


@pytest.mark.parametrize(
    ("mode", "variant"), [("{mode: shadow}", "Shadow"), ("{mode: split, percent: 50}", "Challenger")]
)
def test_worse_challenger_is_rejected_and_removed(trials, alerts, mode, variant):
    factory = trials(mode)
    live, rows = factory.reader.live_version(), records(2000, seed=81)
    factory.delete_records("2026-11-01")
    factory.upload_records(rows.assign(sold=1 - rows["sold"]), "2026-11-25")  # the gate measures it on such rows, too
    version = train(factory, variant)
    found = judge(factory, records(2000, seed=82), f"trial-{variant}")
    assert (found["challenger"], found["result"]) == (version, "worse"), found["reason"]
    assert wait_for_end(factory, version) == ("withdrawn", "labels")
    assert (factory.reader.live_version(), newest_version(factory)["ModelApprovalStatus"]) == (live, "Rejected")
    rejection = factory.record("rejection", version).record["facts"]
    assert (rejection["decision"], found["reason"] in rejection["reason"]) == ("Rejected", True)
    assert "worse by more than the margin" in alerts(f"The trial of version {version} of sales")
    assert found["advantage"]["high"] < -0.05
