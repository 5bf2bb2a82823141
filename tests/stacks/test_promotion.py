"""`promote: model`: templates of the environment that trains and of the one that versions are promoted to."""

import json

import pytest

from .conftest import Template


@pytest.fixture(scope="session")
def deployed(synthesized):
    """Templates of the delivered factory, by environment and stack."""

    def read(environment: str, stack: str) -> Template:
        # CDK writes them so: `liveacmelivefoundation5D43EDDA`.
        (path,) = (synthesized / "delivered" / f"assembly-{environment}").glob(
            f"*acme{environment}{stack}*.template.json"
        )
        return Template(path)

    return read


def actions(template: Template, role: str) -> dict[str, list[str]]:
    """Resources by allowed action of a role."""
    return {action: s["Resource"] for s in template.statements(role) for action in s["Action"]}


def settings(template: Template, model: str) -> dict:
    value = template.one("SSM::Parameter")["Value"]
    parts = [value] if isinstance(value, str) else value["Fn::Join"][1]
    found = json.loads("".join(part if isinstance(part, str) else "token" for part in parts))
    assert found["model"] == model
    return found


def test_promoted_model_has_no_training_triggers(deployed):
    trains, receives, code = deployed("test", "offers"), deployed("live", "offers"), deployed("live", "churn")

    def asks(template: Template, model: str) -> set[str]:
        names = [one["Name"] for kind in ("Scheduler::Schedule", "Events::Rule") for one in template.all(kind)]
        return {name.partition(f"-{model}-")[2] for name in names}

    assert asks(trains, "offers") == asks(code, "churn") == {"retrain", "drift", "monitor", "approved"}
    assert asks(receives, "offers") == {"monitor", "approved"}
    assert len(receives.all("CloudWatch::Alarm")) == len(trains.all("CloudWatch::Alarm"))
    assert settings(receives, "offers")["promoted_from"] == "test"
    assert "promoted_from" not in settings(trains, "offers")
    assert "promoted_from" not in settings(code, "churn")


def test_delivery_roles_read_from_source_and_write_to_target(deployed):
    gives = actions(deployed("test", "foundation"), "acme-test-delivery")
    receives = actions(deployed("live", "foundation"), "acme-live-delivery")
    assert set(receives) - set(gives) == {"sagemaker:CreateModelPackage", "s3:PutObject"}
    assert "sagemaker:DescribePipelineDefinitionForExecution" in gives
    assert "sagemaker:DescribePipelineDefinitionForExecution" not in receives
    written = [r for s in deployed("live", "foundation").statements("acme-live-delivery")
               if s["Action"] == ["s3:PutObject"] for r in s["Resource"]]  # fmt: skip
    assert {resource.partition("/")[2] for resource in written} == {
        "*/executions/promoted-*",
    }
    read = {
        name: [r for s in deployed(name, "foundation").statements(f"acme-{name}-delivery")
               if s["Action"] == ["s3:GetObject"] for r in s["Resource"]]
        for name in ("test", "live")
    }  # fmt: skip
    for folder in ("executions", "evidence"):  # evidence has the zips that cdk gc removed
        assert any(resource.endswith(f"/*/{folder}/*") for resource in read["test"])
    assert [resource.partition("/")[2] for resource in read["live"]] == ["*/executions/*/statistics.json"]


def test_delivery_function_has_longest_timeout(synthesized):
    template = Template(synthesized / "delivered" / "acme-delivery.template.json")
    function = template.one("Lambda::Function", FunctionName="acme-delivery-tasks")
    assert function["Timeout"] == 900
    places = function["Environment"]["Variables"]["ENVIRONMENTS"]
    assert {name: place["approval"] for name, place in json.loads(places).items()} == {
        "test": "automatic",
        "live": "manual",
    }


def test_trial_ends_by_monitor_runs_and_alarms_of_the_challenger(deployed):
    model = deployed("live", "offers")
    pattern = json.dumps(model.one("Events::Rule", Name="acme-live-offers-approved")["EventPattern"])
    assert "pipeline/acme-live-offers-monitor" in pattern
    names = ["acme-live-offers-challenger-errors", "acme-live-offers-challenger-latency"]
    assert f'"alarmName": {json.dumps(names)}, "state": {{"value": ["ALARM"]}}' in pattern
    for name in names:
        dimensions = model.one("CloudWatch::Alarm", AlarmName=name)["Dimensions"]
        assert {"Name": "VariantName", "Value": "Challenger"} in dimensions
    serving = settings(model, "offers")["serving"]
    assert (serving["challenger"]["percent"], serving["challenger_alarms"]) == (10, names)


def test_deploy_function_may_reject_and_not_approve(deployed):
    statements = deployed("live", "foundation").statements("acme-live-deploy")
    (statement,) = (each for each in statements if "sagemaker:UpdateModelPackage" in each["Action"])
    assert statement["Condition"] == {"StringEquals": {"sagemaker:ModelApprovalStatus": "Rejected"}}
