"""Captured requests are kept until their labels can have arrived, and rows until a training has read them."""

from pathlib import Path

import pytest

from model_factory.config import ConfigError, load_factory, load_models
from model_factory.config.training import Training
from stacks.factory import _check_retention

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checked(tmp_path):
    """Checks the repository's model with a factory that has these keys in its first environment."""

    def check(retention, key="captured_retention", **training):
        text = (ROOT / "factory.yaml").read_text()
        path = tmp_path / "factory.yaml"
        path.write_text(text.replace("    region:", f"    {key}: {retention}\n    region:", 1))
        models = {
            name: model.model_copy(update={"training": Training(**training)})
            for name, model in load_models(ROOT / "models").items()
        }
        _check_retention(load_factory(path), models, ROOT / "models")

    return check


@pytest.mark.parametrize("retention", ["14d", "null"])
def test_retention_for_labels_is_accepted(checked, retention):
    checked(retention)


def test_retention_shorter_than_window_of_labels_is_refused(checked):
    with pytest.raises(
        ConfigError, match=r"monitoring.quality.window is 14 days, but factory.yaml deletes .* after 13"
    ):
        checked("13d")


def test_rows_outlast_training_that_waits_for_spot_capacity(checked):
    checked("3d", "training_rows_retention", spot=True, max_wait="2d")
    checked("2d", "training_rows_retention", max_runtime="3d")
    with pytest.raises(ConfigError, match=r"may take 2 days, .* deletes its rows and checkpoints after 2 days; raise"):
        checked("2d", "training_rows_retention", spot=True, max_wait="2d")
