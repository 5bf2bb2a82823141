"""Captured requests are kept until their labels can have arrived."""

from pathlib import Path

import pytest

from model_factory.config import ConfigError, load_factory, load_models
from stacks.factory import _check_retention

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checked(tmp_path):
    """Checks the repository's model with a factory that has these keys in its first environment."""

    def check(retention):
        text = (ROOT / "factory.yaml").read_text()
        path = tmp_path / "factory.yaml"
        path.write_text(text.replace("    region:", f"    captured_retention: {retention}\n    region:", 1))
        _check_retention(load_factory(path), load_models(ROOT / "models"), ROOT / "models")

    return check


@pytest.mark.parametrize("retention", ["14d", "null"])
def test_retention_for_labels_is_accepted(checked, retention):
    checked(retention)


def test_retention_shorter_than_window_of_labels_is_refused(checked):
    with pytest.raises(
        ConfigError, match=r"monitoring.quality.window is 14 days, but factory.yaml deletes .* after 13"
    ):
        checked("13d")
