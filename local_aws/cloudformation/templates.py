"""JSON templates, such as the CDK's, are parsed as JSON: moto's YAML parser takes a hundred times longer.

Moto parses the template of a change set four times, and `cdk bootstrap` deploys the same one in YAML to each account.
"""

import json
from copy import deepcopy
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import yaml
from moto.cloudformation import models, responses

from ..interfaces import EmbeddedAws


def _load(text: str | bytes, Loader: Any) -> Any:  # noqa: N803  # yaml.load calls it so
    try:
        return json.loads(text)
    except ValueError:
        return deepcopy(_parsed(text, Loader))


@lru_cache(maxsize=8)
def _parsed(text: str | bytes, loader: Any) -> Any:
    return yaml.load(text, Loader=loader)  # noqa: S506  # moto's own choice


def install(local: EmbeddedAws) -> None:
    """Replace moto's YAML parser."""
    parser = SimpleNamespace(load=_load, Loader=yaml.Loader, add_multi_constructor=yaml.add_multi_constructor)
    for module in (models, responses):
        local.replace(module, "yaml", parser)
