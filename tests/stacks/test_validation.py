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


def test_a_template_that_breaks_a_rule_fails_every_time(synthesize, tmp_path):
    for _ in range(2):
        with pytest.raises(RuntimeError, match="1 is less than the minimum of 60"):
            synthesize(1)
    assert not (tmp_path / "passed").exists()


def test_a_template_that_passed_is_not_validated_again(synthesize, tmp_path, monkeypatch):
    from model_factory.stacks import validation

    synthesize(3600)
    assert len(list((tmp_path / "passed").iterdir())) == 1

    asked = []
    original = validation.CloudFormationValidatePlugin
    monkeypatch.setattr(validation, "CloudFormationValidatePlugin", lambda: asked.append(1) or original())
    synthesize(3600)
    assert asked == []
    synthesize(7200)
    assert asked == [1]
