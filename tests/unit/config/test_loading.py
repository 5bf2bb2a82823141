"""Messages about mistakes in configuration files, and the descriptions of their keys."""

from pathlib import Path

import pytest
import yaml

from model_factory.config import ConfigError, FactoryConfig, ModelConfig, load_factory, load_model, load_models

MODEL = {
    "name": "churn",
    "problem": "binary_classification",
    "data": {"label": "left"},
    "gate": {"metric": "auc", "minimum": 0.7},
}
FACTORY = {"name": "acme", "environments": [{"name": "dev", "account": "111111111111", "region": "eu-west-1"}]}


def write_model(root: Path, text: str, name: str = "churn") -> Path:
    folder = root / name
    folder.mkdir(exist_ok=True)
    (folder / "model.yaml").write_text(text)
    return folder


def mistakes(load, path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return [f"{m.file.name}:{m.line}: {m.message}" for m in caught.value.mistakes]


def change(base: dict, path: str, value) -> str:
    """YAML of `base` with the dotted `path` set to `value`."""
    changed = yaml.safe_load(yaml.safe_dump(base))
    *parents, key = path.split(".")
    at = changed
    for parent in parents:
        at = at.setdefault(parent, {}) if isinstance(at, dict) else at[int(parent)]
    at[key] = value
    return yaml.safe_dump(changed, sort_keys=False)


def test_minimal_model_has_defaults(tmp_path):
    config = load_model(write_model(tmp_path, yaml.safe_dump(MODEL)))
    assert config.serving.mode == "realtime"
    assert config.settings()["retrain"] == {
        "schedule": "cron(0 3 * * ? *)",
        "timezone": "UTC",
        "on_drift": True,
        "on_quality": True,
        "max_failures": 1,
        "cooldown": 21600.0,
        "window": None,
    }
    quality = {"window": 1209600.0, "minimum_labels": 200, "minimum_coverage": 0.05, "margin": None}
    assert config.settings()["monitoring"]["quality"] == quality
    assert (config.settings()["monitoring"]["max_age"], config.settings()["monitoring"]["interval_seconds"]) == (
        None,
        3600,
    )


@pytest.mark.parametrize(
    ("path", "value", "message", "at"),
    [
        ("data.lable", "x", "unknown key 'data.lable'; did you mean 'label'?", "lable"),
        (
            "zebra",
            1,
            "unknown key 'zebra'; known keys are name, problem, description, promote, data, training",
            "zebra",
        ),
        ("problem", "binary", "'binary' is not one of 'binary_classification'", "problem"),
        ("promote", "modle", "promote: 'modle' is not one of 'code' or 'model'; did you mean 'model'?", "promote"),
        ("promot", "model", "unknown key 'promot'; did you mean 'promote'?", "promot"),
        (
            "training.max_runtime",
            "soon",
            "'soon' is not a duration; write a number and a unit, such as 30s, 15m",
            "max_runtime",
        ),
        (
            "training.instance",
            "m5.large",
            "training.instance: 'm5.large' is not an instance type; write one of SageMaker, such as ml.m5.large",
            "instance",
        ),
        ("training.seed", "many", "training.seed: input should be a valid integer", "seed"),
        (
            "retrain.schedule",
            "every day",
            "'every day' is not a schedule; write rate(1 hour) or cron(0 3 * * ? *)",
            "schedule",
        ),
        ("retrain.schedule", "cron(0 3 * * *)", "cron() has six fields, found 5", "schedule"),
        ("retrain.schedule", "cron(0 3 * * * *)", "exactly one of day of month and day of week must be ?", "schedule"),
        ("serving.canary.bake", "2h", "serving.canary.bake: 2:00:00 is longer than 1h, the limit of SageMaker", "bake"),
        ("training.max_runtime", "10d", "10 days, 0:00:00 is longer than 9d, the limit of SageMaker", "max_runtime"),
        ("training.max_runtime", "0s", "0:00:00 is shorter than 0:00:01, the shortest that SageMaker", "max_runtime"),
        ("training.max_wait", "3h", "max_wait is for `spot: true`; remove it, or add spot", "max_wait"),
        (
            "training",
            {"spot": True, "max_wait": "30m"},
            "max_wait 0:30:00 is shorter than max_runtime 1:00:00, which SageMaker refuses",
            "max_wait",
        ),
        ("training", {"spot": True, "keep_alive": "10m"}, "SageMaker keeps no spot instances; remove", "training"),
        ("training.instance_count", 17, "instance_count: input should be less than or equal to 16", "instance_count"),
        ("training", {"instance_count": 2, "spot": True}, "spot and an instance_count above 1 exclude each", "spot"),
        (
            "training",
            {"framework": "xgboost", "image": "111111111111.dkr.ecr.eu-west-1.amazonaws.com/mine:1"},
            "framework names an image of AWS's, and image another one; remove one of them",
            "framework",
        ),
        ("training.keep_alive", "2h", "2:00:00 is longer than 1h, the limit of SageMaker for warm pools", "keep_alive"),
        ("description", "a" * 1025, "description: string should have at most 1024 characters", "description"),
        ("description", "one\ntwo", "SageMaker accepts descriptions on one line only", "description"),
        ("training.hyperparameters.x", "1" * 2499, "the value of 'x' has 2501 characters, SageMaker", "hyper"),
        ("training.hyperparameters.x", "a" * 2501, "the value of 'x' has 2501 characters, SageMaker", "hyper"),
        ("retrain.schedule", "rate(1 hours)", "write rate(1 hour) but rate(2 hours)", "schedule"),
        ("retrain.timezone", "Mars/Base", "'Mars/Base' is not a time zone", "timezone"),
        (
            "gate.metric",
            "rmse",
            "gate.metric 'rmse' is not a metric of binary_classification; choose one of auc",
            "metric",
        ),
        (
            "data.schema",
            {"plan": {"type": "string", "minimum": 1}},
            "minimum is for numbers; a string has none",
            "minimum",
        ),
        (
            "report",
            {"groups": ["left"]},
            "report.groups has the label 'left'; name columns that the model reads",
            "groups",
        ),
        ("gate.maximum", 0.9, "gate needs `minimum` and not `maximum`: a higher auc is better", "gate"),
        ("data.schema.age", {"type": "integer", "minimum": 9, "maximum": 1}, "minimum 9 is above maximum 1", "minimum"),
        ("serving.scaling", {"minimum": 3, "maximum": 2}, "minimum 3 is above maximum 2", "minimum"),
        ("serving.mode", "serverless", "SageMaker captures no requests of serverless endpoints", "serving"),
        ("serving", {"mode": "batch", "batch": {"on_data": False}}, "needs batch.on_data or batch.schedule", "mode"),
        (
            "serving.batch.schedule",
            "rate(1 hour)",
            "batch.schedule is for mode `batch`, and mode is `realtime`",
            "schedule",
        ),
        ("serving.batch.id_column", "id", "serving.batch.id_column 'id' must be one of data.ignore", "id_column"),
        ("data.ignore", ["left"], "label 'left' cannot also be ignored", "label"),
    ],
)
def test_mistake_in_model_names_line_and_correction(tmp_path, path, value, message, at):
    text = change(MODEL, path, value)
    (found,) = mistakes(load_model, write_model(tmp_path, text))
    assert message in found
    file, line, _ = found.split(":", 2)
    assert file == "model.yaml"
    assert text.splitlines()[int(line) - 1].strip().startswith(at)


def test_mistakes_of_all_models_are_reported_at_once(tmp_path):
    write_model(tmp_path, change(MODEL, "gaet", 1))
    write_model(tmp_path, "name: other\nproblem: binary_classification\n", "other")
    found = mistakes(load_models, tmp_path)
    assert len(found) == 3
    assert any("'data' is missing; it is required" in m for m in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "is not YAML"),
        ("- a\n- b\n", "must be a mapping with name, problem"),
        ("", "must be a mapping with name, problem"),
        ("name: a\nname: b\n", "key 'name' is given twice"),
    ],
)
def test_file_without_mapping_is_refused(tmp_path, text, message):
    (found,) = mistakes(load_model, write_model(tmp_path, text))
    assert message in found


def test_missing_file_and_binary_content_are_refused(tmp_path):
    assert "there is no such file" in mistakes(load_factory, tmp_path / "factory.yaml")[0]
    (tmp_path / "factory.yaml").write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8 text" in mistakes(load_factory, tmp_path / "factory.yaml")[0]


def test_folder_name_must_be_model_name(tmp_path):
    assert "the folder is 'churned'" in mistakes(load_model, write_model(tmp_path, yaml.safe_dump(MODEL), "churned"))[0]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("environments.0.acount", "1", "unknown key 'environments.0.acount'; did you mean 'account'?"),
        (
            "environments.0.account",
            111111111111,
            "environments.0.account: YAML reads 111111111111 as a number; put it in quotes",
        ),
        ("environments.0.account", "12", "account: '12' is not an account id; write twelve digits in quotes, such as"),
        ("environments.0.region", "Ireland", "region: 'Ireland' is not a region; write its code, such as eu-west-1"),
        (
            "environments.0.permissions_boundary",
            "arn:aws:iam::1:policy/B",
            "is not the name of an IAM policy; write the",
        ),
        ("name", "awsome", "name 'awsome' starts with 'aws', which Systems Manager reserves for its own parameters"),
        ("name", "ssm-models", "name 'ssm-models' starts with 'ssm', which Systems Manager reserves"),
        ("name", "Acme", "name: 'Acme' is not a name; write lower-case letters, digits and single hyphens"),
        ("environments.0.approval", "automatical", "did you mean 'automatic'?"),
        ("environments", [], "environments: list should have at least 1 item"),
        ("environments", FACTORY["environments"] * 2, "environment 'dev' is defined 2 times"),
        (
            "alerts.emails",
            ["nobody"],
            "alerts.emails.0: 'nobody' is not an email address; write one such as oncall@example.com",
        ),
        ("environments.0.network", "isolate", "'isolate' is not one of 'none' or 'isolated'; did you mean 'isolated'?"),
        ("environments.0.records_lock", "complience", "did you mean 'compliance'?"),
    ],
)
def test_mistake_in_factory_names_line(tmp_path, path, value, message):
    (tmp_path / "factory.yaml").write_text(change(FACTORY, path, value))
    found = mistakes(load_factory, tmp_path / "factory.yaml")
    assert message in found[0]
    assert found[0].split(":")[1] != "None"


VPC, SUBNET, GROUP = "vpc-0123456789abcdef0", "subnet-0123456789abcdef0", "sg-0123456789abcdef0"


@pytest.mark.parametrize(
    ("network", "message", "at"),
    [
        ({"vpc": VPC}, "vpc alone is not enough: give `subnets` and `security_groups` as well", "vpc"),
        (
            {"vpc": VPC, "subnets": [SUBNET]},
            "give `security_groups` as well, because synthesis looks nothing up",
            "vpc",
        ),
        (
            {"vpc": "my-vpc", "subnets": [SUBNET], "security_groups": [GROUP]},
            "'my-vpc' is not the id of a VPC; write one",
            "vpc",
        ),
        (
            {"vpc": VPC, "subnets": ["a"], "security_groups": [GROUP]},
            "network.subnets.0: 'a' is not the id of a subnet",
            "- a",
        ),
        ({"vpc": VPC, "subnet": [SUBNET]}, "unknown key 'environments.0.network.subnet'; did you mean", "subnet"),
        ({"subnets": [SUBNET], "security_groups": [GROUP]}, "'environments.0.network.vpc' is missing", "network"),
    ],
)
def test_mistake_in_network_names_line(tmp_path, network, message, at):
    text = change(FACTORY, "environments.0.network", network)
    (tmp_path / "factory.yaml").write_text(text)
    (found,) = [m for m in mistakes(load_factory, tmp_path / "factory.yaml") if message in m]
    assert text.splitlines()[int(found.split(":")[1]) - 1].strip().startswith(at)


def test_network_is_none_isolated_or_existing(tmp_path):
    def network(value):
        (tmp_path / "factory.yaml").write_text(change(FACTORY, "environments.0.network", value))
        return load_factory(tmp_path / "factory.yaml").environments[0].network

    named = {"vpc": VPC, "subnets": [SUBNET], "security_groups": [GROUP]}
    assert (network("none"), network("isolated")) == ("none", "isolated")
    assert network(named).model_dump() == named
    (tmp_path / "factory.yaml").write_text(yaml.safe_dump(FACTORY))
    assert load_factory(tmp_path / "factory.yaml").environments[0].network == "none"


@pytest.mark.parametrize("schema", [FactoryConfig, ModelConfig])
def test_every_key_has_a_description(schema):
    document = schema.model_json_schema()
    sections = {schema.__name__: document, **document.get("$defs", {})}

    def description(key: dict) -> str:
        # pydantic leaves out a description that is the same as the one of the section that is referred to.
        return key.get("description") or sections[key["$ref"].split("/")[-1]]["description"]

    keys = {
        f"{name}.{key}": value for name, section in sections.items() for key, value in section["properties"].items()
    }
    assert len(keys) > 20
    assert [name for name, key in keys.items() if not description(key).endswith(".")] == []
    assert [name for name, section in sections.items() if not section["description"].endswith(".")] == []
