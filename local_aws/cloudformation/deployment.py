"""One change of a stack's resources: create and update in the order of their references, then delete what is left over.

Moto adds before it modifies, ignores references, and never replaces. CloudFormation compares the properties, replaces a
resource when a create-only property changes, keeps the old one until all others are updated, and can go back until then.
A change that failed and preserves its resources can go back later, or is completed by the next one.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
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


@dataclass(frozen=True)
class _Undo:
    """How the change of one resource is undone. `run` is a partial, not a closure: state that is kept has it."""

    name: str
    resource_type: str
    run: Callable[[], None]


class Deployment:
    """A change of `resources` (moto's ResourceMap of a stack) to another template; `report` is called after each resource.

    With `preserve`, a failure keeps what was changed so far, and replacements are refused.
    """

    def __init__(self, resources: Any, report: Report, *, preserve: bool = False) -> None:
        self._map, self._report, self._preserve = resources, report, preserve
        self._before = (resources._template, resources._resource_json_map, resources.input_parameters)
        self._restore: list[_Undo] = []
        self._remove: list[_Undo] = []
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

    def preserve(self, failed: str | None) -> None:
        """After a failure: keep what was changed, except the resource that failed, which has its properties from before."""
        for undo in [each for each in self._restore if each.name == failed]:
            undo.run()
            self._restore.remove(undo)
        made = self._map._resource_json_map
        self._map._resource_json_map = {name: each for name, each in made.items() if name in self._resources}

    def roll_back(self, skipped: Collection[str] = ()) -> list[str]:
        """Restore the resources, the template and the parameters from before `apply`, except resources to skip.

        As an update to the old template: changes are reversed in the order of references, so that a role has its permissions
        before a function needs them, and new resources are deleted last. After a failure it can be called again, and goes on
        there. Returns the logical ids of new resources that could not be deleted. Raises ResourceFailed for another one that
        cannot be restored.
        """
        while self._restore:
            undo = self._restore[0]
            if undo.name not in skipped:
                try:
                    undo.run()
                except Exception as error:
                    log.debug("resource %s could not be restored", undo.name, exc_info=True)
                    raise ResourceFailed(undo.name, undo.resource_type, "UPDATE_FAILED", error) from error
            del self._restore[0]
        failed = [undo.name for undo in reversed(self._remove) if not self._removed(undo)]
        self._remove.clear()
        template, resources, parameters = self._before
        self._load(template or {"Resources": {}}, parameters)
        self._map._resource_json_map = {name: each for name, each in resources.items() if name in self._resources}
        return failed

    def _removed(self, undo: _Undo) -> bool:
        new = self._resources.get(undo.name)
        try:
            undo.run()
        except Exception as error:
            log.debug("resource %s could not be deleted", undo.name, exc_info=True)
            self._report(new, "DELETE_FAILED", ResourceFailed(undo.name, undo.resource_type, "", error).reason)
            return False
        return True

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

        self._remove.append(_Undo(name, resource["Type"], partial(self._delete_created, created)))
        self._report(created, "CREATE_COMPLETE", None)

    def _delete_created(self, created: Any) -> None:
        del self._resources[created.logical_resource_id]
        # RetainExceptOnCreate says just this: what a failed operation created is deleted again.
        if created.cfn_template.get("DeletionPolicy") == "Retain":
            self._report(created, "DELETE_SKIPPED", None)
        else:
            delete(self._map, created)
            self._report(created, "DELETE_COMPLETE", None)

    def _update(self, name: str, resource: dict[str, Any]) -> None:
        old = self._resources[name]
        try:
            _check_type(old, resource, name)
            model, content, physical_name = resolve(name, resource, self._map)
            if content["Properties"] == old.cfn_properties:
                undo = partial(setattr, old, "cfn_template", old.cfn_template)
                self._restore.append(_Undo(name, resource["Type"], undo))
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
        if self._preserve:
            raise RefusedError("Replacement type updates not supported on stack with disable-rollback.")
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
        update = partial(self._update_in_place, model, content, called, name)
        # Also after an update that failed half way.
        self._restore.append(_Undo(name, resource["Type"], partial(update, old.cfn_template, old.cfn_properties)))
        update(resource, content["Properties"])
        if self._resources[name].physical_resource_id != old.physical_resource_id:
            self._restore.pop()
            self._supersede(old, name)

    def _update_in_place(
        self, model: Any, content: Any, called: str, name: str, template: dict[str, Any], properties: dict[str, Any]
    ) -> None:
        new = model.update_from_cloudformation_json(
            original_resource=self._resources[name],
            new_resource_name=called,
            cloudformation_json={**content, "Properties": properties},
            account_id=self._map._account_id,
            region_name=self._map._region_name,
        )
        self._resources[name] = describe(new, name, template, properties)

    def _supersede(self, old: Any, name: str) -> None:
        """`old` is deleted when everything else succeeded; a rollback deletes the new one instead."""
        new = self._resources[name]
        self._obsolete.append(old)
        kind = old.cf_resource_type
        self._restore.append(_Undo(name, kind, partial(self._put_back, old)))
        self._remove.append(_Undo(name, kind, partial(delete, self._map, new)))

    def _put_back(self, old: Any) -> None:
        self._resources[old.logical_resource_id] = old


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
