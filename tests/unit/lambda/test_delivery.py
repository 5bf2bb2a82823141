"""lambda/delivery: the retrain action step by step, typical records, and template differences."""

import time
from types import SimpleNamespace

import pytest

from .cloud import refused


class Environment:
    """Stub of an environment with models by the state of their training; None is 'not started'."""

    name = "dev"

    def __init__(self, states: dict, parallel: int = 2) -> None:
        self.states, self.requested, self.alerts = states, [], []
        self.settings = type(
            "Settings", (), {"parallel": parallel, "timeout_seconds": 100, "pipeline": "acme-delivery"}
        )

    def stack(self, model):
        return f"acme-dev-{model}"

    def models(self):
        return [{"model": name, "training_pipeline": name} for name in self.states]

    def request_training(self, model, reason):
        assert "delivery e1" in reason
        self.requested.append(model)

    def client(self, _service):
        return self

    def list_pipeline_executions(self, PipelineName, **_):
        status = self.states[PipelineName]
        own = {"PipelineExecutionDescription": "delivery e1", "PipelineExecutionArn": PipelineName}
        others = {"PipelineExecutionDescription": "nightly", "PipelineExecutionStatus": "Failed"}
        found = [own | {"PipelineExecutionStatus": status}] if status not in (None, "same", "empty") else []
        return {"PipelineExecutionSummaries": [others, *found]}

    def describe_pipeline_execution(self, PipelineExecutionArn):
        return {"FailureReason": f"{PipelineExecutionArn} is below the minimum"}


@pytest.fixture
def step(delivery, monkeypatch):
    """One step of the retrain action: its outcome, and the models whose training it requested."""
    training, outcome, commit = delivery["training"], delivery["outcome"], delivery["commit"]

    def step(states, token=None, deleted=(), **more):
        environment = Environment(states, **more)
        stacks = frozenset({"acme-dev-foundation", *(f"acme-dev-{name}" for name in states if name not in deleted)})
        monkeypatch.setattr(commit, "_deployed_stacks", lambda *_: stacks)
        monkeypatch.setattr(
            training, "report_leftovers", lambda *_: environment.alerts.append(deleted) or list(deleted)
        )
        monkeypatch.setattr(training, "code_changed", lambda _, model: states[model["model"]] != "same")
        monkeypatch.setattr(training, "_has_data", lambda _, model: states[model["model"]] != "empty")
        monkeypatch.setattr(training, "revert_all", lambda *_: "; with it: b v2 rejected")
        monkeypatch.setattr(training, "training_reason", lambda *_: "pushed 1a2b3c, delivery e1")
        job = outcome.Job("j", "retrain", "dev", "e1", {"since": 4102444800} | (token or {}), [], {})
        return training.retrain(job, environment), environment.requested

    return step


def test_changed_models_train_up_to_parallel_limit(step):
    outcome, requested = step({"a": None, "b": "same", "c": None, "d": None, "e": "empty"})
    assert requested == ["a", "c"]
    assert outcome.summary == "waiting: a, c, d; no data yet: e; unchanged: 1"


def test_training_that_this_delivery_waits_for_is_not_its_own(step, monkeypatch):
    """The description of a running training has the request that follows it."""
    running = {
        "PipelineExecutionDescription": "nightly | follow-up code 1: delivery e1",
        "PipelineExecutionStatus": "Executing",
    }
    summaries = {"PipelineExecutionSummaries": [running]}
    monkeypatch.setattr(Environment, "list_pipeline_executions", lambda *_, **__: summaries)
    outcome, requested = step({"a": None})
    assert (outcome.summary, requested) == ("waiting: a; unchanged: 0", ["a"])


def test_deleted_model_is_not_trained_and_fails_no_delivery(step):
    outcome, requested = step({"a": "same", "b": None, "c": "Failed"}, deleted=["b", "c"])
    assert outcome.summary == "not in this commit: b, c; unchanged: 1"
    assert outcome.variables["leftovers"] == "b,c"
    assert requested == []


def test_running_training_counts_towards_limit(step):
    _, requested = step({"a": "Executing", "b": None, "c": None})
    assert requested == ["b"]


def test_request_is_repeated_after_a_minute(step):
    outcome, requested = step({"a": None}, token={"asked": {"a": int(time.time())}})
    assert requested == []
    outcome, requested = step({"a": None}, token={"asked": {"a": int(time.time()) - 120}})
    assert requested == ["a"]
    assert list(outcome.token["asked"]) == ["a"]


def test_finished_trainings_succeed(step, delivery):
    outcome, requested = step({"a": "Succeeded", "b": "same"})
    assert outcome == delivery["outcome"].Succeeded(
        "trained: a; unchanged: 1", {"trained": "a", "promoted": "none", "leftovers": "none"}
    )
    assert requested == []


def test_failed_training_starts_no_other_and_fails_after_running_ones(step, delivery):
    outcome, requested = step({"a": "Failed", "b": "Executing", "c": None})
    assert isinstance(outcome, delivery["outcome"].InProgress)
    assert requested == []
    outcome, requested = step({"a": "Failed", "b": "Succeeded", "c": None})
    assert outcome.message == "training in dev failed: model a: a is below the minimum; with it: b v2 rejected"
    assert requested == []


def test_training_that_stopped_without_reason_names_its_status(step, monkeypatch):
    monkeypatch.setattr(Environment, "describe_pipeline_execution", lambda *_, **__: {})
    assert "model a: Stopped without a reason" in step({"a": "Stopped"})[0].message


def test_promotions_stop_after_a_minute_and_name_their_failures(delivery, monkeypatch):
    training, clock = delivery["training"], [0.0]
    errors = {
        "b": training.NoApprovedVersionError(),
        "c": training.PromotionError("another artifact"),
        "d": refused("AccessDenied"),
    }

    def promote_model(job, environment, model):
        clock[0] += 20
        if error := errors.get(model):
            raise error

    monkeypatch.setattr(training, "promote_model", promote_model)
    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    progress = delivery["progress"].Progress(to_promote={name: name for name in "abc"})
    training._promote(None, None, progress)
    assert (progress.promoted, progress.without_data, progress.failed) == (["a"], ["b"], {"c": "another artifact"})
    progress.to_promote = {name: name for name in "defg"}
    training._promote(None, None, progress)
    assert list(progress.to_promote) == ["g"], "the next step continues"
    assert "AccessDenied" in progress.failed["d"]


def test_training_timeout_fails_delivery(step):
    outcome, _ = step({"a": "Executing"}, token={"since": 1})
    assert outcome.message == "trainings in dev took too long: training: a; unchanged: 0; with it: b v2 rejected"


def test_typical_record_has_means_and_most_frequent_strings(delivery):
    buckets = [{"value": "red", "count": 1}, {"value": "blue", "count": 9}]
    statistics = {
        "features": [
            {"name": "x", "inferred_type": "Fractional", "numerical_statistics": {"mean": 1.5}},
            {"name": "n", "inferred_type": "Integral", "numerical_statistics": {"mean": 2.6}},
            {
                "name": "c",
                "inferred_type": "String",
                "string_statistics": {"distribution": {"categorical": {"buckets": buckets}}},
            },
        ]
    }
    assert delivery["prediction"].typical_record(statistics) == {"x": 1.5, "n": 3, "c": "blue"}


def test_differences_name_resources_and_properties_without_cdk_metadata(delivery):
    def resource(**properties):
        return {"Type": "AWS::S3::Bucket", "Properties": properties}

    cdk = {"Type": "AWS::CDK::Metadata"}

    old = {"Same": resource(a=1) | {"Metadata": 1}, "Gone": resource(), "Other": resource(a=1, b=1), "Kept": resource()}
    new = {"Same": resource(a=1) | {"Metadata": 2}, "New": resource(), "Other": resource(a=2, b=1), "CDK": cdk}
    old, new = {"Resources": old}, {"Resources": new | {"Kept": resource() | {"DeletionPolicy": "Retain"}}}
    found = list(delivery["template_diff"].differences("stack", old, new))
    assert [(one.resource, one.kind, one.properties) for one in found] == [
        ("Gone", "remove", ()),
        ("Kept", "change", ("DeletionPolicy",)),
        ("New", "add", ()),
        ("Other", "change", ("a",)),
    ]
