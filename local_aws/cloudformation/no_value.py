"""`AWS::NoValue` removes an item of a list, as it removes a property; moto leaves None in the list."""

from typing import Any

from moto.cloudformation import parsing

from ..interfaces import EmbeddedAws


def install(local: EmbeddedAws) -> None:
    """Replace moto's reading of lists."""
    clean = parsing.clean_json

    def without_removed_items(resource_json: Any, resources_map: Any) -> Any:
        found = clean(resource_json, resources_map)
        if not isinstance(resource_json, list) or not isinstance(found, list):
            return found
        return [item for item, written in zip(found, resource_json, strict=True) if item is not None or written is None]

    # Moto's function calls itself by this name, so this applies to nested lists.
    local.replace(parsing, "clean_json", without_removed_items)
