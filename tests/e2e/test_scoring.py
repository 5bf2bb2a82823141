"""Files are scored in jobs: on request with a model of any mode, and when they land with `serving.mode: batch`."""

import json

import pandas as pd
import pytest

from model_factory.ops.lineage.forward import forward
from model_factory.ops.records.chain import newest
from model_factory.ops.waiting import wait_for

from .auditor import auditor
from .sales import records
from .scoring import land, next_run, send_event, without_delay

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_file_is_scored_by_a_realtime_model_on_request(live, tmp_path, monkeypatch):
    data = records(300, seed=4)
    data.to_parquet(tmp_path / "rows.parquet", index=False)
    version = live.reader.live_version()
    with auditor(live, tmp_path, monkeypatch, "score") as score:
        out = tmp_path / "predictions.parquet"
        code, text = score(live.model, "--data", str(tmp_path / "rows.parquet"), "--out", str(out))
        assert code == 0, text
        assert f"300 rows by version {version}: s3://" in text
        predicted = pd.read_parquet(out)["prediction"]
        assert predicted.tolist() == pytest.approx(live.predict(data), abs=1e-9)
        code, text = score(live.model, "--data", str(tmp_path / "rows.parquet"))
        assert (code, f"version {version} has scored this file before" in text) == (0, True)
        (tmp_path / "bad.csv").write_text("x,y,colour\nabc,1,red\n")
        code, text = score(live.model, "--data", str(tmp_path / "bad.csv"))
        assert code == 1
        assert "'x': 1 values are no number; the first is 'abc' in row 1" in " ".join(text.split())


@pytest.fixture(scope="module")
def batch(live):
    """The model with mode batch, deployed; afterwards as before, with its endpoint."""
    path = live.root / "models/sales/model.yaml"
    before = path.read_text()
    path.write_text(before.replace("serving: {", "serving: {mode: batch, "))
    live.deploy(live.names.stack, output="cdk.batch")
    without_delay(live)
    wait_for("the end of the endpoint", lambda: not live.endpoint_status() or None, 120)
    yield live
    path.write_text(before)
    live.deploy_again(live.names.stack)
    wait_for("the endpoint by the mode alone", lambda: live.endpoint_status() == "InService" or None, 120)


def record_of(factory, version, execution):
    """The newest record of scoring, if it is of this run."""
    entry = newest(factory.session, factory.session.names.bucket("records"), factory.model, "scoring", version)
    return entry.record if entry and entry.record["subject"] == execution else None


def test_landed_file_is_scored_recorded_and_monitored(batch, alerts):
    bucket, pipeline = batch.session.names.bucket("data"), batch.names.scoring_pipeline
    before = batch.newest_execution(pipeline)
    reference = land(batch, records(400, seed=5, shift=3.0), "dt=2026-11-26/part-0.csv")
    finished = next_run(batch, before)
    assert finished.status == "Succeeded", finished.reason
    s3 = batch.client("s3")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{batch.model}/predictions/dt=2026-11-26/_lineage/")["Contents"]
    lineage = json.loads(s3.get_object(Bucket=bucket, Key=listed[0]["Key"])["Body"].read())
    assert (lineage["rows"], lineage["execution"]) == (400, finished.execution_arn)
    record = wait_for("the record of the run", lambda: record_of(batch, lineage["version"], finished.execution_arn))
    assert (record["facts"]["outcome"], record["facts"]["rows"]) == ("succeeded", 400)
    (link,) = forward([batch.session], *reference.split("@"))
    assert [each.kind for each in link.below] == ["predictions"]
    monitored = batch.newest_execution(batch.names.monitor_pipeline)
    batch.run_schedule("monitor")
    assert batch.wait_for_next_execution(batch.names.monitor_pipeline, monitored).status == "Succeeded"
    wait_for("the drift alarm", lambda: batch.alarm_state("drift") == "ALARM" or None, 120)


def test_run_that_fails_alerts_with_its_reason(batch, alerts):
    before = batch.newest_execution(batch.names.scoring_pipeline)
    land(batch, records(5).assign(x="many"), "dt=2026-11-27/bad.csv")
    send_event(batch, "data")  # SQS keeps one of the rule's messages in five minutes, and here the queue has no delay
    assert "scoring/dt=2026-11-27/bad.csv: column 'x': 5 values are no number" in next_run(batch, before).reason
    assert "bad.csv" in alerts(batch.names.scoring_pipeline)
    batch.client("s3").delete_object(
        Bucket=batch.session.names.bucket("data"), Key=f"{batch.model}/scoring/dt=2026-11-27/bad.csv"
    )
