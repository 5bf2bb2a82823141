"""What a region lacks that the stacks need, from data: found at synth instead of by a deployment that fails.

regions.json comes from tools/regions.py. The registry of the container image by region is image.py's.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from aws_cdk import Token


class RegionError(ValueError):
    """A region lacks something that a resource needs."""


def region_mistakes(region: str, *, delivery: bool = False) -> Iterator[str]:
    """Reasons for which a deployment in `region` would fail, each a sentence.

    Args:
        region: The region, such as eu-west-1.
        delivery: Whether the delivery pipeline is deployed there instead of an environment. Default: an environment.
    """
    if region not in _data()["powertools"]:
        yield (
            f"region {region!r} has no layer of Powertools for AWS Lambda, which the functions need; choose one of "
            f"{', '.join(_data()['powertools'])}"
        )
    kinds = _data()["delivery" if delivery else "environment"].get(region, [])
    if kinds:
        purpose = "the delivery pipeline" if delivery else "an environment"
        yield f"region {region!r} has no {' and no '.join(kinds)}, which {purpose} needs; choose another region"


def check_layer(region: str, path: str) -> None:
    """Check that AWS publishes the ARN of Powertools' layer in a region. A token passes.

    Args:
        region: The stack's region.
        path: Path of the construct that needs the layer.

    Raises:
        RegionError: It does not.
    """
    if not Token.is_unresolved(region) and region not in _data()["powertools"]:
        raise RegionError(
            f"{path}: AWS publishes no layer of Powertools for AWS Lambda in region {region!r}; pass layers=[…] to "
            f"FactoryFunction, or choose one of {', '.join(_data()['powertools'])}"
        )


@cache
def _data() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("regions.json").read_text(encoding="utf-8"))
