"""Every state that `model-factory status` shows, from what AWS says about the model."""

from datetime import UTC, datetime, timedelta

import pytest

from ops.operations.facts import ModelFacts, by_model
from ops.operations.layout import lines
from ops.operations.status import STATES, judge

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SETTINGS = {"retrain": {"cooldown_seconds": 6 * 3600.0}}
PREFIX = "acme-prod-churn"


def package(number, status="Approved"):
    return {"ModelPackageVersion": number, "ModelApprovalStatus": status}


def endpoint(number, status="InService", pending=None, **more):
    described = {
        "EndpointStatus": status,
        "EndpointConfigName": f"{PREFIX}-v{number}-0a1b2c3d",
        "CreationTime": NOW - timedelta(days=9),
        "LastModifiedTime": NOW - timedelta(hours=1),
    }
    if pending:
        described["PendingDeploymentSummary"] = {
            "EndpointConfigName": f"{PREFIX}-v{pending}-0a1b2c3d",
            "StartTime": NOW - timedelta(minutes=5),
        }
    return described | more


def deployment(number, outcome="succeeded", reason=None):
    return {
        "time": (NOW - timedelta(hours=2)).isoformat(),
        "version": number,
        "configuration": f"{PREFIX}-v{number}-0a1b2c3d",
        "outcome": outcome,
        "reason": reason,
        "requested_by": "arn:aws:sts::1:assumed-role/r/ada",
    }


def on_trial(number, challenger):
    return deployment(number) | {"challenger": challenger, "started": (NOW - timedelta(hours=1)).isoformat()}


def training(status, trigger="schedule", hours=9.0, reason=None):
    execution = {
        "PipelineExecutionArn": "arn",
        "PipelineExecutionStatus": status,
        "StartTime": NOW - timedelta(hours=hours),
        "PipelineExecutionDisplayName": f"{trigger}-retrain-0a1b" if trigger else "execution-1",
    }
    return execution | ({"PipelineExecutionFailureReason": reason} if reason else {})


def facts(**known):
    return ModelFacts(environment="prod", model="churn", prefix=PREFIX, **{"settings": SETTINGS, **known})


def served(number, *others, **more):
    """An endpoint that serves an approved version; `others` are further versions."""
    versions = sorted([package(number), *others], key=lambda each: each["ModelPackageVersion"], reverse=True)
    return {"endpoint": endpoint(number), "live": package(number), "versions": versions, **more}


CASES = {
    "not deployed": (
        facts(settings=None),
        "not deployed",
        "prod has no stack of this model",
        "cdk deploy '*acme-prod-churn'",
    ),
    "no version yet": (facts(), "no version yet", None, ""),
    "live": (facts(**served(6)), "live", None, ""),
    "left over": (
        facts(in_repository=False, **served(6)),
        "left over",
        "it is deployed, but not in models/: its endpoint, schedules and alarms go on",
        "model-factory remove-model churn --env prod",
    ),
    "waits for approval": (
        facts(**served(6, package(7, "PendingManualApproval"), package(5, "PendingManualApproval"))),
        "needs approval",
        "v7 waits for approval",
        'model-factory approve churn --env prod --version 7 --reason "…"',
    ),
    "approved and not deployed": (
        facts(**served(6, package(7))),
        "deployment waits",
        "v7 is approved, and its deployment has not begun",
        "model-factory redeploy churn --env prod",
    ),
    "on trial": (
        facts(**served(6, package(7), package(8)) | {"deployment": on_trial(6, 7)}),
        "on trial",
        "v7 is on trial against v6 since 11-25 11:00; v8 waits for its end",
        "",
    ),
    "first version not deployed": (
        facts(versions=[package(1)]),
        "deployment waits",
        "v1 is approved, and its deployment has not begun",
        "model-factory redeploy churn --env prod",
    ),
    "deploying": (
        facts(**served(6, package(7)) | {"endpoint": endpoint(6, "Updating", pending=7)}),
        "deploying",
        "v7 is on its way (Updating since 11-25 11:55); v6 serves until then",
        "",
    ),
    "first deployment": (
        facts(endpoint=endpoint(1, "Creating"), live=package(1), versions=[package(1)]),
        "deploying",
        "v1 is on its way (Creating since 11-25 11:00)",
        "",
    ),
    "rolled back": (
        facts(**served(6, package(7), deployment=deployment(7, "rolled back", "alarm endpoint-errors"))),
        "rolled back",
        "v7 was rolled back 11-25 10:00: alarm endpoint-errors; the endpoint serves v6 as before",
        "model-factory redeploy churn --env prod",
    ),
    "rolled back and rejected": (
        facts(**served(6, package(7, "Rejected"), deployment=deployment(7, "rolled back", "alarm endpoint-errors"))),
        "rolled back",
        "v7 was rolled back 11-25 10:00: alarm endpoint-errors; the endpoint serves v6 as before",
        "",
    ),
    "creation failed": (
        facts(versions=[package(1)], deployment=deployment(1, "failed", "no capacity")),
        "endpoint failed",
        "v1 could not be deployed: no capacity",
        "model-factory redeploy churn --env prod",
    ),
    "endpoint failed": (
        facts(**served(6) | {"endpoint": endpoint(6, "Failed", FailureReason="no capacity")}),
        "endpoint failed",
        "the endpoint is Failed: no capacity",
        "model-factory redeploy churn --env prod",
    ),
    "rollback failed": (
        facts(**served(6) | {"endpoint": endpoint(6, "UpdateRollbackFailed")}),
        "endpoint failed",
        "the endpoint is UpdateRollbackFailed: no reason given",
        "model-factory redeploy churn --env prod",
    ),
    "endpoint deleted": (
        facts(versions=[package(6)], deployment=deployment(6, "deleted")),
        "endpoint gone",
        "the endpoint was deleted 11-25 10:00 by the role r of 1 (session ada); calls fail",
        "model-factory redeploy churn --env prod",
    ),
    "endpoint gone without record of it": (
        facts(versions=[package(6)], deployment=deployment(6)),
        "endpoint gone",
        "there is no endpoint, although v6 was deployed; calls fail",
        "model-factory redeploy churn --env prod",
    ),
    "live version rejected": (
        facts(endpoint=endpoint(6), live=package(6, "Rejected"), versions=[package(6, "Rejected")]),
        "version rejected",
        "the endpoint serves v6, which is Rejected; no version is approved",
        "",
    ),
    "training": (
        facts(**served(6, executions=[training("Executing", "manual", 0.5)])),
        "training",
        "a training is in flight since 11-25 11:30 (manual)",
        "",
    ),
    "training in Studio": (
        facts(**served(6, executions=[training("Executing", "", 0.5)])),
        "training",
        "a training is in flight since 11-25 11:30 (by hand)",
        "",
    ),
    "training failed": (
        facts(**served(6, executions=[training("Failed", reason="auc 0.6 is below 0.7")])),
        "training failed",
        "the training of 11-25 03:00 (schedule) failed: auc 0.6 is below 0.7",
        "",
    ),
    "cooling down": (
        facts(**served(6, executions=[training("Succeeded", "manual", 1), training("Succeeded", "drift", 5)])),
        "live",
        "schedule and alarms start no training until 11-25 13:00",
        "",
    ),
    "no cool-down after training by hand": (
        facts(**served(6, executions=[training("Succeeded", "manual", 1)])),
        "live",
        None,
        "",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_state_and_finding_follow_from_facts(case):
    known, state, what, command = CASES[case]
    status = judge(known, NOW)
    assert status.state == state
    assert [(each.what, each.command) for each in status.findings] == ([(what, command)] if what else [])


def test_every_state_has_a_case():
    shown = {judge(known, NOW).state for known, *_ in CASES.values()}
    shown |= {finding.state for known, *_ in CASES.values() for finding in judge(known, NOW).findings}
    assert shown == set(STATES)


def test_most_urgent_finding_is_the_state():
    known = served(6, package(7), package(8, "PendingManualApproval"), executions=[training("Failed", reason="x")])
    status = judge(facts(**known, deployment=deployment(7, "rolled back", "slow")), NOW)
    assert status.state == "rolled back"
    assert [each.state for each in status.findings] == ["rolled back", "needs approval", "training failed"]
    assert status.waiting_versions == [8]


def test_change_of_settings_that_was_rolled_back_is_shown():
    record = deployment(6, "rolled back", "slow") | {"configuration": f"{PREFIX}-v6-ffffffff"}
    assert judge(facts(**served(6, deployment=record)), NOW).state == "rolled back"


def test_older_record_without_outcome_is_no_finding():
    record = {"time": NOW.isoformat(), "ModelPackageVersion": 7}
    assert judge(facts(**served(6, deployment=record)), NOW).findings == []


def alarm(name, state="ALARM"):
    return {"AlarmName": name, "StateValue": state, "Period": 3600, "EvaluationPeriods": 2}


def test_alarms_belong_to_longest_fitting_model():
    alarms = [alarm("acme-prod-churn-drift"), alarm("acme-prod-churn-eu-drift"), alarm("acme-prod-deploy-dead-letters")]
    found = by_model(alarms, ["churn", "churn-eu"], "acme-prod")
    assert {model: [each["AlarmName"] for each in mine] for model, mine in found.items()} == {
        "churn": ["acme-prod-churn-drift"],
        "churn-eu": ["acme-prod-churn-eu-drift"],
    }


def test_only_alarms_in_alarm_are_shown():
    known = [
        alarm(f"{PREFIX}-drift"),
        alarm(f"{PREFIX}-model-quality", "INSUFFICIENT_DATA"),
        alarm(f"{PREFIX}-x", "OK"),
    ]
    assert judge(facts(alarms=known), NOW).alarms == ["drift"]


@pytest.mark.parametrize(
    ("state", "hours", "expected"),
    [
        ("INSUFFICIENT_DATA", None, []),
        ("INSUFFICIENT_DATA", 3, []),
        ("INSUFFICIENT_DATA", 5, ["monitor-missed"]),
        ("OK", 5, []),
    ],
)
def test_missing_checks_are_shown_once_endpoint_is_old_enough(state, hours, expected):
    known = served(6) if hours else {}
    if hours:
        known["endpoint"]["CreationTime"] = NOW - timedelta(hours=hours)
    assert judge(facts(**known, alarms=[alarm(f"{PREFIX}-monitor-missed", state)]), NOW).alarms == expected


def test_text_fits_eighty_columns_but_commands_are_whole():
    long = "m" * 24
    known = served(6, package(7), executions=[training("Failed", reason="the label column is missing " * 5)])
    record = deployment(7, "rolled back", "alarms " + "acme-prod-endpoint-errors " * 6)
    statuses = [judge(facts(**known, deployment=record), NOW), judge(facts(**served(123456)), NOW)]
    statuses.append(judge(ModelFacts("prod", long, f"acme-prod-{long}", settings=SETTINGS, **served(3)), NOW))
    text = [line for line, _ in lines("prod", "123456789012, eu-west-1", statuses, 80)]
    assert max(len(line) for line in text if "-> " not in line) <= 80
    assert "    -> model-factory redeploy churn --env prod" in text
    assert text[1].split() == ["model", "state", "live", "metric", "trained"]


def test_columns_that_do_not_fit_become_lines():
    known = served(6, executions=[training("Succeeded")])
    known["live"] = known["live"] | {
        "CustomerMetadataProperties": {"metric": "average_precision", "metric_value": "0.5"}
    }
    text = [line for line, _ in lines("prod", "1, eu-west-1", [judge(facts(**known), NOW)], 40)]
    assert text[1].split() == ["model", "state", "live"]
    assert "    metric average_precision 0.5000" in text
    assert "    trained 11-25 03:00 schedule" in text


def test_request_that_waits_for_the_training_is_shown():
    running = training("Executing", hours=0.5) | {
        "PipelineExecutionDescription": "nightly | follow-up manual 1: new labels"
    }
    (finding,) = [each for each in judge(facts(executions=[running]), NOW).findings if each.state == "training"]
    assert finding.what.endswith("(schedule); a request waits for its end (manual: new labels)")
