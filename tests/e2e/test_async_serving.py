"""A model with `serving.mode: async`: answers and failures are objects, its last instance goes and comes back with a request."""

import json

import pytest

from model_factory.ops.waiting import wait_for

from .auditor import auditor
from .sales import records

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def queued(live):
    """The model with mode async; afterwards as before. Its endpoint is deleted and created again for both changes."""
    path = live.root / "models/sales/model.yaml"
    before, scores = path.read_text(), live.predict(records(20, seed=4))
    start = before.index("serving: {")
    path.write_text(before[:start] + "serving: {mode: async, capture_percent: 0, max_latency: 1m}\n")
    version = live.reader.live_version()
    live.deploy(live.names.stack, output="cdk.async")
    wait_for("the asynchronous endpoint", lambda: "AsyncInferenceConfig" in described(live) or None, 180)
    wait_for("its version", lambda: live.reader.live_version() == version or None, 120)
    yield live, scores
    path.write_text(before)
    live.deploy_again(live.names.stack)
    wait_for(
        "the endpoint of before", lambda: (live.endpoint_status() == "InService" and not is_async(live)) or None, 180
    )


def described(live):
    return live.reader.endpoint_or_none() or {}


def is_async(live):
    return "AsyncInferenceConfig" in described(live)


def instances(live):
    """Number of instances of an endpoint that is not changing; None while it is."""
    endpoint = described(live)
    if endpoint.get("EndpointStatus") != "InService":
        return None
    return endpoint["ProductionVariants"][0]["CurrentInstanceCount"]


def test_requests_are_answered_by_objects_and_start_the_first_instance(queued, tmp_path, monkeypatch):
    live, scores = queued
    rows = tmp_path / "rows.csv"
    records(20, seed=4).to_csv(rows, index=False)
    with auditor(live, tmp_path, monkeypatch, "invoke", "status") as run:
        code, text = run(live.model, "--rows", str(rows))
        assert code == 0, text
        assert json.loads(text.splitlines()[0])["predictions"] == pytest.approx(scores, abs=1e-9)
        assert f"s3://{live.session.names.bucket('data')}/sales/async/output/" in text

        wrong = tmp_path / "wrong.csv"
        wrong.write_text("x,y\n1.0,2.0\n")
        code, text = run(live.model, "--rows", str(wrong))
        assert code == 1
        assert "did not answer: Received client error (400)" in " ".join(text.split())
        assert "colour" in text

        wait_for("no instance", lambda: instances(live) == 0 or None, 180)
        code, text = run(live.model, "--rows", str(rows))
        assert code == 0, text
        assert json.loads(text.splitlines()[0])["predictions"] == pytest.approx(scores, abs=1e-9)
    assert not any(live.alarm_state(each) == "ALARM" for each in ("endpoint-errors", "requests-expired"))
