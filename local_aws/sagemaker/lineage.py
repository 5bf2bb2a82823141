"""Lineage entities: artifacts, actions, contexts, associations between them, and QueryLineage.

Only what is created by hand: SageMaker's own entities of jobs, model packages and endpoints are not created here.
"""

import hashlib
from collections import deque
from collections.abc import Iterator
from typing import Any

from ..json_api import Record, ServiceError, now
from .lists import page
from .service import Service
from .state import State

LIMITS = {"artifact": 6000, "action": 3000, "context": 500, "association": 6000}
"""Developer guide, 'Manually Create Tracking Entities': maximum number of manually created lineage entities."""
_KINDS = {"artifact": "Artifact", "action": "Action", "context": "Context"}
MAX_DEPTH = 10


def _create(kind: str) -> Any:
    what = _KINDS[kind]

    def create(service: Service, state: State, request: Record) -> Record:
        uri = request["Source"]["SourceUri"]
        # An artifact's ARN has a hash of its source, of which there is one artifact; the others are named.
        name = hashlib.sha256(uri.encode()).hexdigest()[:32] if kind == "artifact" else request[f"{what}Name"]
        arn = state.arn(kind, name)
        time, user = now(), service.user()
        record = {
            **{key: value for key, value in request.items() if key != "Tags"},
            f"{what}Arn": arn,
            "CreationTime": time,
            "CreatedBy": user,
            "LastModifiedTime": time,
            "LastModifiedBy": user,
        }
        with state.lock:
            if arn in state.lineage:
                raise ServiceError(f"{what} with the same source or name already exists: {arn}")
            state.lineage[arn] = record
        state.tag(arn, request.get("Tags"))
        return {f"{what}Arn": arn}

    return create


def _describe(kind: str) -> Any:
    what = _KINDS[kind]

    def describe(service: Service, state: State, request: Record) -> Record:
        return find(state, kind, request.get(f"{what}Arn") or state.arn(kind, request[f"{what}Name"]))

    return describe


def _delete(kind: str) -> Any:
    what = _KINDS[kind]

    def delete(service: Service, state: State, request: Record) -> Record:
        if kind == "artifact":
            source = request.get("Source", {}).get("SourceUri", "").encode()
            arn = request.get("ArtifactArn") or state.arn(kind, hashlib.sha256(source).hexdigest()[:32])
        else:
            arn = state.arn(kind, request[f"{what}Name"])
        with state.lock:
            find(state, kind, arn)
            if next(_edges(state, arn), None):
                raise ServiceError(f"{arn} has associations, which have to be deleted first")
            del state.lineage[arn]
        return {f"{what}Arn": arn}

    return delete


def _list(kind: str) -> Any:
    what = _KINDS[kind]
    members = (f"{what}Arn", f"{what}Name", "Source", f"{what}Type", "Status", "CreationTime", "LastModifiedTime")

    def listed(service: Service, state: State, request: Record) -> Record:
        found = [
            {key: record[key] for key in members if key in record}
            for record in state.lineage.values()
            if f"{what}Arn" in record
            and request.get("SourceUri") in (None, record["Source"]["SourceUri"])
            and request.get(f"{what}Type") in (None, record[f"{what}Type"])
        ]
        return page(found, request, f"{what}Summaries")

    return listed


def add_association(service: Service, state: State, request: Record) -> Record:
    """AddAssociation."""
    source, destination = request["SourceArn"], request["DestinationArn"]
    with state.lock:
        for arn in (source, destination):
            find(state, arn.split(":")[5].split("/")[0], arn)
        if (source, destination) in state.associations:
            raise ServiceError(f"Association already exists between {source} and {destination}")
        state.associations[source, destination] = {**request, "CreationTime": now(), "CreatedBy": service.user()}
    return {"SourceArn": source, "DestinationArn": destination}


def delete_association(service: Service, state: State, request: Record) -> Record:
    """DeleteAssociation."""
    ends = request["SourceArn"], request["DestinationArn"]
    if state.associations.pop(ends, None) is None:
        raise ServiceError(f"Association between {ends[0]} and {ends[1]} does not exist", "ResourceNotFound")
    return {"SourceArn": ends[0], "DestinationArn": ends[1]}


def list_associations(service: Service, state: State, request: Record) -> Record:
    """ListAssociations, by source, destination, their types and the association's type."""
    summaries: list[Record] = []
    for (source, destination), each in list(state.associations.items()):
        summary = {
            **each,
            "SourceType": _type(state.lineage[source]),
            "DestinationType": _type(state.lineage[destination]),
        }
        filters = ("SourceArn", "DestinationArn", "SourceType", "DestinationType", "AssociationType")
        if all(request.get(name) in (None, summary.get(name)) for name in filters):
            summaries.append(summary)
    return page(summaries, request, "AssociationSummaries")


def query(service: Service, state: State, request: Record) -> Record:
    """QueryLineage: the entities that are reached from the start, breadth first, without the start itself."""
    direction, filters = request.get("Direction", "Both"), request.get("Filters", {})
    edges: dict[tuple[str, str], Record] = {}
    depth = dict.fromkeys(request.get("StartArns", []), 0)
    for arn in depth:
        find(state, arn.split(":")[5].split("/")[0], arn)
    waiting = deque(depth)
    while waiting:
        arn = waiting.popleft()
        if depth[arn] == min(request.get("MaxDepth", MAX_DEPTH), MAX_DEPTH):
            continue
        for source, destination in list(_edges(state, arn)):
            following = source if arn == destination else destination
            if direction == ("Descendants" if following == source else "Ascendants"):
                continue
            edges[source, destination] = state.associations[source, destination]
            if following not in depth:
                depth[following] = depth[arn] + 1
                waiting.append(following)
    found = [arn for arn, steps in depth.items() if steps and _fits(state.lineage[arn], arn, filters)]
    answer: Record = {"Vertices": [_vertex(arn, state.lineage[arn]) for arn in found]}
    if request.get("IncludeEdges", True):
        answer["Edges"] = [{**_ends(*ends), "AssociationType": e.get("AssociationType")} for ends, e in edges.items()]
    return answer


def find(state: State, kind: str, arn: str) -> Record:
    """The entity with an ARN. Raises ServiceError."""
    found = state.lineage.get(arn)
    if found is None:
        raise ServiceError(f"{_KINDS.get(kind, 'Entity')} {arn} does not exist", "ResourceNotFound")
    return found


def count(state: State, kind: str) -> Record:
    """Number of entities of a kind, for the rules about quotas."""
    if kind == "association":
        return {"Count": len(state.associations)}
    return {"Count": sum(f"{_KINDS[kind]}Arn" in each for each in list(state.lineage.values()))}


def _edges(state: State, arn: str) -> Iterator[tuple[str, str]]:
    return (ends for ends in list(state.associations) if arn in ends)


def _ends(source: str, destination: str) -> Record:
    return {"SourceArn": source, "DestinationArn": destination}


def _type(record: Record) -> str:
    return next(record[name] for name in ("ArtifactType", "ActionType", "ContextType") if name in record)


def _fits(record: Record, arn: str, filters: Record) -> bool:
    lineage_type = _KINDS[arn.split(":")[5].split("/")[0]]
    return _type(record) in (filters.get("Types") or [_type(record)]) and lineage_type in (
        filters.get("LineageTypes") or [lineage_type]
    )


def _vertex(arn: str, record: Record) -> Record:
    return {"Arn": arn, "Type": _type(record), "LineageType": _KINDS[arn.split(":")[5].split("/")[0]]}


OPERATIONS = {
    **{f"Create{what}": _create(kind) for kind, what in _KINDS.items()},
    **{f"Describe{what}": _describe(kind) for kind, what in _KINDS.items()},
    **{f"Delete{what}": _delete(kind) for kind, what in _KINDS.items()},
    **{f"List{what}s": _list(kind) for kind, what in _KINDS.items()},
    "AddAssociation": add_association,
    "DeleteAssociation": delete_association,
    "ListAssociations": list_associations,
    "QueryLineage": query,
}
