"""Versions that pass their gate and then do not serve: everything goes back, and people are told."""

import pytest

pytestmark = pytest.mark.e2e


def test_the_pipeline_says_which_models_and_why(live, stopped):
    (failure,) = live.deliveries.failures(stopped["pipelineExecutionId"])
    assert failure.startswith("dev: Smoke-dev: smoke test in dev failed: ")
    assert "model sales v2" in failure
    assert "model offers v2" in failure
    assert "one row alone" in failure
    assert "its deployment was rolled back: " in failure
    assert "lookup.csv is missing" in failure
    states = live.client("codepipeline").get_pipeline_state(name="acme-delivery")["stageStates"]
    assert next(s for s in states if s["stageName"] == "dev")["latestExecution"]["status"]


def test_the_endpoints_serve_what_they_served_and_the_versions_are_rejected(live, stopped, before):
    assert live.versions("sales") == before["sales"]
    assert live.versions("offers") == before["offers"]
    for model in ("sales", "offers"):
        version = live.version("dev", model, before[model]["dev"] + 1)
        assert version["ModelApprovalStatus"] == "Rejected"
        assert stopped["pipelineExecutionId"] in version["ApprovalDescription"]


def test_environments_after_it_are_untouched(live, stopped, before):
    actions = {action["stageName"] for action in live.deliveries.actions(stopped["pipelineExecutionId"])}
    assert actions == {"Source", "Build", "UpdatePipeline", "Assets", "dev"}
    for name in ("staging", "prod"):
        for model in ("sales", "offers"):
            assert live.version(name, model, before[model][name])["ModelApprovalStatus"] == "Approved"
            with pytest.raises(Exception, match=r"[Nn]ot (exist|find)"):
                live.version(name, model, before[model][name] + 1)


def test_an_alert_arrives_with_the_reason(stopped, alerts):
    said = alerts("stopped in dev at Smoke-dev")
    assert "acme-delivery stopped in dev at Smoke-dev: smoke test in dev failed: model offers v2" in said
    assert stopped["pipelineExecutionId"] in said


def test_the_stage_goes_back_and_trains_nothing(live, stopped, before):
    trained = {model: live.trainings("dev", model) for model in ("sales", "offers")}
    found = live.rolled_back(stopped)
    assert found["status"] == "Succeeded", live.failures(found)
    assert {model: live.trainings("dev", model) for model in trained} == trained
    assert live.versions("sales") == before["sales"]
