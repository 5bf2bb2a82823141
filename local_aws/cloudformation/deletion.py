"""Deletion of a stack's resources: those that refer to others first; one that fails keeps what it refers to."""

import logging
from collections.abc import Collection
from typing import Any

from .deployment import RETAINED, Report
from .failures import ResourceFailed
from .references import dependencies, ordered
from .resources import delete

log = logging.getLogger(__name__)


def delete_resources(resources: Any, retained: Collection[str], report: Report) -> list[str]:
    """Delete the resources of a stack, except `retained` ones. Returns the logical ids of those that failed."""
    made, templates = resources._parsed_resources, resources._resource_json_map
    failed: list[str] = []
    kept: set[str] = set()
    for name in reversed(ordered(templates)):
        resource = made.get(name)
        if resource is None or not hasattr(resource, "cfn_template"):
            continue
        if name in kept:  # a resource that could not be deleted refers to it
            kept |= dependencies(resource.cfn_template)
            continue
        if name in retained or resource.cfn_template.get("DeletionPolicy") in RETAINED:
            report(resource, "DELETE_SKIPPED", None)
            del made[name]
            continue
        try:
            delete(resources, resource)
        except Exception as error:
            log.debug("resource %s could not be deleted", name, exc_info=True)
            failure = ResourceFailed(name, resource.cf_resource_type, "DELETE_FAILED", error)
            report(resource, failure.status, failure.reason)
            failed.append(name)
            kept |= dependencies(resource.cfn_template)
            continue
        report(resource, "DELETE_COMPLETE", None)
        del made[name]
    resources._resource_json_map = {name: each for name, each in templates.items() if name in made}
    return failed
