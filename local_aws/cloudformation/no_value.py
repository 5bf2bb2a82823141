"""`AWS::NoValue` in a list takes the item away, as it takes a property away; moto leaves a hole."""

from typing import Any

from moto.cloudformation import parsing

from ..interfaces import EmbeddedAws


def install(local: EmbeddedAws) -> None:
    """Replace moto's reading of lists."""
    clean = parsing.clean_json

    def without_holes(resource_json: Any, resources_map: Any) -> Any:
        found = clean(resource_json, resources_map)
        if not isinstance(resource_json, list) or not isinstance(found, list):
            return found
        return [item for item, written in zip(found, resource_json, strict=True) if item is not None or written is None]

    # It calls itself by this name, so lists at any depth are read so.
    local.replace(parsing, "clean_json", without_holes)
