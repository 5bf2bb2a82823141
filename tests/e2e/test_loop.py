"""Training, serving, monitoring and retraining of a deployed model."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from model_factory.ops.local.demo.traffic import Traffic
from model_factory.ops.operations.invoke import invoke
from model_factory.ops.operations.trigger import send_manual_trigger
from model_factory.ops.records.chain import records as chain_records
from model_factory.ops.records.request import Request, make_report
from model_factory.ops.waiting import wait_for

from .conftest import records
from .test_alarm_chain import reset_data

pytestmark = pytest.mark.e2e
INPUTS = ["x", "y", "colour"]
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


def test_endpoint_returns_scores_of_model(live):
    data = records(400, seed=5)
    scores = live.predict(data)
    sold = data["sold"].to_numpy() == 1
    assert len(scores) == len(data)
    assert sum(s for s, yes in zip(scores, sold, strict=True) if yes) / sold.sum() > 0.6
    assert sum(s for s, yes in zip(scores, sold, strict=True) if not yes) / (~sold).sum() < 0.4


def test_invalid_request_returns_400_with_reason(live):
    runtime = live.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName=live.names.endpoint, ContentType="text/csv", Body=b"1.0,2.0\n")
    assert caught.value.response["OriginalStatusCode"] == 400
    assert "column" in json.loads(caught.value.response["OriginalMessage"])["error"]


def test_version_has_lineage_metadata_and_records(live):
    package = live.reader.live_package()
    metadata = package["CustomerMetadataProperties"]
    manifest = metadata["data_manifest"].removeprefix("s3://")
    bucket, key = manifest.split("/", 1)
    listed = json.loads(live.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    assert metadata["trigger"] == "manual"
    assert all(
        metadata[name]
        for name in ("data_digest", "content_digest", "code_digest", "image", "hyperparameters_digest", "seed")
    )
    assert all(entry["version_id"] not in ("", "null") for entry in listed["objects"])
    assert package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"].startswith("s3://")


def test_chain_has_all_kinds_of_first_version(live):
    bucket = live.session.names.bucket("records")
    wanted = {"configuration", "retrain", "training", "gate", "registration", "deployment"}

    def complete():
        entries = list(chain_records(live.session, bucket, "sales"))
        return entries if wanted <= {entry.record["kind"] for entry in entries} else None

    entries = wait_for("the records of the first version", complete)
    assert [entry.problem for entry in entries if entry.problem] == []
    version = live.reader.live_package()["ModelPackageVersion"]
    assert {e.record["kind"] for e in entries if e.record["version"] == version} >= {"registration", "deployment"}


def test_captured_requests_have_sagemaker_format(live):
    body = records(3, seed=9)[INPUTS].to_csv(index=False, header=False)
    assert len(invoke(live.session, live.model, body, "text/csv", "order-7")["predictions"]) == 3
    live.control("flush")
    s3, bucket = live.client("s3"), live.session.names.bucket("data")
    captured = s3.list_objects_v2(Bucket=bucket, Prefix=f"sales/captured/{live.names.endpoint}/AllTraffic/")["Contents"]
    newest = max(captured, key=lambda entry: entry["LastModified"])
    lines = s3.get_object(Bucket=bucket, Key=newest["Key"])["Body"].read().decode().splitlines()
    line = json.loads(lines[-1])
    assert line["eventVersion"] == "0"
    assert line["eventMetadata"]["inferenceId"] == "order-7"
    assert line["captureData"]["endpointInput"]["mode"] == "INPUT"
    assert line["captureData"]["endpointInput"]["encoding"] == "CSV"
    assert line["captureData"]["endpointInput"]["data"].count("\n") >= 2
    assert line["captureData"]["endpointOutput"]["mode"] == "OUTPUT"
    answered_by = f"; model-version={live.reader.live_version()}"
    assert line["captureData"]["endpointOutput"]["observedContentType"].endswith(answered_by)


def test_schedule_without_new_data_is_skipped_with_reason(live):
    before = live.newest_execution(live.names.training_pipeline)
    live.run_schedule("retrain")
    wait_for("the reason for the skip", lambda: "no new data" in live.retrain_log() or None, 180)
    assert live.newest_execution(live.names.training_pipeline) == before
    metrics = live.client("cloudwatch").list_metrics(Namespace="ModelFactory", MetricName="RetrainSkipped")["Metrics"]
    assert any({"Name": "Model", "Value": "sales"} in metric["Dimensions"] for metric in metrics)


@pytest.fixture
def first_records_afterwards(live):
    """Tests after this one get a version that is trained on the first records only, not on drifted ones."""
    yield
    reset_data(live)


@pytest.mark.slow
def test_drift_retrains_and_redeploys_without_failed_request(live, first_records_afterwards):
    """test_acceptance.py has the same loop; this has callers in the meantime, and checks that the schedule starts."""
    traffic = Traffic(live.client("sagemaker-runtime"), live.names.endpoint, INPUTS)
    old, started = live.reader.live_version(), datetime.now(UTC)
    with traffic.in_background(records(200, seed=2)):
        for day, shift in ((-2, 0.0), (-1, 3.0)):
            data = records(2000, seed=10 + day, shift=shift)
            live.upload_records(data, f"{NOON + timedelta(days=day):%Y-%m-%d}")
            traffic.send(data)
            live.control("flush")
            training, monitor = (
                live.newest_execution(live.names.training_pipeline),
                live.newest_execution(live.names.monitor_pipeline),
            )
            live.run_schedule("monitor", NOON + timedelta(days=day))
            monitored = live.wait_for_next_execution(live.names.monitor_pipeline, monitor)
            assert monitored.status == "Succeeded", monitored.reason
            state = live.reader.drift_alarm()
            assert state["StateValue"] == ("ALARM" if shift else "OK"), state["StateReason"]
        finished = live.wait_for_next_execution(live.names.training_pipeline, training)
        assert finished.status == "Succeeded", finished.reason
        new = wait_for("the new version", lambda: live.reader.newer_version(old, started))
    package = live.reader.live_package()
    assert package["ModelPackageVersion"] == new
    assert package["CustomerMetadataProperties"]["trigger"] == "drift"
    assert traffic.failures == []
    assert live.reader.metric("DriftedFeatures", NOON + timedelta(days=-1)) >= 1
    assert live.reader.metric("RowsObserved", NOON + timedelta(days=-1)) >= 2000


def test_endpoint_deleted_by_hand_alerts_and_redeploy_creates_it(live, alerts):
    version, monitor = live.reader.live_version(), live.newest_execution(live.names.monitor_pipeline)
    live.client("sagemaker").delete_endpoint(EndpointName=live.names.endpoint)
    alert = alerts("was deleted")
    assert f"which had version {version}, was deleted" in alert
    assert "model-factory redeploy sales --env prod" in alert
    live.run_schedule("monitor", NOON + timedelta(days=1))
    monitored = live.wait_for_next_execution(live.names.monitor_pipeline, monitor)
    assert monitored.status == "Failed"
    assert f"although version {version} is approved" in monitored.reason
    send_manual_trigger(live.session, "deploy", live.model, "the endpoint was deleted")
    wait_for("the endpoint", lambda: live.endpoint_status() == "InService" or None, 120)
    assert live.reader.live_version() == version


def test_settings_of_stack_reach_endpoint(live):
    before = live.client("sagemaker").describe_endpoint(EndpointName=live.names.endpoint)["EndpointConfigName"]
    ssm, name = live.client("ssm"), live.names.settings_parameter
    stack = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    changed = json.loads(stack)
    changed["serving"]["capture_percent"] = 50
    for value, is_same in ((json.dumps(changed), False), (stack, True)):
        ssm.put_parameter(Name=name, Value=value, Overwrite=True)
        wait_for(
            "the deployment", lambda same=is_same: _live_config(live) and (_live_config(live) == before) is same, 120
        )


def _live_config(live):
    endpoint = live.client("sagemaker").describe_endpoint(EndpointName=live.names.endpoint)
    return endpoint["EndpointConfigName"] if endpoint["EndpointStatus"] == "InService" else None


def test_records_with_signed_heads_pass_the_audit(live):
    live.sign_heads()
    report = make_report(live.session, Request(), lambda *_: None)
    assert report.findings == []
    assert [finding for chain in report.chains for finding in chain.findings] == []
    assert [each.date for each in report.heads] == [f"{datetime.now(UTC):%Y-%m-%d}"]
