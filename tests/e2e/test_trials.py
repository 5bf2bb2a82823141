"""Trials in the deployed factory: a new version gets copies of the requests, and late labels promote or reject it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from model_factory.ops.records.chain import newest
from model_factory.ops.waiting import wait_for

from .sales import records
from .test_alarm_chain import reset_data, run_monitor, send_requests

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def trials(live):
    """The model with `serving.challenger`, deployed; afterwards as before."""
    path = live.root / "models/sales/model.yaml"
    before = path.read_text()
    path.write_text(before.replace("serving: {", "serving: {challenger: {mode: shadow}, "))
    live.deploy(live.names.stack, output="cdk.trials")
    yield live
    path.write_text(before)
    live.deploy_again(live.names.stack)
    wait_for("the end of trials", lambda: (not shadow(live) and live.endpoint_status() == "InService") or None, 120)
    reset_data(live)


def shadow(factory):
    """Whether the endpoint in service has a shadow variant; None while it is being changed."""
    endpoint = factory.client("sagemaker").describe_endpoint(EndpointName=factory.names.endpoint)
    return None if endpoint["EndpointStatus"] != "InService" else bool(endpoint.get("ShadowProductionVariants"))


def train(factory):
    """Train a version, and wait for its trial; its number."""
    finished = factory.retrain("manual")
    assert finished.status == "Succeeded", finished.reason
    wait_for("the trial", lambda: shadow(factory), 120)
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


def record_of(factory, version):
    bucket = factory.session.names.bucket("records")
    entry = newest(factory.session, bucket, factory.model, "trial", version)
    return entry.record if entry else None


def test_challenger_that_is_not_worse_becomes_live(trials, alerts):
    live = trials.reader.live_version()
    version = train(trials)
    assert trials.reader.live_version() == live
    found = judge(trials, records(500, seed=80), "trial-good")
    judged = (found["live"], found["challenger"], found["result"], found["labelled"])
    assert judged == (live, version, "better", 500), found["reason"]
    wait_for("the promotion", lambda: trials.reader.live_version() == version or None, 180)
    wait_for("the end of its deployment", lambda: shadow(trials) is False or None, 120)
    record = wait_for("the record of the trial", lambda: record_of(trials, version))
    assert (record["facts"]["result"], record["facts"]["decided_by"]) == ("promoted", "labels")
    assert "not worse by more than the margin 0.05" in alerts(f"The trial of version {version} of sales")


def test_worse_challenger_is_rejected_and_removed(trials, alerts):
    live, rows = trials.reader.live_version(), records(2000, seed=81)
    trials.delete_records("2026-11-01")
    trials.upload_records(rows.assign(sold=1 - rows["sold"]), "2026-11-25")  # the gate measures it on such rows, too
    version = train(trials)
    found = judge(trials, records(500, seed=82), "trial-bad")
    assert found["result"] == "worse", found["reason"]
    wait_for("the end of the trial", lambda: shadow(trials) is False or None, 180)
    assert (trials.reader.live_version(), newest_version(trials)["ModelApprovalStatus"]) == (live, "Rejected")
    assert record_of(trials, version)["facts"]["result"] == "withdrawn"
    assert "worse by more than the margin" in alerts(f"The trial of version {version} of sales")
    assert json.dumps(found["advantage"])
