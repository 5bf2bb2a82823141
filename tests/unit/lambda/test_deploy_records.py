"""lambda/deploy: the audit records of versions and deployments."""

from .cloud import ACCOUNT
from .deployments import RECORD, SENT


def test_version_and_deployment_are_recorded_once(live):
    live.send()
    live.send("manual", SentTimestamp="1795497700000")
    assert live.cloud.objects("versions/") == ["versions/1.json"]
    assert live.cloud.objects("deployments/") == [f"{RECORD}-v1.json"]
    version, deployment = live.cloud.read("versions/1.json"), live.cloud.read(f"{RECORD}-v1.json")
    assert version["CustomerMetadataProperties"] == {"data_digest": "0a1b"}
    assert deployment["EndpointConfigName"] == live.endpoint()["EndpointConfigName"]
    assert deployment["request"] == "844e2571-85d4-695f-b930-0153b71dcb42"
    assert deployment["previous"] is None
    assert deployment["approved_by"] == "automatic: the environment's approval policy"


def test_record_has_previous_configuration_and_approver(live):
    before = live.endpoint()["EndpointConfigName"]
    live.register()
    person = {"IamIdentity": {"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/people/ann"}}
    live.cloud.state.packages[f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model-package/{live.name}/2"][
        "LastModifiedBy"
    ] = person
    live.send()
    record = live.cloud.read(f"{RECORD}-v2.json")
    assert (record["previous"], record["approved_by"]) == (before, person["IamIdentity"]["Arn"])


def test_retry_writes_missing_deployment_record(live, monkeypatch):
    live.register()
    record = live.cloud.message("version_approved", **SENT)

    def dies(*_):
        raise ConnectionError("S3")

    with monkeypatch.context() as patch:
        patch.setattr("reconcile.write_deployment", dies)
        assert live.function(record) == [record["messageId"]]
    record["attributes"]["ApproximateReceiveCount"] = "2"
    assert live.function(record) == []
    assert live.cloud.objects("deployments/") == [f"{RECORD}-v1.json", f"{RECORD}-v2.json"]
    assert len(live.calls("UpdateEndpoint")) == 1
