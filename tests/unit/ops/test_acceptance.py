"""`model-factory acceptance` without AWS: order of the steps, failures, interruption, estimate, refusals."""

import json
from contextlib import nullcontext

import pytest

from model_factory.config.model import Serving
from model_factory.ops.acceptance import data
from model_factory.ops.acceptance import run as acceptance
from model_factory.ops.acceptance.estimate import Estimate, estimate
from model_factory.ops.acceptance.run import Step
from model_factory.ops.project import Project, UsageError
from model_factory.ops.repository.throw_away import TEMPLATE


@pytest.fixture
def run_steps(monkeypatch, project):
    """Runs these steps without AWS; the results by name, and how often the clean-up ran."""

    def run(*steps: Step):
        cleaned: list[str] = []
        monkeypatch.setattr(acceptance, "STEPS", steps)
        monkeypatch.setattr(acceptance, "subscribed_queue", lambda *_: nullcontext())
        monkeypatch.setattr(acceptance, "Loop", lambda *_: None)
        monkeypatch.setattr(acceptance, "clean_up", lambda *_: cleaned.append("") or "removed nothing")
        session = Project(project).environment("prod")
        monkeypatch.setattr(type(session), "client", lambda *_: None)
        result = acceptance.run(session, "churn", Estimate(1, 1, {}), lambda _: None)
        return result, {step.name: step for step in result.steps}, len(cleaned)

    return run


def fails(error):
    def action(_):
        raise error

    return action


def test_failed_step_skips_those_that_need_it(run_steps):
    result, steps, cleaned = run_steps(
        Step("a", "", fails(UsageError("no instances"))),
        Step("b", "", lambda _: "done", ("a",)),
        Step("c", "", lambda _: "done", ("b",)),
        Step("d", "", lambda _: "done"),
    )
    assert [steps[name].status for name in ("start", "a", "b", "c", "d", "clean-up")] == [
        "passed",
        "failed",
        "skipped",
        "skipped",
        "passed",
        "passed",
    ]
    assert (steps["a"].detail, steps["b"].detail) == ("no instances", "skipped because a did not pass")
    assert not result.passed
    assert cleaned == 2


def test_interruption_skips_the_rest_and_cleans_up(run_steps):
    result, steps, cleaned = run_steps(Step("a", "", fails(KeyboardInterrupt())), Step("b", "", lambda _: "done"))
    assert (steps["a"].detail, steps["b"].status, steps["clean-up"].status) == ("interrupted", "skipped", "passed")
    assert result.interrupted
    assert not result.passed
    assert cleaned == 2


def test_unexpected_error_fails_step_and_cleans_up(run_steps):
    _, steps, cleaned = run_steps(Step("a", "", fails(RuntimeError("surprise"))))
    assert (steps["a"].status, steps["a"].detail) == ("failed", "RuntimeError: surprise")
    assert cleaned == 2


def test_passed_run_is_json_with_every_step(run_steps):
    result, _, _ = run_steps(Step("a", "does a", lambda _: "saw a"))
    content = json.loads(json.dumps(result.to_json()))
    assert (content["passed"], content["environment"], content["model"]) == (True, "prod", "churn")
    assert [(step["name"], step["status"]) for step in content["steps"]] == [
        ("start", "passed"),
        ("a", "passed"),
        ("clean-up", "passed"),
    ]


def definition(*kinds, count=1):
    return json.dumps(
        {"Steps": [{"Arguments": {"ClusterConfig": {"InstanceType": each, "InstanceCount": count}}} for each in kinds]}
    )


def test_estimate_counts_instance_minutes_by_type():
    serving = Serving.model_validate({"instance": "ml.m5.large", "canary": {"bake": "5m"}})
    planned = estimate(definition("ml.m5.xlarge", "ml.g5.xlarge", "ml.m5.xlarge"), definition("ml.t3.medium"), serving)
    assert planned.jobs == 8
    assert planned.instance_minutes["ml.m5.xlarge"] == 25
    assert planned.instance_minutes["ml.g5.xlarge"] == 10
    assert planned.instance_minutes["ml.t3.medium"] == 5
    assert planned.instance_minutes["ml.m5.large"] == planned.minutes - 15 + 36
    assert "25 minutes of ml.m5.xlarge" in str(planned)
    several = estimate(definition("ml.g5.xlarge", count=3), definition("ml.t3.medium"), serving)
    assert (several.jobs, several.instance_minutes["ml.g5.xlarge"]) == (4, 45)


def test_drifted_records_differ_in_x_only():
    before, after = data.records(500, seed=1), data.records(500, seed=1, shift=data.DRIFT)
    assert data.records(500, seed=1) == before
    assert [each.colour for each in before] == [each.colour for each in after]
    assert all(b.x - a.x == pytest.approx(data.DRIFT) for a, b in zip(before, after, strict=True))
    assert data.broken_csv(before).startswith("x,y,sold\n")


def test_new_acceptance_writes_throw_away_model(run, project):
    code, out, _ = run("new", "trial", "--acceptance", "--project", str(project))
    assert code == 0
    assert "models/trial/model.yaml" in out.replace("\n", "")
    model = Project(project).model("trial")
    assert (model.name, model.retrain.schedule) == ("trial", None)
    assert (project / "models/trial/model.py").read_text() == (TEMPLATE / "model.py").read_text()
    assert run("validate", "--project", str(project))[0] == 0


def test_new_without_data_says_what_to_give(run, project):
    code, _, err = run("new", "trial", "--project", str(project))
    assert (code, "give --data FILE and --label COLUMN" in err) == (1, True)


def test_acceptance_refuses_other_model(run, project, aws):
    code, _, err = run("acceptance", "--env", "prod", "--model", "churn", "--yes", "--project", str(project))
    assert code == 1
    assert "churn is not the throw-away model" in err
    assert "model-factory new acceptance --acceptance" in err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cooldown: 0s", "cooldown: 1h", "set retrain.on_drift: true and cooldown: 0s"),
        ("max_latency: 1m", "capture_percent: 50", "set serving.mode: realtime and capture_percent: 100"),
        ("max_latency: 1m", "max_latency: 1m", "deploy the model first: cdk deploy 'acme-prod-acceptance'"),
    ],
)
def test_acceptance_says_what_the_model_lacks(run, project, aws, old, new, message):
    run("new", "acceptance", "--acceptance", "--project", str(project))
    path = project / "models/acceptance/model.yaml"
    path.write_text(path.read_text().replace(old, new))
    code, _, err = run("acceptance", "--env", "prod", "--yes", "--project", str(project))
    assert code == 1
    assert message in err


def test_acceptance_prints_its_policy(run, project, aws):
    run("new", "acceptance", "--acceptance", "--project", str(project))
    code, out, _ = run("acceptance", "--env", "prod", "--policy", "--project", str(project))
    actions = {action for statement in json.loads(out)["Statement"] for action in statement["Action"]}
    assert code == 0
    assert {"sagemaker:StartPipelineExecution", "sqs:DeleteQueue", "s3:DeleteObjectVersion"} <= actions
