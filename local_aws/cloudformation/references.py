"""References between the resources of a template: the order of their creation, and what a value refers to."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

_IN_TEXT = re.compile(r"\$\{([^!}][^}]*)\}")


def references(value: Any) -> Iterator[str]:
    """Names that a value of a template refers to, with Ref, Fn::GetAtt and Fn::Sub; pseudo parameters as well."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref" and isinstance(item, str):
                yield item
            elif key == "Fn::GetAtt":
                yield item.split(".")[0] if isinstance(item, str) else item[0]
            elif key == "Fn::Sub":
                text, *more = item if isinstance(item, list) else [item]
                yield from (name.split(".")[0] for name in _IN_TEXT.findall(text))
                yield from references(more)
            else:
                yield from references(item)


def dependencies(resource: Mapping[str, Any]) -> set[str]:
    """What has to exist before a resource."""
    explicit = resource.get("DependsOn", [])
    return {*([explicit] if isinstance(explicit, str) else explicit), *references(resource.get("Properties", {}))}


def ordered(resources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The logical ids, each after those that it depends on. Otherwise they keep the order of the template."""
    done: dict[str, None] = {}

    def visit(name: str, above: Collection[str]) -> None:
        if name in done or name in above:
            return
        for other in sorted(dependencies(resources[name]) & resources.keys()):
            visit(other, {*above, name})
        done[name] = None

    for name in resources:
        visit(name, ())
    return list(done)
