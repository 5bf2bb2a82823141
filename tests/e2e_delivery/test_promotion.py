"""`promote: model`: the version that dev trained is registered in staging and prod with the same artifact."""

import hashlib
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from model_factory.functions.shared.s3 import split_uri
from model_factory.ops.records.chain import newest
from model_factory.ops.waiting import wait_for
from tests.e2e.sales import records

pytestmark = pytest.mark.e2e


def split(uri: str) -> dict[str, str]:
    return dict(zip(("Bucket", "Key"), split_uri(uri), strict=True))


def artifact(live, environment: str) -> dict[str, str]:
    return split(live.version(environment, "offers", 1)["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])


def test_artifact_of_dev_is_live_in_every_environment(live):
    everywhere = {one["name"]: 1 for one in live.environments}
    assert live.before_approval["offers"] == everywhere | {"prod": None}
    assert live.versions("offers") == everywhere
    assert [name for name in everywhere if live.trainings(name, "offers")] == ["dev"]
    assert live.trainings("dev", "offers") == 1
    metadata = {name: live.version(name, "offers", 1)["CustomerMetadataProperties"] for name in live.versions()}
    (digest,) = {facts["artifact_digest"] for facts in metadata.values()}
    for name in metadata:
        session = live.session(name)
        content = session.client("s3").get_object(**artifact(live, name))["Body"].read()
        assert hashlib.sha256(content).hexdigest() == digest
    assert {facts["code_digest"] for facts in metadata.values()} == {metadata["dev"]["code_digest"]}


def test_every_copy_is_encrypted_with_key_of_its_environment(live):
    keys = {}
    for name in live.versions():
        session = live.session(name)
        alias = session.client("kms").describe_key(KeyId=f"alias/acme-{name}")["KeyMetadata"]["Arn"]
        files = [artifact(live, name)]
        folder = live.version(name, "offers", 1)["DriftCheckBaselines"]["ModelDataQuality"]["Statistics"]["S3Uri"]
        files.append(split(folder.rpartition("/")[0] + "/profile.json"))
        heads = [session.client("s3").head_object(**file) for file in files]
        assert {head["SSEKMSKeyId"] for head in heads} == {alias}
        assert all(session.names.bucket("artifacts") == file["Bucket"] for file in files)
        keys[name] = alias
    assert len(set(keys.values())) == len(live.environments)


def test_promoted_version_has_origin_and_audit_records(live):
    versions = [live.version(one["name"], "offers", 1) for one in live.environments]
    *_, origin, prod = versions
    for before, version in pairwise(versions):
        assert version["CustomerMetadataProperties"]["origin"] == before["ModelPackageArn"]
    assert prod["CustomerMetadataProperties"]["trigger"] == "promotion"
    delivery = live.execution["pipelineExecutionId"]
    session = live.session("prod")
    bucket = session.names.bucket("records")
    promotion, approval = (
        wait_for(f"the {kind}", lambda kind=kind: newest(session, bucket, "offers", kind)).record
        for kind in ("promotion", "approval")
    )
    assert promotion["by"]["claimed"] == f"delivery {delivery}"
    assert promotion["facts"]["origin"] == origin["ModelPackageArn"]
    assert approval["facts"]["reason"] == "the report is convincing"


def test_pipeline_variables_list_trained_and_promoted_models(live):
    actions = live.deliveries.actions(live.execution["pipelineExecutionId"])
    variables = {a["actionName"]: a["output"].get("outputVariables", {}) for a in actions}
    assert variables["Retrain-dev"] == {"trained": "offers,sales", "promoted": "none", "leftovers": "none"}
    assert variables["Retrain-prod"] == {"trained": "sales", "promoted": "offers", "leftovers": "none"}


def test_promoted_version_is_monitored_in_its_environment(live):
    environment = live.environments[1]["name"]
    session = live.session(environment)
    names, sagemaker = session.names.model("offers"), session.client("sagemaker")
    rows = records(300).drop(columns="sold").to_csv(index=False, header=False)
    session.client("sagemaker-runtime").invoke_endpoint(EndpointName=names.endpoint, ContentType="text/csv", Body=rows)
    live.workspace.local.post("flush")
    sagemaker.start_pipeline_execution(
        PipelineName=names.monitor_pipeline,
        PipelineParameters=[{"Name": "ScheduledTime", "Value": datetime.now(UTC).isoformat()}],
    )

    def ended() -> dict | None:
        (run,) = sagemaker.list_pipeline_executions(PipelineName=names.monitor_pipeline)["PipelineExecutionSummaries"]
        return run if run["PipelineExecutionStatus"] != "Executing" else None

    execution = wait_for("the monitor", ended)
    assert execution["PipelineExecutionStatus"] == "Succeeded", execution
    assert "no column drifted" in live.reader(environment, "offers").monitor_reason()


def test_promoted_model_has_no_retrain_schedule_or_drift_rule(live):
    triggers = {}
    for name in live.versions():
        session = live.session(name)
        schedules = session.client("scheduler").list_schedules()["Schedules"]
        rules = session.client("events").list_rules(NamePrefix=f"acme-{name}-offers")["Rules"]
        triggers[name] = {each["Name"].removeprefix(f"acme-{name}-") for each in [*schedules, *rules]}
    assert {"offers-retrain", "offers-drift"} <= triggers["dev"]
    for name in triggers.keys() - {"dev"}:
        assert not {"offers-retrain", "offers-drift"} & triggers[name]
        assert {"offers-monitor", "sales-monitor", "offers-approved"} <= triggers[name]
