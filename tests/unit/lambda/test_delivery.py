"""The delivery function's decisions: what trains now, what waits, what a failure says; records and differences."""

import pytest


class Environment:
    """An environment of models whose trainings are in the given states: None is 'not started'."""

    name = "dev"

    def __init__(self, states: dict, parallel: int = 2) -> None:
        self.states, self.asked = states, []
        self.settings = type(
            "Settings", (), {"parallel": parallel, "timeout_seconds": 100, "pipeline": "acme-delivery"}
        )

    def models(self):
        return [{"model": name, "training_pipeline": name} for name in self.states]

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
    """One step of the retrain task: (outcome, models that were asked to train)."""
    training, outcome = delivery["training"], delivery["outcome"]

    def step(states, token=None, **more):
        environment = Environment(states, **more)
        monkeypatch.setattr(training, "code_changed", lambda _, model: states[model["model"]] != "same")
        monkeypatch.setattr(training, "_has_data", lambda _, model: states[model["model"]] != "empty")
        monkeypatch.setattr(training, "revert_all", lambda *_: "; with it: b v2 rejected")
        monkeypatch.setattr(training, "_request_training", lambda _job, env, model: env.asked.append(model))
        job = outcome.Job("j", "retrain", "dev", "e1", {"since": 4102444800} | (token or {}), [], {})
        return training.retrain(job, environment), environment.asked

    return step


def test_only_what_changed_trains_and_no_more_than_the_limit_at_a_time(step):
    found, asked = step({"a": None, "b": "same", "c": None, "d": None, "e": "empty"})
    assert asked == ["a", "c"]
    assert found.summary == "waiting: a, c, d; no data yet: e; unchanged: 1"


def test_what_runs_counts_towards_the_limit(step):
    _, asked = step({"a": "Executing", "b": None, "c": None})
    assert asked == ["b"]


def test_a_message_is_not_sent_again_before_its_time(step):
    import time

    found, asked = step({"a": None}, token={"asked": {"a": int(time.time())}})
    assert asked == []
    found, asked = step({"a": None}, token={"asked": {"a": int(time.time()) - 120}})
    assert asked == ["a"]
    assert list(found.token["asked"]) == ["a"]


def test_all_trained_is_done(step, delivery):
    found, asked = step({"a": "Succeeded", "b": "same"})
    assert found == delivery["outcome"].Succeeded("trained: a; unchanged: 1", {"trained": "a", "promoted": "none"})
    assert asked == []


def test_a_failure_waits_for_what_runs_starts_nothing_and_then_names_model_and_reason(step, delivery):
    found, asked = step({"a": "Failed", "b": "Executing", "c": None})
    assert isinstance(found, delivery["outcome"].InProgress)
    assert asked == []
    found, asked = step({"a": "Failed", "b": "Succeeded", "c": None})
    assert found.message == "training in dev failed: model a: a is below the minimum; with it: b v2 rejected"
    assert asked == []


def test_trainings_that_take_too_long_stop_the_delivery(step):
    found, _ = step({"a": "Executing"}, token={"since": 1})
    assert found.message == "trainings in dev took too long: training: a; unchanged: 0"


def test_a_typical_record_has_means_and_the_most_frequent_texts(delivery):
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


def test_differences_name_resources_and_properties_and_leave_out_what_only_cdk_reads(delivery):
    def resource(**properties):
        return {"Type": "AWS::S3::Bucket", "Properties": properties}

    old = {"Resources": {"Same": resource(a=1) | {"Metadata": 1}, "Gone": resource(), "Other": resource(a=1, b=1)}}
    new = {"Resources": {"Same": resource(a=1) | {"Metadata": 2}, "New": resource(), "Other": resource(a=2, b=1)}}
    found = list(delivery["template_diff"].differences("stack", old, new))
    assert [(one.resource, one.kind, one.properties) for one in found] == [
        ("Gone", "remove", ()),
        ("New", "add", ()),
        ("Other", "change", ("a",)),
    ]
