"""Every YAML block in the documentation is a valid factory.yaml or model.yaml, or a part of one."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from model_factory.config import ConfigError, load_factory, load_model

from .pages import blocks

YAML = blocks("yaml", "yml")
FACTORY = """
name: acme
environments:
  - {name: dev, account: "111111111111", region: eu-west-1}
  - {name: prod, account: "333333333333", region: eu-west-1}
"""
MODEL = """
name: churn
problem: binary_classification
data: {label: left}
gate: {metric: auc, minimum: 0.7}
"""


def load(title: str, text: str, folder: Path) -> None:
    """Load the block as the file that its fence names, with what a part leaves out. Raises ConfigError."""
    kind = Path(title).name
    assert kind in ("factory.yaml", "model.yaml"), f"title={title!r} must end in factory.yaml or model.yaml"
    block: dict[str, Any] = yaml.safe_load(text)
    complete = yaml.safe_load(FACTORY if kind == "factory.yaml" else MODEL) | block
    if kind == "factory.yaml":
        target = folder / kind
        target.write_text(yaml.safe_dump(complete))
        load_factory(target)
    else:
        target = folder / str(complete["name"]) / kind
        target.parent.mkdir()
        if "pipeline" in complete:  # its conditions decide
            (target.parent / "pipeline.py").touch()
            if "gate" not in block:
                del complete["gate"]
        target.write_text(yaml.safe_dump(complete))
        load_model(target.parent)


@pytest.mark.parametrize("block", YAML, ids=map(str, YAML))
def test_yaml_block_is_valid(block, tmp_path):
    load(block.title, block.text, tmp_path)


@pytest.mark.parametrize(
    ("title", "text", "wrong"),
    [
        ("factory.yaml", "alert: {emails: []}", "unknown key 'alert'"),
        ("models/churn/model.yaml", "gate: {metric: auk, minimum: 1}", "gate.metric 'auk'"),
        (
            "models/churn/model.yaml",
            "pipeline: {}\ngate: {metric: auc, minimum: 1}",
            "gate is for models with a model.py",
        ),
    ],
)
def test_checker_refuses_invalid_yaml(title, text, wrong, tmp_path):
    with pytest.raises(ConfigError, match=wrong):
        load(title, text, tmp_path)


def test_checker_refuses_yaml_without_title(tmp_path):
    with pytest.raises(AssertionError, match="must end in"):
        load("", "name: x", tmp_path)
