"""One change of a stack's resources: create and update in the order of their references, then delete what is left over.

Moto adds before it modifies, ignores references, and never replaces. CloudFormation compares the properties, replaces a
resource when a create-only property changes, keeps the old one until all others are updated, and can go back until then.
"""

import logging
from collections.abc import Callable
from typing import Any

from moto.cloudformation import parsing

from .failures import RefusedError, ResourceFailed
from .references import ordered
from .replacement import schema
from .resources import delete, describe, resolve

log = logging.getLogger(__name__)
RETAINED = ("Retain", "RetainExceptOnCreate")

type Template = dict[str, Any]
type Report = Callable[[Any, str, str | None], None]
"""Receives a resource, its status and the reason of a failure."""


class Deployment:
    """A change of `resources` (moto's ResourceMap of a stack) to another template; `report` is called after each resource."""

    def __init__(self, resources: Any, report: Report) -> None:
        self._map, self._report = resources, report
        self._before = (resources._template, resources._resource_json_map, resources.input_parameters)
        self._restore: list[Callable[[], None]] = []
        self._remove: list[Callable[[], None]] = []
        self._obsolete: list[Any] = []

    def apply(self, template: Template, parameters: dict[str, Any] | None) -> None:
        """Create and update resources. Raises ResourceFailed at the first that fails."""
        old = dict(self._before[1])
        self._load(template, parameters)
        new = self._map._resource_json_map
        for name in ordered(new):
            if name in self._resources and name in old:
                self._update(name, new[name])
            elif name not in self._resources:
                self._create(name, new[name])
        self._obsolete += [self._resources[name] for name in old if name in self._resources and name not in new]

    def clean_up(self) -> None:
        """Delete what the new template does not have, and replaced resources. A failure does not fail the stack."""
        place = {name: number for number, name in enumerate(ordered(self._before[1]))}
        for resource in sorted(self._obsolete, key=lambda each: -place[each.logical_resource_id]):
            name = resource.logical_resource_id
            replaced = self._resources.get(name) is not resource
            if not replaced:
                del self._resources[name]
            policy = resource.cfn_template.get("UpdateReplacePolicy" if replaced else "DeletionPolicy")
            if policy in RETAINED:
                self._report(resource, "DELETE_SKIPPED", None)
                continue
            try:
                delete(self._map, resource)
                self._report(resource, "DELETE_COMPLETE", None)
            except Exception as error:
                log.debug("resource %s could not be deleted", name, exc_info=True)
                failed = ResourceFailed(name, resource.cf_resource_type, "DELETE_FAILED", error)
                self._report(resource, failed.status, failed.reason)

    def roll_back(self) -> None:
        """Restore the resources, the template and the parameters from before `apply`.

        As an update to the old template: changes are reversed in the order of references, so that a role has its permissions
        before a function needs them, and new resources are deleted last.
        """
        for undo in (*self._restore, *reversed(self._remove)):
            undo()
        template, resources, parameters = self._before
        self._load(template or {"Resources": {}}, parameters)
        self._map._resource_json_map = {name: each for name, each in resources.items() if name in self._resources}

    @property
    def _resources(self) -> dict[str, Any]:
        """Resources by logical id; moto keeps parameters and pseudo parameters among them."""
        return self._map._parsed_resources

    def _load(self, template: Template, parameters: dict[str, Any] | None) -> None:
        resources = self._map
        resources._template, resources._resource_json_map = template, template["Resources"]
        if parameters is not None:
            resources.input_parameters = parameters
        resources.resolved_parameters = {}
        resources.load()
        resources._resource_json_map = {
            name: each
            for name, each in template["Resources"].items()
            if "Condition" not in each or resources.lazy_condition_map[each["Condition"]]
        }

    def _create(self, name: str, resource: dict[str, Any]) -> None:
        try:
            self._map[name]
        except ResourceFailed:
            raise
        except Exception as error:
            log.debug("resource %s failed", name, exc_info=True)
            raise ResourceFailed(name, resource["Type"], "CREATE_FAILED", error) from error
        created = self._resources.get(name)
        if created is None:  # a type without a service behind it
            return

        def remove() -> None:
            del self._resources[name]
            # RetainExceptOnCreate says just this: what a failed operation created is deleted again.
            if resource.get("DeletionPolicy") == "Retain":
                self._report(created, "DELETE_SKIPPED", None)
            else:
                delete(self._map, created)
                self._report(created, "DELETE_COMPLETE", None)

        self._remove.append(remove)
        self._report(created, "CREATE_COMPLETE", None)

    def _update(self, name: str, resource: dict[str, Any]) -> None:
        old = self._resources[name]
        try:
            _check_type(old, resource, name)
            model, content, physical_name = resolve(name, resource, self._map)
            if content["Properties"] == old.cfn_properties:
                before = old.cfn_template
                self._restore.append(lambda: setattr(old, "cfn_template", before))
                old.cfn_template = resource
                return
            if _replaces(old, content["Properties"]):
                self._replace(old, name, content["Properties"])
            else:
                self._change(old, name, resource, model, content, physical_name)
        except Exception as error:
            log.debug("resource %s failed", name, exc_info=True)
            raise ResourceFailed(name, resource["Type"], "UPDATE_FAILED", error) from error
        self._report(self._resources[name], "UPDATE_COMPLETE", None)

    def _replace(self, old: Any, name: str, properties: dict[str, Any]) -> None:
        named = parsing.resource_name_property_from_type(old.cf_resource_type)
        if named in properties and properties[named] == old.cfn_properties.get(named):
            raise RefusedError(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
                f"{properties[named]} and update the stack again."
            )
        del self._resources[name]
        try:
            self._map[name]
        except Exception:
            self._resources[name] = old
            raise
        self._supersede(old, name)

    def _change(self, old: Any, name: str, resource: dict[str, Any], model: Any, content: Any, called: str) -> None:
        template, properties = old.cfn_template, old.cfn_properties

        def update(wanted_template: dict[str, Any], wanted: dict[str, Any]) -> None:
            where = {"account_id": self._map._account_id, "region_name": self._map._region_name}
            new = model.update_from_cloudformation_json(
                original_resource=self._resources[name],
                new_resource_name=called,
                cloudformation_json={**content, "Properties": wanted},
                **where,
            )
            self._resources[name] = describe(new, name, wanted_template, wanted)

        self._restore.append(lambda: update(template, properties))  # also after an update that failed half way
        update(resource, content["Properties"])
        if self._resources[name].physical_resource_id != old.physical_resource_id:
            self._restore.pop()
            self._supersede(old, name)

    def _supersede(self, old: Any, name: str) -> None:
        """`old` is deleted when everything else succeeded; a rollback deletes the new one instead."""
        new = self._resources[name]
        self._obsolete.append(old)
        self._restore.append(lambda: self._resources.__setitem__(name, old))
        self._remove.append(lambda: delete(self._map, new))


def _replaces(old: Any, properties: dict[str, Any]) -> bool:
    """Whether a create-only property changes."""
    known, before = schema(old.cf_resource_type), old.cfn_properties
    changed = {key for key in {*before, *properties} if before.get(key) != properties.get(key)}
    return any(known.recreation(before, properties, key) == "Always" for key in changed)


def _check_type(old: Any, resource: dict[str, Any], name: str) -> None:
    if resource["Type"] != old.cf_resource_type:
        raise RefusedError(
            "Update of resource type is not permitted. The new template modifies resource type of the following "
            f"resources: [{name}]"
        )
