"""Model package groups and their versions."""

from collections.abc import Sequence

from ..json_api import Record, now
from .lists import page
from .roles import image_digest
from .service import Service
from .state import State, add, find

_SUMMARY = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
)
_METADATA = "CustomerMetadataProperties"
# The values that AWS documents for UpdatedModelPackageFields, in 'Events that Amazon SageMaker AI sends to Amazon EventBridge'.
_UPDATED = {
    "ModelApprovalStatus": "ModelApprovalStatus",
    "ApprovalDescription": "ApprovalDescription",
    "SourceUri": "sourceUri",
    _METADATA: _METADATA,
    "InferenceSpecification": "InferenceSpecification",
    "ModelLifeCycle": "ModelLifeCycle",
}


def create_group(service: Service, state: State, request: Record) -> Record:
    """CreateModelPackageGroup."""
    name = request["ModelPackageGroupName"]
    arn = state.arn("model-package-group", name)
    record = {
        **{key: value for key, value in request.items() if key != "Tags"},
        "ModelPackageGroupArn": arn,
        "CreationTime": now(),
        "CreatedBy": {},
        "ModelPackageGroupStatus": "Completed",
    }
    add(state.groups, name, record, "model package group")
    state.tag(arn, request.get("Tags"))
    return {"ModelPackageGroupArn": arn}


def delete_group(service: Service, state: State, request: Record) -> None:
    """DeleteModelPackageGroup."""
    name = find(state.groups, request["ModelPackageGroupName"], "model package group")["ModelPackageGroupName"]
    del state.groups[name]


def create_package(service: Service, state: State, request: Record) -> Record:
    """CreateModelPackage: the next version of its group."""
    group = find(state.groups, request.get("ModelPackageGroupName", ""), "model package group")
    name = group["ModelPackageGroupName"]
    with state.lock:
        version = group.get("_versions", 0) + 1
        group["_versions"] = version
        arn = state.arn("model-package", f"{name}/{version}")
        record: Record = {
            "ModelApprovalStatus": "PendingManualApproval",
            **{key: value for key, value in request.items() if key not in ("Tags", "ClientToken")},
            "ModelPackageGroupName": name,
            "ModelPackageVersion": version,
            "ModelPackageArn": arn,
            "ModelPackageName": name,
            "CreationTime": now(),
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CreatedBy": service.user(),
        }
        if "InferenceSpecification" in record:
            record["InferenceSpecification"] = _resolved(record["InferenceSpecification"])
        state.packages[arn] = record
    state.tag(arn, request.get("Tags"))
    _emit_state_change(service, state, record)
    return {"ModelPackageArn": arn}


def _resolved(specification: Record) -> Record:
    """The specification with the digest of each container's image (API reference, ModelPackageContainerDefinition)."""
    containers: list[Record] = []
    for container in specification["Containers"]:
        digest = image_digest(container.get("Image", ""))
        containers.append({**({"ImageDigest": digest} if digest else {}), **container})
    return specification | {"Containers": containers}


def update_package(service: Service, state: State, request: Record) -> Record:
    """UpdateModelPackage: approval, and metadata that is added and removed."""
    record = find(state.packages, request["ModelPackageArn"], "model package")
    before = {field: record.get(field) for field in _UPDATED}
    record.update({field: request[field] for field in _UPDATED if field in request and field != _METADATA})
    metadata = {**record.get(_METADATA, {}), **request.get(_METADATA, {})}
    for key in request.get("CustomerMetadataPropertiesToRemove", []):
        metadata.pop(key, None)
    if metadata:
        record[_METADATA] = metadata
    record["LastModifiedTime"] = now()
    record["LastModifiedBy"] = service.user()
    if updated := [name for field, name in _UPDATED.items() if record.get(field) != before[field]]:
        _emit_state_change(service, state, record, updated)
    return {"ModelPackageArn": record["ModelPackageArn"]}


def delete_package(service: Service, state: State, request: Record) -> None:
    """DeleteModelPackage."""
    record = find(state.packages, request["ModelPackageName"], "model package")
    del state.packages[record["ModelPackageArn"]]


def list_packages(service: Service, state: State, request: Record) -> Record:
    """ListModelPackages, by group and approval; without a group only what ModelPackageType asks for.

    Every package here is a version in a group, and the default of ModelPackageType is Unversioned.
    """
    if not request.get("ModelPackageGroupName") and request.get("ModelPackageType", "Unversioned") == "Unversioned":
        return {"ModelPackageSummaryList": []}
    group = request.get("ModelPackageGroupName", "").rsplit("/", 1)[-1]
    if group:
        find(state.groups, group, "model package group")
    approval = request.get("ModelApprovalStatus")
    found = [
        {key: package[key] for key in _SUMMARY if key in package}
        for package in state.packages.values()
        if (not group or package["ModelPackageGroupName"] == group)
        and (approval is None or package["ModelApprovalStatus"] == approval)
    ]
    return page(found, request, "ModelPackageSummaryList", order="Ascending")


def _emit_state_change(service: Service, state: State, record: Record, updated: Sequence[str] = ()) -> None:
    """Emit 'SageMaker Model Package State Change'; `updated` is its list UpdatedModelPackageFields.

    An update of any of these fields emits it, with the approval status that the version had before. It does not name who
    made the update: DescribeModelPackage does, as LastModifiedBy.
    """
    keys = (*_SUMMARY, *_UPDATED, "MetadataProperties", "ModelMetrics")
    detail = {key: record[key] for key in keys if key in record}
    # Its times are ISO 8601, those of the other events of SageMaker are milliseconds.
    times = {key: f"{record[key]:%Y-%m-%dT%H:%M:%SZ}" for key in ("CreationTime", "LastModifiedTime") if key in record}
    fields = {"UpdatedModelPackageFields": list(updated)} if updated else {}
    service.emit(state, "Model Package State Change", detail | times | fields, record["ModelPackageArn"])


OPERATIONS = {
    "CreateModelPackageGroup": create_group,
    "DescribeModelPackageGroup": lambda service, state, request: {
        key: value
        for key, value in find(state.groups, request["ModelPackageGroupName"], "model package group").items()
        if not key.startswith("_")
    },
    "DeleteModelPackageGroup": delete_group,
    "ListModelPackageGroups": lambda service, state, request: page(
        [{k: v for k, v in g.items() if not k.startswith("_")} for g in state.groups.values()],
        request,
        "ModelPackageGroupSummaryList",
        order="Ascending",
    ),
    "CreateModelPackage": create_package,
    "DescribeModelPackage": lambda service, state, request: find(
        state.packages, request["ModelPackageName"], "model package"
    ),
    "UpdateModelPackage": update_package,
    "DeleteModelPackage": delete_package,
    "ListModelPackages": list_packages,
}
