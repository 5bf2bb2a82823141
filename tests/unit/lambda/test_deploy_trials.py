"""lambda/deploy: trials of a new version against the live one, their verdicts, and faults while they run."""

import json
from datetime import UTC, datetime, timedelta

import pytest

TRIAL = {"mode": "shadow", "percent": 100, "limit": 604_800.0, "undecided": "withdraw"}


@pytest.fixture
def trial(live):
    """Version 1 in service, with version 2 on trial."""
    live.cloud.settings["artifacts_uri"] = f"s3://{live.cloud.bucket}/{live.cloud.model}/"
    live.cloud.configure(challenger=TRIAL)
    live.register()
    assert live.send()["message"] == "deploying"
    assert live.end()["message"] == "already live"
    live.function.calls.clear()
    return live


def finds(trial, result, **more):
    """What the monitor writes, and the event at the end of its run; the last log line."""
    content = {
        "live": 1,
        "challenger": 2,
        "result": result,
        "reason": "because",
        "written": datetime.now(UTC).isoformat(),
    }
    trial.cloud.client("s3").put_object(
        Bucket=trial.cloud.bucket, Key=f"{trial.cloud.model}/monitor/trial.json", Body=json.dumps(content | more)
    )
    return checked(trial)


def checked(trial):
    return trial.send("monitor_ended")


def config(trial):
    return trial.sagemaker.describe_endpoint_config(EndpointConfigName=trial.endpoint()["EndpointConfigName"])


def test_new_version_gets_copies_beside_the_live_one(trial):
    live, shadow = config(trial)["ProductionVariants"], config(trial)["ShadowProductionVariants"]
    assert [each["VariantName"] for each in (*live, *shadow)] == ["AllTraffic", "Shadow"]
    assert (trial.live(), "-v2-" in shadow[0]["ModelName"]) == (1, True)
    (record,) = trial.records()
    assert (record["version"], record["challenger"], record["outcome"]) == (1, 2, "succeeded")
    assert checked(trial)["message"] == "already live"


def test_split_gives_new_version_its_share(live):
    live.cloud.configure(challenger=TRIAL | {"mode": "split", "percent": 20})
    live.register()
    live.send()
    live.end()
    variants = config(live)["ProductionVariants"]
    assert [(each["VariantName"], each["InitialVariantWeight"]) for each in variants] == [
        ("AllTraffic", 80.0), ("Challenger", 20.0),
    ]  # fmt: skip


@pytest.fixture
def split(live):
    """Version 2 answers half of the requests beside version 1, on a scaled endpoint."""
    live.cloud.settings["artifacts_uri"] = f"s3://{live.cloud.bucket}/{live.cloud.model}/"
    live.scale()
    live.cloud.configure(
        challenger=TRIAL | {"mode": "split", "percent": 50}, challenger_alarms=[f"{live.name}-challenger-errors"]
    )
    live.register()
    live.send()
    live.end()
    live.alerts()
    return live


def test_both_variants_of_split_are_scaled(split):
    assert (split.target()["MaxCapacity"], split.target("Challenger")["MaxCapacity"]) == (4, 4)
    split.set_approval(2, "Rejected")
    split.send_version_event(2, "Rejected")
    assert (bool(split.target()), split.target("Challenger")) == (True, None)


@pytest.mark.parametrize("state", ["OK", "ALARM"])
def test_alarm_of_challenger_ends_split(split, state):
    cloudwatch, name = split.cloud.client("cloudwatch"), f"{split.name}-challenger-errors"
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace="T", MetricName=name, Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")
    message = split.send("challenger_alarm")["message"]
    if state == "OK":  # the event is late
        assert message == "already live"
        return
    assert message == "deploying"
    (record,) = split.cloud.records("trial")
    assert (record["facts"]["result"], record["facts"]["decided_by"]) == ("withdrawn", "alarms")
    assert f"alarms of the version are in ALARM: {name}" in split.alerts()[0]["why"]


def test_better_version_is_promoted_by_a_guarded_deployment(trial):
    assert finds(trial, "better")["message"] == "deploying"
    assert "DeploymentConfig" not in trial.calls("UpdateEndpoint")[0]  # the variant is removed
    assert trial.end()["message"] == "deploying"
    assert trial.calls("UpdateEndpoint")[1]["DeploymentConfig"]["AutoRollbackConfiguration"]
    trial.end()
    assert (trial.live(), "ShadowProductionVariants" in config(trial)) == (2, False)
    (record,) = trial.cloud.records("trial")
    assert (record["version"], record["facts"]["result"], record["facts"]["decided_by"]) == (2, "promoted", "labels")
    (alert,) = trial.alerts()
    assert (alert["cause"], alert["version"], alert["why"]) == ("challenger-promoted", 2, "because")
    assert alert["done"] == "Version 2 replaces version 1 by a deployment with the rollback alarms."
    assert [each["outcome"] for each in trial.records()] == ["succeeded"] * 3


def test_worse_version_is_rejected_and_removed(trial):
    assert finds(trial, "worse")["message"] == "deploying"
    package = trial.sagemaker.describe_model_package(ModelPackageName=trial.package_arn(2))
    assert package["ModelApprovalStatus"] == "Rejected"
    assert package["ApprovalDescription"].startswith("trial of the deploy function: because")
    assert trial.end()["message"] == "already live"
    assert (trial.live(), "ShadowProductionVariants" in config(trial)) == (1, False)
    (alert,) = trial.alerts()
    assert (alert["cause"], alert["version"], alert["why"]) == ("challenger-withdrawn", 2, "because")
    assert alert["done"].startswith("Version 2 is rejected and removed from the endpoint; version 1 answers")
    assert [each["kind"] for each in trial.cloud.records() if each["kind"] != "deployment"] == ["trial", "rejection"]


@pytest.mark.parametrize(("undecided", "result"), [("withdraw", "withdrawn"), ("promote", "promoted")])
def test_time_limit_ends_undecided_trial(trial, undecided, result):
    assert finds(trial, None)["message"] == "already live"
    trial.cloud.configure(challenger=TRIAL | {"limit": 0.0, "undecided": undecided})
    assert checked(trial)["message"] == "deploying"
    (record,) = trial.cloud.records("trial")
    assert (record["facts"]["result"], record["facts"]["decided_by"]) == (result, "time limit")
    assert "undecided after" in record["facts"]["reason"]


def test_finding_of_earlier_trial_does_not_count(trial):
    before = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert finds(trial, "worse", written=before)["message"] == "already live"
    assert finds(trial, "worse", challenger=3)["message"] == "already live"


def test_newer_version_waits_for_the_end_of_the_trial(trial):
    trial.register()
    assert trial.send_version_event(3)["message"] == "already live"
    assert finds(trial, "worse")["message"] == "deploying"  # version 3 challenges version 1
    trial.end()
    assert "-v3-" in config(trial)["ShadowProductionVariants"][0]["ModelName"]


def test_promoted_version_is_deployed_although_a_newer_one_waits(trial):
    trial.register()
    trial.send_version_event(3)
    finds(trial, "better")
    trial.end()
    trial.end()
    assert (trial.live(), trial.endpoint()["EndpointStatus"]) == (2, "Updating")  # the trial of version 3 begins
    trial.end()
    assert "-v3-" in config(trial)["ShadowProductionVariants"][0]["ModelName"]


def test_challenger_that_cannot_start_is_told_and_not_repeated(live):
    live.cloud.configure(challenger=TRIAL)
    live.register()
    live.send()
    assert (
        live.end(rolled_back=True, reason="did not pass the ping health check")["message"]
        == "the deployment was rolled back"
    )
    (alert,) = live.alerts()
    assert (alert["cause"], alert["version"], alert["why"]) == ("trial-failed", 2, "did not pass the ping health check")
    assert "serves version 1 as before" in alert["done"]
    assert checked(live)["message"] == "the deployment was rolled back"
    live.register()
    assert live.send()["message"] == "deploying"


def test_settings_changed_during_trial_are_deployed_with_guardrails(trial):
    trial.cloud.configure(challenger=TRIAL | {"percent": 50})
    assert trial.send("settings_changed")["message"] == "deploying"
    assert trial.calls("UpdateEndpoint")[0]["DeploymentConfig"]["AutoRollbackConfiguration"]
    trial.end(rolled_back=True)
    assert [record["rollback_alarms_left_out"] for record in trial.records()] == [["endpoint-errors"], []]
    (alert,) = trial.alerts()
    assert (alert["cause"], alert["version"]) == ("deployment-rolled-back", 1)


def test_challenger_that_cannot_follow_another_is_told(trial):
    trial.register()
    finds(trial, "worse")  # version 3 follows version 2 by a deployment with guardrails
    trial.alerts()
    trial.end(rolled_back=True)
    (alert,) = trial.alerts()
    assert (alert["cause"], alert["version"]) == ("trial-failed", 3)


def test_person_rejects_challenger(trial):
    trial.set_approval(2, "Rejected")
    assert trial.send_version_event(2, "Rejected")["message"] == "deploying"
    trial.end()
    assert (trial.live(), "ShadowProductionVariants" in config(trial)) == (1, False)
    assert trial.alerts() == []


def test_person_ends_trial_by_the_version_number(trial):
    assert trial.request(version=2, by="arn:ann")["message"] == "deploying"
    trial.end()
    trial.end()
    assert trial.live() == 2
    (record,) = trial.cloud.records("trial")
    assert (record["facts"]["decided_by"], record["facts"]["reason"]) == ("request", "arn:ann asked for version 2")


def test_endpoint_deleted_during_trial_is_created_with_newest_version(trial):
    trial.sagemaker.delete_endpoint(EndpointName=trial.name)
    assert checked(trial)["message"] == "the endpoint is no longer there"
    assert trial.request()["message"] == "deploying"
    trial.end()
    assert (trial.live(), "ShadowProductionVariants" in config(trial)) == (2, False)


def test_trial_of_rejected_version_gets_no_verdict(trial):
    trial.set_approval(2, "Rejected")  # its event is still on its way
    assert finds(trial, "better")["message"] == "deploying"
    trial.end()
    assert (trial.live(), "ShadowProductionVariants" in config(trial)) == (1, False)
    assert (trial.cloud.records("trial"), trial.alerts()) == ([], [])


def test_verdict_stands_when_the_monitor_finds_otherwise_later(trial, dies):
    with dies("UpdateEndpoint", False):
        assert finds(trial, "better") is None
    assert finds(trial, "worse")["message"] == "deploying"
    trial.end()
    trial.end()
    assert trial.live() == 2
    assert [each["facts"]["result"] for each in trial.cloud.records("trial")] == ["promoted"]
    assert [alert["cause"] for alert in trial.alerts()] == ["challenger-promoted"]


@pytest.mark.parametrize("operation", ["SendMessage", "PutEvents", "UpdateModelPackage", "UpdateEndpoint"])
@pytest.mark.parametrize("carried_out", [False, True])
def test_killed_function_ends_trial_once(trial, dies, operation, carried_out):
    with dies(operation, carried_out):
        assert finds(trial, "worse") is None
    checked(trial)
    trial.end()
    assert (trial.live(), "ShadowProductionVariants" in config(trial)) == (1, False)
    assert len({record["id"] for record in trial.cloud.records("trial")}) == 1


def test_settings_without_challenger_end_the_trial(trial):
    trial.cloud.configure(challenger=None)
    trial.send("settings_changed")
    trial.end()
    trial.end()
    assert (trial.live(), "ShadowProductionVariants" in config(trial)) == (2, False)
