"""Messages about mistakes in `delivery` of factory.yaml."""

import pytest
import yaml

from model_factory.config import ConfigError, load_factory

CONNECTION = "arn:aws:codeconnections:eu-west-1:999999999999:connection/11111111-2222-4333-8444-555555555555"


def factory(tmp_path, **changes):
    """factory.yaml with two environments and a delivery, changed."""
    delivery = {"account": "999999999999", "region": "eu-west-1", "source": CONNECTION, "repository": "acme/models"}
    environments = [{"name": name, "account": "111111111111", "region": "eu-west-1"} for name in ("dev", "prod")]
    content = {"name": "acme", "environments": environments, "delivery": delivery | changes}
    path = tmp_path / "factory.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def mistake(path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_factory(path)
    (found,) = caught.value.mistakes
    return f"{path.read_text().splitlines()[found.line - 1].strip().split(':')[0]}: {found.message}"


def test_minimal_delivery_has_defaults(tmp_path):
    config = load_factory(factory(tmp_path))
    assert config.delivery.install == "pip install --requirement requirements.txt"
    assert config.delivery.test == "model-factory validate && pytest --quiet"
    assert config.delivery.branch == "main"
    assert [environment.name for environment in config.delivered] == ["dev", "prod"]


def test_training_timeout_fits_pipeline_action(tmp_path):
    expected = (
        "training_timeout: delivery.training_timeout: 1 day, 0:00:00 is longer than 23h, the limit of an action of"
    )
    assert mistake(factory(tmp_path, training_timeout="24h")).startswith(expected)


def test_stages_select_environments(tmp_path):
    config = load_factory(factory(tmp_path, stages=["prod"]))
    assert [environment.name for environment in config.delivered] == ["prod"]


@pytest.mark.parametrize(
    ("stages", "sources"),
    [
        (None, [None, "dev", "test", "live"]),
        (["test", "live"], [None, None, "test", "live"]),  # the first delivered environment trains as well
        (
            ["dev", "live"],
            [None, "dev", "dev", "live"],
        ),  # `test` is not a stage: versions are promoted to it with the CLI
    ],
)
def test_promoted_model_is_trained_in_first_environment_only(tmp_path, stages, sources):
    path = factory(tmp_path, stages=stages)
    content = yaml.safe_load(path.read_text())
    names = ("dev", "test", "live", "prod")
    content["environments"] = [content["environments"][0] | {"name": name} for name in names]
    if stages is None:
        del content["delivery"]
    path.write_text(yaml.safe_dump(content))
    config = load_factory(path)
    found = [config.promoted_from(environment, "model") for environment in config.environments]
    assert [one.name if one else None for one in found] == sources
    assert not any(config.promoted_from(environment, "code") for environment in config.environments)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"source": "arn:aws:s3:::bucket"},
            "source: delivery.source: 'arn:aws:s3:::bucket' is not a source; give the ARN",
        ),
        ({"repository": "models"}, "repository: delivery: repository 'models' is not written as owner/name"),
        (
            {"source": "codecommit", "repository": "acme/models"},
            "repository: delivery: repository 'acme/models' is not a CodeCommit repository",
        ),
        (
            {"stages": ["prod", "dev"]},
            "stages: delivery.stages are prod, dev, but they must be in the order of promotion: dev, prod",
        ),
        (
            {"stages": ["dev", "qa"]},
            "stages: delivery.stages has 'qa', which is not an environment; the environments are dev, prod",
        ),
        ({"stages": ["dev", "dev"]}, "stages: delivery.stages has 'dev' 2 times; each may occur once"),
        ({"branch": "a b"}, "branch: delivery.branch: "),
    ],
)
def test_mistake_names_line_and_correction(tmp_path, changes, message):
    assert mistake(factory(tmp_path, **changes)).startswith(message)


def test_duplicate_environment_name_is_refused(tmp_path):
    path = factory(tmp_path)
    path.write_text(path.read_text().replace("name: prod", "name: dev"))
    assert "'dev' is defined 2 times; every name must be different" in mistake(path)


def test_environment_name_delivery_is_refused(tmp_path):
    path = factory(tmp_path)
    path.write_text(path.read_text().replace("name: prod", "name: delivery"))
    assert "the name 'delivery' is reserved for the tooling account" in mistake(path)
