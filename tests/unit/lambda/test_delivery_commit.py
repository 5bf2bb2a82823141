"""lambda/delivery: models of the delivered commit, leftover models, and alerts about them and about failed builds."""

import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

BUILD = "Build-1a2b:0f9e8d7c-1111-2222-3333-444455556666"


class Pipeline:
    """Stub of CodePipeline: version 7 deploys `churn` to dev and prod, version 8 is newer."""

    calls = 0

    def get_pipeline_execution(self, pipelineName, pipelineExecutionId):
        self.calls += 1
        revisions = [{"revisionId": "0123456789abcdef"}]
        return {"pipelineExecution": {"pipelineVersion": 7, "artifactRevisions": revisions}}

    def get_pipeline(self, name, version):
        names = {
            6: ["acme-dev-foundation", "acme-qa-foundation", "acme-qa-churn", "acme-prod-churn"],
            7: ["acme-dev-foundation", "acme-dev-churn", "acme-prod-churn"],
            8: ["acme-dev-other"],
        }[version]
        role = "arn:aws:iam::222222222222:role/cdk-deploy"
        deploys = [{"configuration": {"StackName": each}, "roleArn": role, "region": "eu-west-1"} for each in names]
        return {"pipeline": {"stages": [{"name": "Source", "actions": [{"name": "Source"}]}, {"actions": deploys}]}}


@pytest.fixture
def environment():
    """An environment with the deployed models churn, which is in the commit, and old, which is not."""
    events = SimpleNamespace(sent=[], failed=0)

    def put_events(Entries):
        events.sent += [json.loads(entry["Detail"]) for entry in Entries]
        return {"FailedEntryCount": events.failed, "Entries": [{"EventId": "1"}]}

    events.put_events = put_events
    return SimpleNamespace(
        name="dev",
        settings=SimpleNamespace(pipeline="acme-delivery"),
        config=SimpleNamespace(factory="acme", prefix="acme-dev"),
        stack=lambda model: f"acme-dev-{model}",
        models=lambda: iter([{"model": "churn"}, {"model": "old"}]),
        client=lambda service: {"events": events}[service],
        events=events,
        previous="another environment",
    )


@pytest.fixture
def job(delivery, monkeypatch):
    commit = delivery["commit"]
    commit._deployed_stacks.cache_clear()
    pipeline = Pipeline()
    monkeypatch.setattr(commit, "codepipeline", lambda: pipeline)
    return delivery["outcome"].Job("j", "retrain", "dev", "e1", {}, [], {})


def test_models_of_commit_are_those_its_pipeline_version_deploys(delivery, job, environment):
    commit = delivery["commit"]
    assert commit.delivered_models(job, environment) == [{"model": "churn"}]
    assert commit.leftover_models(job, environment) == ["old"]


def test_pipeline_without_stack_of_environment_is_an_error(delivery, job, environment):
    environment.stack = lambda model: f"acme-test-{model}"
    with pytest.raises(LookupError, match="the pipeline acme-delivery deploys no stack acme-test-\\*"):
        delivery["commit"].delivered_models(job, environment)


def test_leftover_model_alert_has_command_that_removes_it(delivery, job, environment):
    assert delivery["leftovers"].report_leftovers(job, environment) == ["old"]
    (alert,) = environment.events.sent
    assert (alert["factory"], alert["environment"], alert["model"]) == ("acme", "dev", "old")
    assert alert["what"] == "old is deployed in dev, but not in the delivered commit 0123456789ab."
    assert alert["command"] == "model-factory remove-model old --env dev"


def test_removed_environment_is_reported_by_first_environment_only(delivery, job, environment, monkeypatch):
    leftovers = delivery["leftovers"]
    monkeypatch.setattr(leftovers, "client", environment.client)
    environment.models = lambda: iter([])
    leftovers.report_leftovers(job, environment)
    assert environment.events.sent == []
    environment.previous = None
    leftovers.report_leftovers(job, environment)
    (alert,) = environment.events.sent
    assert (alert["environment"], alert["cause"]) == ("delivery", "environment-not-in-commit-qa")
    assert "its stacks stay: acme-qa-churn, acme-qa-foundation." in alert["what"]
    assert alert["command"].endswith("cdk destroy 'qa/*'")


def test_refused_alert_fails_no_delivery(delivery, job, environment):
    environment.events.failed = 1
    assert delivery["leftovers"].report_leftovers(job, environment) == ["old"]


def failed_build(**result):
    return {
        "source": "aws.codepipeline",
        "detail-type": "CodePipeline Action Execution State Change",
        "detail": {
            "pipeline": "acme-delivery",
            "stage": "Build",
            "action": "Build",
            "execution-id": "e1",
            "state": "FAILED",
            "execution-result": result,
        },
    }


def test_failed_build_alert_has_last_lines_of_log(delivery, monkeypatch):
    module = delivery["failed_build"]
    requests = []

    def get_log_events(**request):
        requests.append(request)
        messages = ["models/churn/model.yaml:9: unknown key\n", "[Container] now Phase complete: BUILD State: FAILED\n"]
        return {"events": [{"message": message} for message in messages], "nextBackwardToken": "t"}

    monkeypatch.setattr(module, "client", lambda _: SimpleNamespace(get_log_events=get_log_events))
    summary = "Error while executing command: cdk synth. Reason: exit status 1"
    event = failed_build(**{"external-execution-summary": summary, "external-execution-id": BUILD})
    assert module.is_failed_build(event)
    alert = module.failed_build_alert(event)
    assert alert.why == f"{summary}\nmodels/churn/model.yaml:9: unknown key"
    assert alert.what == "acme-delivery stopped in Build at Build (execution e1)."
    assert requests[0]["logGroupName"] == "/aws/codebuild/Build-1a2b"
    assert requests[0]["logStreamName"] == BUILD.partition(":")[2]


def test_failed_build_without_readable_log_still_alerts(delivery, monkeypatch):
    module = delivery["failed_build"]

    def get_log_events(**_):
        raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no stream"}}, "GetLogEvents")

    monkeypatch.setattr(module, "client", lambda _: SimpleNamespace(get_log_events=get_log_events))
    alert = module.failed_build_alert(failed_build(**{"external-execution-id": BUILD}))
    assert alert.why.startswith(f"no reason given\nThe log of the build {BUILD} cannot be read: ")


def test_job_of_pipeline_is_no_failed_build(delivery):
    assert not delivery["failed_build"].is_failed_build({"CodePipeline.job": {}})


def test_failed_build_without_log_has_the_reason_alone(delivery, monkeypatch):
    monkeypatch.setattr(delivery["failed_build"], "client", None)  # there is nothing to read
    alert = delivery["failed_build"].failed_build_alert(failed_build())
    assert (alert.why, alert.command) == ("no reason given", "model-factory deliveries")


def test_first_version_of_pipeline_has_removed_no_environment(delivery, job, environment, monkeypatch):
    execution = {"pipelineExecution": {"pipelineVersion": 1}}
    first = SimpleNamespace(get_pipeline_execution=lambda **_: execution)  # there is no version before it to read
    monkeypatch.setattr(delivery["commit"], "codepipeline", lambda: first)
    assert delivery["commit"].removed_by_commit(job, environment) == []
    assert delivery["commit"].short_commit(job, environment) == "unknown commit"
