"""What `model-factory deliveries` tells besides the table: logs of failed builds, leftover models, removed environments."""

from types import SimpleNamespace

import pytest

from model_factory.ops.delivery import left_behind
from model_factory.ops.delivery.deliveries import Deliveries
from model_factory.ops.project import Project

BUILD = {
    "stageName": "Build",
    "actionName": "Build",
    "status": "Failed",
    "input": {"actionTypeId": {"provider": "CodeBuild"}},
    "output": {"executionResult": {"externalExecutionSummary": "exit status 1", "externalExecutionId": "project:1"}},
}
RETRAIN = {"actionName": "Retrain-prod", "output": {"outputVariables": {"leftovers": "old,older"}}}
DELIVERY = """\
delivery: {account: "999999999999", region: eu-west-1, source: codecommit, repository: models}
"""


class CodePipeline:
    """Stub: version 1 deployed prod and qa, version 2 deploys prod."""

    actions = (RETRAIN,)

    def list_pipeline_executions(self, pipelineName):
        return {"pipelineExecutionSummaries": [{"pipelineExecutionId": "e"}]}

    def get_paginator(self, _):
        return SimpleNamespace(paginate=lambda **_: [{"actionExecutionDetails": list(self.actions)}])

    def get_pipeline(self, name, version=2):
        environments = {1: ["prod", "qa"], 2: ["prod"]}[version]
        actions = [
            {
                "configuration": {"StackName": f"acme-{each}-{part}"},
                "roleArn": "arn:aws:iam::123456789012:role/deploy",
                "region": "eu-west-1",
            }
            for each in environments
            for part in ("foundation", "churn")
        ]
        return {"pipeline": {"version": version, "stages": [{"actions": actions}]}}


@pytest.fixture
def pipeline():
    return Deliveries(CodePipeline(), "acme-delivery")


def test_failed_build_has_last_lines_of_its_log(pipeline):
    events = [{"message": "models/a/model.yaml:3: unknown key\n"}]
    logs = SimpleNamespace(get_log_events=lambda **_: {"events": events})
    pipeline.client.actions = (BUILD,)
    assert Deliveries(pipeline.client, "acme-delivery", logs).failures("e") == [
        "Build: Build: exit status 1\nmodels/a/model.yaml:3: unknown key"
    ]
    assert pipeline.failures("e") == ["Build: Build: exit status 1"]


def test_leftovers_and_removed_environments_have_commands(pipeline, project, monkeypatch):
    (project / "factory.yaml").write_text((project / "factory.yaml").read_text() + DELIVERY)
    monkeypatch.setattr(left_behind, "_existing", lambda _, removed: (removed.stacks, True))
    assert list(left_behind.left_behind(Project(project), pipeline)) == [
        "prod/old is deployed, but was not in the newest commit: model-factory remove-model old --env prod",
        "prod/older is deployed, but was not in the newest commit: model-factory remove-model older --env prod",
        "qa is deployed in account 123456789012, but is no longer delivered to (acme-qa-churn, acme-qa-foundation): in a "
        "checkout of a commit that still has qa in factory.yaml: cdk destroy 'qa/*'",
    ]


def test_removed_environment_without_stacks_is_not_listed(pipeline, project, aws):
    pipeline.client.actions = ()
    (project / "factory.yaml").write_text((project / "factory.yaml").read_text() + DELIVERY)
    assert list(left_behind.left_behind(Project(project), pipeline)) == []
