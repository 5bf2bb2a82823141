"""CloudFormation's rules at synth: a template that breaks one never passes, one that passed is not asked about again."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def synthesize(tmp_path, monkeypatch):
    """Synthesizes one queue that keeps its messages for that many seconds."""
    monkeypatch.delenv("CDK_VALIDATION", raising=False)
    from aws_cdk import App, Stack
    from aws_cdk import aws_sqs as sqs

    from model_factory.stacks.validation import validate_changed

    def run(retention_seconds):
        flags = json.loads((ROOT / "cdk.json").read_text())["context"]
        app = App(
            outdir=str(tmp_path / "out"),
            context=flags,
            analytics_reporting=False,
            builtin_cloud_formation_validation=False,
        )
        validate_changed(app, tmp_path / "passed")
        sqs.CfnQueue(Stack(app, "Stack"), "Queue", message_retention_period=retention_seconds)
        app.synth()

    return run


def test_a_template_that_breaks_a_rule_fails_and_is_not_remembered(synthesize, tmp_path):
    with pytest.raises(RuntimeError, match="1 is less than the minimum of 60"):
        synthesize(1)
    assert not (tmp_path / "passed").exists()


def test_a_template_that_passed_is_not_validated_again(synthesize, tmp_path, monkeypatch):
    from aws_cdk import PolicyValidationPluginReport

    from model_factory.stacks import validation

    asked = []

    class Passes:
        """In the place of the CDK's validation, which takes seconds for one queue."""

        def validate(self, context):
            asked.append([Path(stack.template_path).name for stack in context.stack_templates])
            return PolicyValidationPluginReport(success=True, violations=[])

    monkeypatch.setattr(validation, "CloudFormationValidatePlugin", Passes)
    synthesize(3600)
    assert len(list((tmp_path / "passed").iterdir())) == 1
    synthesize(3600)
    assert asked == [["Stack.template.json"]]
    synthesize(7200)
    assert len(asked) == 2
