"""Versions that pass the gate and fail the smoke test: the stage is rolled back and a notification is sent."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_failure_names_models_and_reasons(live, smoke_failure):
    (failure,) = live.deliveries.failures(smoke_failure["pipelineExecutionId"])
    assert failure.startswith("dev: Smoke-dev: smoke test in dev failed: ")
    assert "model sales v2" in failure
    assert "model offers v2" in failure
    assert "one row alone" in failure
    assert "its deployment was rolled back: " in failure
    assert "lookup.csv is missing" in failure
    states = live.client("codepipeline").get_pipeline_state(name="acme-delivery")["stageStates"]
    assert next(s for s in states if s["stageName"] == "dev")["latestExecution"]["status"]


def test_versions_are_rejected_and_live_versions_stay(live, smoke_failure, before):
    assert live.versions("sales") == before["sales"]
    assert live.versions("offers") == before["offers"]
    for model in ("sales", "offers"):
        version = live.version("dev", model, before[model]["dev"] + 1)
        assert version["ModelApprovalStatus"] == "Rejected"
        assert smoke_failure["pipelineExecutionId"] in version["ApprovalDescription"]


def test_later_environments_do_not_change(live, smoke_failure, before):
    actions = {action["stageName"] for action in live.deliveries.actions(smoke_failure["pipelineExecutionId"])}
    assert actions == {"Source", "Build", "UpdatePipeline", "Assets", "dev"}
    for name in ("staging", "prod"):
        for model in ("sales", "offers"):
            assert live.version(name, model, before[model][name])["ModelApprovalStatus"] == "Approved"
            with pytest.raises(Exception, match=r"[Nn]ot (exist|find)"):
                live.version(name, model, before[model][name] + 1)


def test_notification_has_the_reason(smoke_failure, alerts):
    message = alerts("stopped in dev at Smoke-dev")
    assert "Why:         smoke test in dev failed: model offers v2" in message
    assert smoke_failure["pipelineExecutionId"] in message


def test_stage_is_rolled_back_without_training(live, smoke_failure, before):
    trained = {model: live.trainings("dev", model) for model in ("sales", "offers")}
    rollback = live.rolled_back(smoke_failure)
    assert rollback["status"] == "Succeeded", live.failures(rollback)
    assert {model: live.trainings("dev", model) for model in trained} == trained
    assert live.versions("sales") == before["sales"]
