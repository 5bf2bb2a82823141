"""lambda/deploy: the audit records of deployments, which SageMaker has ended."""

import pytest

from .cloud import ACCOUNT

PERSON = f"arn:aws:sts::{ACCOUNT}:assumed-role/people/ann"


def test_record_is_written_when_deployment_has_ended(live):
    before = live.endpoint()["EndpointConfigName"]
    live.register()
    live.set_approval(2, "Approved", PERSON)
    live.send_version_event(2)
    assert live.records() == []
    live.end()
    (record,) = live.records()
    live_now = live.endpoint()
    assert (record["previous"], record["configuration"]) == (before, live_now["EndpointConfigName"])
    assert (record["outcome"], record["reason"], record["requested_by"]) == ("succeeded", None, PERSON)
    assert (record["version"], record["subject"]) == (2, live.package_arn(2))
    assert record["started"] < record["time"] == live_now["LastModifiedTime"].isoformat()
    assert (record["endpoint"], record["rollback_alarms_left_out"]) == (live.name, [])
    assert record["by"] == PERSON


def test_repeated_end_of_deployment_is_one_record(live):
    live.register()
    live.send()
    live.end()
    live.cloud.state.endpoints[live.name]["LastModifiedTime"] = live.endpoint()["LastModifiedTime"]
    live.send("endpoint_in_service")
    live.send()
    assert [record["version"] for record in live.records()] == [2]


def test_created_endpoint_is_recorded(deploy):
    deploy.register()
    deploy.send()
    deploy.end()
    (record,) = deploy.records()
    assert (record["previous"], record["outcome"]) == (None, "succeeded")


@pytest.mark.parametrize("reason", ["alarms are in ALARM", None])
def test_rollback_is_recorded_also_without_reason(live, reason):
    live.register()
    live.send()
    live.end(rolled_back=True, reason=reason)
    (record,) = live.records()
    assert (record["outcome"], record["reason"]) == ("rolled back", reason)
    assert record["previous"] == live.endpoint()["EndpointConfigName"]


def test_message_that_deploys_nothing_writes_no_record(live):
    live.send(ApproximateReceiveCount="2")
    live.request()
    live.send_version_event(1)
    assert live.records() == []


def test_overtaken_deployment_has_its_record(live):
    live.register()
    live.send()
    live.register()
    live.send_version_event(3)
    assert live.end()["version"] == 3
    live.end()
    assert [(record["version"], record["outcome"]) for record in live.records()] == [
        (2, "succeeded"),
        (3, "succeeded"),
    ]


@pytest.mark.parametrize("operation", ["AddTags", "UpdateEndpoint", "CreateEndpointConfig"])
@pytest.mark.parametrize("carried_out", [True, False])
def test_killed_function_deploys_and_records_once(live, dies, operation, carried_out):
    before = live.endpoint()["EndpointConfigName"]
    live.register()
    with dies(operation, carried_out):
        assert live.send() is None
    assert live.send(ApproximateReceiveCount="2")["message"] in ("deploying", "already on its way")
    live.end()
    (record,) = live.records()
    assert (record["previous"], record["outcome"], live.live()) == (before, "succeeded", 2)


def test_prepared_deployment_is_no_rollback_after_system_update(live, dies):
    live.register()
    with dies("AddTags", carried_out=True):
        assert live.send() is None
    live.settle(reason=None)  # SageMaker's own update of the endpoint: the configuration is the same, the time is not
    assert live.send(ApproximateReceiveCount="2")["message"] == "deploying"
    assert (live.records(), live.alerts()) == ([], [])
    live.end()
    assert [(record["version"], record["outcome"]) for record in live.records()] == [(2, "succeeded")]


def test_rollback_before_function_could_tag_its_start_is_recorded(live, dies):
    live.register()
    with dies("UpdateEndpoint", carried_out=True):
        assert live.send() is None
    live.settle(rolled_back=True)
    assert live.send(ApproximateReceiveCount="2")["message"] == "the deployment was rolled back"
    assert [record["outcome"] for record in live.records()] == ["rolled back"]
    assert len(live.calls("UpdateEndpoint")) == 1


def test_second_prepared_deployment_is_no_rollback_either(live, dies):
    live.register()
    live.send()
    live.end(rolled_back=True)
    live.register()
    with dies("AddTags", carried_out=True):
        assert live.send_version_event(3) is None
    live.settle(reason=None)
    assert live.request()["message"] == "deploying"
    assert [(record["version"], record["outcome"]) for record in live.records()] == [(2, "rolled back")]


@pytest.mark.parametrize("operation", ["SendMessage", "PutEvents", "AddTags"])
def test_killed_function_records_rollback_at_retry(live, dies, operation):
    live.register()
    live.send()
    live.settle(rolled_back=True)
    with dies(operation, carried_out=False):
        assert live.send("endpoint_in_service") is None
    live.send("endpoint_in_service", ApproximateReceiveCount="2")
    live.send("endpoint_in_service")
    assert [record["outcome"] for record in live.records()] == ["rolled back"]
    assert {alert["cause"] for alert in live.alerts()} == {"deployment-rolled-back"}
    assert len(live.calls("UpdateEndpoint")) == 1


def test_update_whose_answer_is_lost_is_on_its_way(live, dies):
    live.register()
    with dies("UpdateEndpoint", carried_out=True, error="Cannot update in-progress endpoint"):
        assert live.send()["message"] == "already on its way"
    live.end()
    assert live.alerts() == []
    assert [record["outcome"] for record in live.records()] == ["succeeded"]
