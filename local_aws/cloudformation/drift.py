"""Drift: what a template says of a resource against what its service says now, as `cdk drift` shows it."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

from ..interfaces import EmbeddedAws
from .drift_reader import GoneError
from .drift_readers import READERS


def find_drift(local: EmbeddedAws, stack: Any) -> list[dict[str, Any]]:
    """The checked resources of a stack, as DescribeStackResourceDrifts has them.

    'Resources that don't currently support drift detection aren't checked, and so not included' (its API reference).
    """
    found: list[dict[str, Any]] = []
    for resource in list(stack.resource_map._parsed_resources.values()):
        kind = getattr(resource, "cf_resource_type", None)
        if kind not in READERS:
            continue
        reader = READERS[kind]
        expected = {name: resource.cfn_properties[name] for name in reader.names if name in resource.cfn_properties}
        entry: dict[str, Any] = {
            "StackId": stack.stack_id,
            "LogicalResourceId": resource.logical_resource_id,
            "PhysicalResourceId": resource.physical_resource_id,
            "ResourceType": kind,
            "ExpectedProperties": json.dumps(expected, default=str),
            "Timestamp": datetime.now(UTC),
        }
        try:
            client = local.accounts.client(reader.service, stack.account_id, stack.region_name)
            found_now = reader.read(client, resource.physical_resource_id)
        except (ClientError, GoneError):
            found.append({**entry, "StackResourceDriftStatus": "DELETED"})
            continue
        actual = {name: found_now.get(name) for name in expected}
        wanted, have = (reader.form(each) if expected else {} for each in (expected, actual))
        differences = [_difference(n, expected[n], actual[n]) for n in expected if not _same(wanted[n], have[n])]
        entry["ActualProperties"] = json.dumps(actual, default=str)
        status = "MODIFIED" if differences else "IN_SYNC"
        found.append({**entry, "PropertyDifferences": differences, "StackResourceDriftStatus": status})
    return found


def _difference(name: str, expected: Any, actual: Any) -> dict[str, str]:
    kind = "REMOVE" if actual is None else "NOT_EQUAL"
    texts = (value if isinstance(value, str) else json.dumps(value, default=str) for value in (expected, actual))
    return dict(zip(("ExpectedValue", "ActualValue"), texts, strict=True)) | {
        "PropertyPath": f"/{name}",
        "DifferenceType": kind,
    }


def _same(expected: Any, actual: Any) -> bool:
    """Templates and APIs write numbers and booleans as text or not."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(_same(value, actual[key]) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(_same, expected, actual))
    if isinstance(expected, int | float) and not isinstance(expected, bool) and actual is not None:
        return float(expected) == float(actual)
    return str(expected).lower() == str(actual).lower()


def install(local: EmbeddedAws) -> None:
    """Add the operations that moto does not have. Detection is done when it is asked for."""

    def stack_of(response: Any) -> Any:
        return response.cloudformation_backend.get_stack(response._get_param("StackName"))

    detected: dict[str, tuple[Any, list[dict[str, Any]]]] = {}

    def detect_stack_drift(self: Any) -> ActionResult:
        stack, identifier = stack_of(self), str(uuid.uuid4())
        detected[identifier] = (stack, find_drift(local, stack))
        return ActionResult({"StackDriftDetectionId": identifier})

    def describe_stack_drift_detection_status(self: Any) -> ActionResult:
        identifier = self._get_param("StackDriftDetectionId")
        stack, found = detected[identifier]
        count = sum(each["StackResourceDriftStatus"] != "IN_SYNC" for each in found)
        status = {
            "StackId": stack.stack_id,
            "StackDriftDetectionId": identifier,
            "StackDriftStatus": "DRIFTED" if count else "IN_SYNC",
            "DetectionStatus": "DETECTION_COMPLETE",
            "DriftedStackResourceCount": count,
            "Timestamp": datetime.now(UTC),
        }
        return ActionResult(status)

    def describe_stack_resource_drifts(self: Any) -> ActionResult:
        wanted = self._get_param("StackResourceDriftStatusFilters", [])
        found = find_drift(local, stack_of(self))
        kept = [each for each in found if not wanted or each["StackResourceDriftStatus"] in wanted]
        return ActionResult({"StackResourceDrifts": kept})

    for operation in (detect_stack_drift, describe_stack_drift_detection_status, describe_stack_resource_drifts):
        local.replace(CloudFormationResponse, operation.__name__, operation)
