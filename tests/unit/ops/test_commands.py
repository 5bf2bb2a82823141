"""Commands on the command line: output, errors and exit codes."""

import json

import boto3
import jsonschema
import pytest
import yaml
from moto.sagemaker.models import sagemaker_backends

from model_factory.config import ConfigError, Mistake
from model_factory.ops.repository import validate


def test_validate_summarizes_project_without_mistakes(run, project):
    code, out, _ = run("validate", "--project", str(project))
    assert (code, out) == (0, "factory acme: environments dev, prod; models churn\n")


def test_validate_prints_every_mistake_with_file_and_line(run, project):
    (project / "factory.yaml").write_text("name: acme\nenvironmnts: []\n")
    model = project / "models/churn/model.yaml"
    model.write_text(model.read_text().replace("label", "lable"))
    (project / "models/churn/model.py").write_text("def features(raw): ...\ndef train(data): ...\n")
    code, _, err = run("validate", "--project", str(project))
    assert code == 1
    assert "factory.yaml:2: unknown key 'environmnts'; did you mean 'environments'?" in err
    assert "model.yaml:3: unknown key 'data.lable'; did you mean 'label'?" in err
    assert "model.py:2: train takes (data); it must be train(train, validation, hyperparameters)" in err
    assert "model.py: has no function predict(model, features)" in err
    assert err.endswith("6 mistakes\n")
    assert "Traceback" not in err


def test_lock_refuses_missing_or_conflicting_requirements(run, project, monkeypatch):
    monkeypatch.setenv("UV_OFFLINE", "1")
    folder = project / "models/churn"
    code, _, err = run("lock", "churn", "--project", str(project))
    assert (code, err) == (1, f"{folder}/requirements.txt: has no libraries; write one on each line\n1 mistake\n")
    (folder / "requirements.txt").write_text("numpy<2\n")
    code, _, err = run("lock", "churn", "--project", str(project))
    assert (code, "`numpy<2` conflicts with numpy 2.5.1" in err) == (1, True)
    assert not (folder / "requirements.lock").exists()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def features(raw:\n", "model.py:1: syntax error: "),
        (None, "model.py: there is no such file; it defines"),
        ("def train(a, b, c): ...\ntrain_batches = train\n", "has both train and train_batches; remove one"),
        ("def train_batches(rows): ...\n", "it must be train_batches(train, validation, hyperparameters)"),
    ],
)
def test_validate_reports_invalid_or_missing_model_code(run, project, code, message):
    path = project / "models/churn/model.py"
    path.unlink() if code is None else path.write_text(code)
    exit_code, _, err = run("validate", "--project", str(project))
    assert exit_code == 1
    assert message in err


def test_validate_runs_the_pipeline_of_a_model_that_has_one(run, project, monkeypatch):
    folder = project / "models/churn"
    (folder / "model.py").rename(folder / "pipeline.py")
    model = folder / "model.yaml"
    model.write_text("".join(line for line in model.open() if not line.startswith("gate:")))
    seen = []

    def checked(config, path, region):
        seen.append((config.name, region))
        raise ConfigError([Mistake(path / "pipeline.py", 7, "calls sagemaker:ListModels, and a synth has no AWS")])

    monkeypatch.setattr(validate, "checked_pipeline", checked)
    code, _, err = run("validate", "--project", str(project))
    assert (code, seen) == (1, [("churn", "eu-west-1")])
    assert err == f"{folder}/pipeline.py:7: calls sagemaker:ListModels, and a synth has no AWS\n1 mistake\n"


def test_check_image_writes_file_and_prints_how_to_run_it(run, tmp_path):
    code, out, _ = run("check-image", "--out", str(tmp_path / "check.pyz"))
    assert code == 0
    assert f"docker run --rm --entrypoint python3 --volume {tmp_path}:/check:ro" in out
    assert "<image> /check/check.pyz" in out
    assert (tmp_path / "check.pyz").is_file()


@pytest.mark.parametrize("more", ["checkpoints", "checkpoints=None", "*, checkpoints", "hosts", "checkpoints, hosts"])
def test_validate_accepts_optional_parameters_of_training(run, project, more):
    path = project / "models/churn/model.py"
    code = "def features(raw): ...\ndef train(train, validation, hyperparameters, {}): ...\ndef predict(model, features): ...\n"
    path.write_text(code.format(more))
    assert run("validate", "--project", str(project))[0] == 0


@pytest.mark.parametrize(("more", "expected"), [("", 1), (", other", 1), (", hosts", 0), (", *, hosts=None", 0)])
def test_validate_refuses_several_instances_without_hosts(run, project, more, expected):
    folder = project / "models/churn"
    lines = "def features(raw): ...", f"def train(a, b, c{more}): ...", "def predict(model, features): ...", ""
    (folder / "model.py").write_text("\n".join(lines))
    with (folder / "model.yaml").open("a") as settings:
        settings.write("\ntraining: {instance_count: 2}\n")
    code, _, err = run("validate", "--project", str(project))
    refused = (
        "training.instance_count is 2, but train in model.py has no parameter `hosts`: every instance would train the"
    )
    assert (code, refused in err) == (expected, bool(expected))


@pytest.mark.parametrize(("key", "at"), [("training", 5), ("monitoring", 7)])
def test_validate_refuses_accelerator_beside_image_for_processors(run, project, key, at):
    path = project / "models/churn/model.yaml"
    text = path.read_text()
    path.write_text(f"{text.rstrip()}\n{key}: {{instance: ml.g5.xlarge}}\n")
    code, _, err = run("validate", "--project", str(project))
    assert (code, err.count("has an accelerator")) == (1, 1)
    assert f"{key}.instance ml.g5.xlarge has an accelerator, and AWS's scikit-learn image uses processors only" in err
    assert "training.image" in err
    own = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/torch:1"
    for image in (f"image: {own}", "framework: xgboost"):
        path.write_text(f"{text.rstrip()}\ntraining: {{{image}, instance: ml.g5.xlarge}}\n")
        assert run("validate", "--project", str(project))[0] == 0


@pytest.mark.parametrize(("which", "file"), [("factory", "factory.yaml"), ("model", "models/churn/model.yaml")])
def test_schema_accepts_valid_file_and_rejects_unknown_key(run, project, which, file):
    code, out, _ = run("schema", which)
    schema = json.loads(out)
    content = yaml.safe_load((project / file).read_text())
    assert code == 0
    jsonschema.validate(content, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content | {"unknown": 1}, schema)


def test_retrain_fails_where_versions_are_promoted_to(run, project):
    model = project / "models/churn/model.yaml"
    model.write_text(model.read_text() + "promote: model\n")
    code, _, err = run("retrain", "churn", "--env", "prod", "--project", str(project))
    assert code == 1
    assert "churn has `promote: model`: prod trains no versions, they are promoted from dev" in " ".join(err.split())
    assert "model-factory promote churn --from dev --env prod" in " ".join(err.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["schema", "other"], "there is no schema 'other'; choose factory or model"),
        (["retrain", "chrun"], "models (did you mean 'churn'?); there are: churn"),
        (["retrain", "churn", "--env", "qa"], "no environment 'qa' in factory.yaml; there are dev, prod"),
        (["retrain", "churn", "--env", "pord"], "there are dev, prod (did you mean 'prod'?)"),
        (["invoke", "churn"], "give either --rows FILE or --json RECORD"),
        (["invoke", "churn", "--json", "{"], "--json is not JSON"),
        (["invoke", "churn", "--json", "{}", "--inference-id", ""], "--inference-id must have 1 to 64 printable ASCII"),
        (["explain", "chrun", "--inference-id", "a"], "models (did you mean 'churn'?); there are: churn"),
        (
            ["explain", "churn", "--inference-id", "a", "--since", "soon"],
            "--since 'soon' is no time; give 2026-11-24T05:00",
        ),
        (
            ["explain", "churn", "--inference-id", "a", "--since", "3h", "--date", "2026-11-24"],
            "give either --date or --since",
        ),
        (["invoke", "churn", "--rows", "x.txt"], "x.txt: unsupported file type; it must end in .csv or .json"),
        (
            ["retrain", "churn"],
            "environment 'prod' has no model 'churn' (there is no parameter /acme/prod/models/churn)",
        ),
        (
            ["redeploy", "churn"],
            "environment 'prod' has no model 'churn' (there is no parameter /acme/prod/models/churn)",
        ),
        (
            ["rollback", "churn"],
            "environment 'prod' has no model 'churn' (there is no parameter /acme/prod/models/churn)",
        ),
        (["retrain", "churn", "--env", "dev"], "you are signed in to account 123456789012, not to environment 'dev'"),
        (["invoke", "churn", "--json", "{}", "--profile", "nobody"], "cannot sign in to environment 'prod'"),
    ],
)
def test_user_mistake_prints_message_without_traceback(run, project, aws, arguments, message):
    if arguments[0] != "schema":
        arguments += ["--project", str(project)]
    code, _, err = run(*arguments)
    assert code == 1
    assert message in err
    assert "Traceback" not in err


@pytest.fixture
def deployed(aws):
    """The settings parameter and the retrain queue of the model in prod; the URL of the queue."""
    put_settings()
    sqs = boto3.client("sqs", region_name="eu-west-1")
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    return sqs.create_queue(QueueName="acme-prod-retrain.fifo", Attributes=fifo)["QueueUrl"]


def put_settings(**settings):
    boto3.client("ssm", region_name="eu-west-1").put_parameter(
        Name="/acme/prod/models/churn", Value=json.dumps(settings), Type="String", Overwrite=True
    )


def test_retrain_of_model_that_is_not_deployed_sends_no_message(run, project, deployed):
    boto3.client("ssm", region_name="eu-west-1").delete_parameter(Name="/acme/prod/models/churn")
    code, _, err = run("retrain", "churn", "--project", str(project))
    assert code == 1
    assert "environment 'prod' has no model 'churn' (there is no parameter /acme/prod/models/churn)" in err
    assert "Messages" not in boto3.client("sqs", region_name="eu-west-1").receive_message(QueueUrl=deployed)


def test_retrain_of_model_that_is_deployed_with_promotion_sends_no_message(run, project, deployed):
    """The repository no longer has `promote: model`, but the deployed stack does."""
    put_settings(promoted_from="dev")
    code, _, err = run("retrain", "churn", "--project", str(project))
    assert code == 1
    assert "model-factory promote churn --from dev --env prod" in " ".join(err.split())
    assert "Messages" not in boto3.client("sqs", region_name="eu-west-1").receive_message(QueueUrl=deployed)


def test_retrain_during_training_says_what_follows(run, project, deployed):
    sagemaker = boto3.client("sagemaker", region_name="eu-west-1")
    definition = {
        "Version": "2020-12-01",
        "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "m"}}],
    }
    sagemaker.create_pipeline(
        PipelineName="acme-prod-churn-train",
        PipelineDefinition=json.dumps(definition),
        RoleArn="arn:aws:iam::123456789012:role/r",
        ClientRequestToken="0" * 32,
    )
    sagemaker.start_pipeline_execution(PipelineName="acme-prod-churn-train")
    backend = sagemaker_backends["123456789012"]["eu-west-1"]
    (execution,) = backend.pipelines["acme-prod-churn-train"].pipeline_executions.values()
    execution.pipeline_execution_status = "Executing"
    code, out, _ = run("retrain", "churn", "--project", str(project))
    assert code == 0
    assert "a training is in flight since 20" in out
    assert "the request is remembered, and another one starts when it ends" in out


def test_retrain_sends_one_message_in_message_group_of_model(run, project, deployed):
    sqs, url = boto3.client("sqs", region_name="eu-west-1"), deployed
    code, out, _ = run("retrain", "churn", "--reason", "new labels", "--project", str(project))
    (message,) = sqs.receive_message(QueueUrl=url, AttributeNames=["MessageGroupId"])["Messages"]
    body = json.loads(message["Body"])
    assert code == 0
    assert message["Attributes"]["MessageGroupId"] == "churn"
    assert body == {"model": "churn", "trigger": "manual", "reason": "new labels", "id": body["id"]}
    assert f"({body['id']}): a training starts now; model-factory status shows it" in out


@pytest.mark.parametrize(("place", "said"), [("nowhere/report.html", "there is no folder"), ("models", "is a folder")])
def test_place_of_the_page_is_checked_before_reading(run, project, monkeypatch, place, said):
    monkeypatch.setattr("model_factory.ops.commands.report._models", lambda *_: 1 / 0)
    code, _, error = run("report", "--project", str(project), "--out", str(project / place))
    assert (code, said in error) == (1, True)
